"""The page of the demonstration: three models compared, the winner's screen of a library, and what that shows.

The caller fills the records below; nothing here trains or predicts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed import draw
from molmed.report import numbers, words
from molmed.report.page import (
    Column,
    Section,
    beside,
    bullets,
    definitions,
    figure,
    notice,
    page,
    paragraph,
    section,
    subtitle,
    table,
)
from molmed.report.screening import OUTSIDE, fate_section, hits, hits_section, spread_figure
from molmed.report.stacked import stacked, under
from molmed.results import Interval


@dataclass(frozen=True)
class Contender:
    """One of the models compared.

    Args:
        name: as it is written in the table.
        about: a few words on it, e.g. "graph network, 318,000 parameters".
        out_of_fold: its score (the comparison's metric) inside the training part.
        test: metric -> score on the test compounds, the comparison's metric first.
        difference: paired difference on the test compounds, this model less the winner, in the comparison's
            metric; None for the winner.
        seconds: that its training took, folds included; nan = not known.
    """

    name: str
    about: str
    out_of_fold: Interval
    test: Mapping[str, Interval]
    difference: Interval | None = None
    seconds: float = float("nan")


@dataclass(frozen=True)
class Comparison:
    """Models compared on the same compounds; the winner is the best out-of-fold.

    Args:
        metric: name of the deciding one.
        n_train, n_test: compounds.
        folds: of the out-of-fold predictions.
        split: how the test compounds were chosen, in words.
    """

    contenders: Sequence[Contender]
    winner: str
    metric: str
    n_train: int
    n_test: int
    folds: int
    split: str = "by scaffold"


@dataclass(frozen=True)
class Screened:
    """A library predicted by the winner.

    Args:
        library: its name in a sentence, e.g. "RDKit's NCI library".
        predictions: one row per row of the library; the columns of a prediction.
        structures: id of a training compound -> its SMILES.
        level: rate at which the intervals hold the truth.
    """

    library: str
    predictions: pd.DataFrame
    structures: Mapping[str, str]
    level: float = 0.9


@dataclass(frozen=True)
class Demo:
    """Everything the page shows.

    Args:
        target, unit: what is predicted.
        data: facts about the measured compounds in words: term -> value.
        series: the winner's (measured, predicted) values, e.g. "out-of-fold" and then "test".
        training_values: measured values of the training compounds.
        history: the winner's epochs (epoch, train_loss, valid_loss, best); empty for a forest.
        timings: step -> seconds, in order.
        versions: library -> version.
        quick: whether the training was shortened, which the page then says.
    """

    target: str
    unit: str
    data: Mapping[str, str]
    comparison: Comparison
    series: Mapping[str, tuple[np.ndarray, np.ndarray]]
    training_values: np.ndarray
    screened: Screened
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    timings: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    quick: bool = False


NAMING = (
    "The measured compounds are the aryl sulfonamides with pAct that RDKit carries in Contrib/FreeWilson/data"
    " (CHEMBL2321810). They are called nav17 here for their chemotype, that of Nav1.7 blockers; RDKit's files name no"
    " target."
)


def demo_page(demo: Demo, *, when: str, title: str = "nav17: three models and a screen", top: int = 24) -> str:
    """The whole page as one HTML document.

    Args:
        when: the date to print.
        top: hits shown.
    """
    screened = demo.screened
    target, unit, table_of_all = demo.target, demo.unit, screened.predictions
    spread = spread_figure(table_of_all, demo.training_values, target=target, unit=unit, n=top)
    fate = fate_section(table_of_all, library=screened.library)
    sections = [
        _comparison(demo),
        _winner(demo),
        hits_section(table_of_all, screened.structures, target=target, unit=unit, n=top, level=screened.level),
        Section("The library", fate.body + Markup("\n") + spread, "library"),
        _data(demo),
        _limits(demo, top),
        _making(demo),
    ]
    return page(title, sections, when=when, lead=_lead(demo), tiles=_tiles(demo))


def _lead(demo: Demo) -> str:
    c = demo.comparison
    models = words.plural(len(c.contenders), "model").capitalize()
    return (
        f"{models} learnt {demo.target} from {numbers.count(c.n_train)} compounds. The best of them, {c.winner}, then"
        f" ranked the {numbers.count(len(demo.screened.predictions))} rows of {demo.screened.library}."
    )


def _winner_of(comparison: Comparison) -> Contender:
    return next(c for c in comparison.contenders if c.name == comparison.winner)


def _tiles(demo: Demo) -> dict[str, tuple[str, str]]:
    c, best = demo.comparison, _winner_of(demo.comparison)
    score = best.test[c.metric]
    places = numbers.decimals([score.value])
    predictions = demo.screened.predictions
    refused = int((predictions["status"] == "rejected").sum())
    unit = words.metric_unit(c.metric, demo.unit)
    interval = numbers.between(score.low, score.high, places)
    tiles = {
        f"{words.metric_name(c.metric)} on the test compounds": (
            numbers.fixed(score.value, places),
            f"{unit} ({interval})".strip() if interval != numbers.UNKNOWN else unit,
        ),
        "test compounds": (numbers.count(c.n_test), f"of {numbers.count(c.n_train + c.n_test)} measured"),
        "rows screened": (numbers.count(len(predictions)), f"{numbers.count(refused)} rejected, with reason"),
    }
    if demo.timings:
        tiles["time for everything"] = (numbers.duration(sum(demo.timings.values())), "")
    return tiles


def _comparison(demo: Demo) -> Section:
    c = demo.comparison
    unit = demo.unit
    others = [n for n in _winner_of(c).test if n != c.metric]
    main = _places([m.out_of_fold for m in c.contenders] + [m.test.get(c.metric) for m in c.contenders])
    places = {n: _places([m.test.get(n) for m in c.contenders]) for n in others}
    name = words.metric_label(c.metric, unit)
    columns = [Column("model"), Column(f"{name}, out-of-fold", True), Column(f"{name}, test", True)]
    columns += [Column(f"{words.metric_label(n, unit)}, test", True) for n in others]
    columns += [Column("difference to the best", True), Column("time to train", True)]
    rows = []
    for m in c.contenders:
        shown = [(m.out_of_fold, main), (m.test.get(c.metric), main), *((m.test.get(n), places[n]) for n in others)]
        cells = [stacked(i, p) for i, p in shown]
        difference = stacked(m.difference, main, sign=True)
        time = numbers.UNKNOWN if np.isnan(m.seconds) else numbers.duration(m.seconds)
        rows.append((under(m.name, m.about), *cells, difference, time))
    strong = [i for i, m in enumerate(c.contenders) if m.name == c.winner]
    caption = (
        f"Scores with 95 % bootstrap intervals. The best was chosen by the out-of-fold score ({c.folds} folds of the"
        f" {numbers.count(c.n_train)} training compounds); the {numbers.count(c.n_test)} test compounds, held out"
        f" {c.split}, were looked at once."
    )
    series: dict[str, list[Interval | None]] = {
        "out-of-fold": [m.out_of_fold for m in c.contenders],
        "test": [m.test.get(c.metric) for m in c.contenders],
    }
    svg = draw.intervals(
        [m.name for m in c.contenders], series, label=name, winner=c.winner, note=words.better(c.metric)
    )
    blocks = [bullets(_sentences(demo)), table(columns, rows, caption=caption, strong=strong)]
    blocks.append(figure(svg, "Each point is a score, each line its 95 % interval; the best out-of-fold in bold."))
    if demo.quick:
        blocks.insert(0, notice("A quick run: training was cut short, so the scores are lower than they could be."))
    return section("Which model is best?", *blocks, anchor="models")


def _sentences(demo: Demo) -> list[str]:
    """One sentence on the winner, and one per other model in words."""
    c = demo.comparison
    best = _winner_of(c)
    name, unit = words.metric_name(c.metric), words.metric_unit(c.metric, demo.unit)
    places = _places([best.test[c.metric]])
    said = [
        f"{best.name} has the best out-of-fold score. On the test compounds its {name} is"
        f" {numbers.with_interval(best.test[c.metric], places)} {unit}".rstrip()
        + "."
    ]
    for m in c.contenders:
        if m.difference is None:
            continue
        inside = numbers.between(m.difference.low, m.difference.high, places)
        tail = f": {name} {numbers.signed(m.difference.value, places)} ({inside})" if inside != numbers.UNKNOWN else ""
        said.append(f"{m.name}: {words.verdict(m.difference, c.metric, best.name)} on the test compounds{tail}.")
    if len(c.contenders) > 2:
        said.append(
            "The intervals of the differences are paired and not corrected for making more than one comparison."
        )
    return said


def _places(intervals: Sequence[Interval | None]) -> int:
    return numbers.decimals([i.value for i in intervals if i is not None])


def _winner(demo: Demo) -> Section:
    best = _winner_of(demo.comparison)
    shown = []
    if "r2" in best.test:
        shown.append(f"R² {numbers.fixed(best.test['r2'].value, 2)}")
    if "rmse" in best.test:
        shown.append(f"RMSE {numbers.number(best.test['rmse'].value)} {demo.unit}".rstrip())
    corner = f"test: {', '.join(shown)}" if shown else ""
    svg = draw.parity(demo.series, quantity=demo.target, unit=demo.unit, scores=corner)
    caption = f"Predicted against measured {demo.target} by {best.name}; on the dashed line they are equal."
    blocks = [figure(svg, caption)]
    if not demo.history.empty:
        epochs = demo.history["epoch"].to_numpy(dtype=np.int64) + 1
        lines = {"training loss": demo.history["train_loss"].to_numpy(dtype=np.float64)}
        if "valid_loss" in demo.history and demo.history["valid_loss"].notna().any():
            lines["validation loss"] = demo.history["valid_loss"].to_numpy(dtype=np.float64)
        marked = np.flatnonzero(demo.history["best"].to_numpy(dtype=bool))
        chosen = int(epochs[marked[-1]]) if marked.size else int(epochs[-1])
        blocks.append(figure(draw.curves(epochs, lines, chosen=chosen), "Loss by epoch of the final fit."))
    return section(f"The best model: {best.name}", beside(*blocks), anchor="best")


def _data(demo: Demo) -> Section:
    return section("The measured compounds", paragraph(NAMING), definitions(demo.data), anchor="data")


def _limits(demo: Demo, top: int) -> Section:
    c, predictions = demo.comparison, demo.screened.predictions
    best = hits(predictions, demo.target, n=top)
    shows = [
        f"How well each model predicts {demo.target} of compounds of the same chemotype that it has not seen:"
        f" {numbers.count(c.n_test)} test compounds, held out {c.split}.",
        "That every row of the library is answered: with a prediction, or with the reason why there is none.",
    ]
    not_shown = [
        "None of the hits has been measured here: they are suggestions for a test, not actives.",
        "One split and one seed: others would move every score. The intervals say how far the choice of test compounds"
        " moves it, not how far another training part would.",
        "No statement on the target: the files name none.",
        f"The {numbers.percent(demo.screened.level)} intervals come from errors on training compounds and hold for"
        " compounds like them; most of a general library is not.",
    ]
    if "domain" in best.columns and len(best):
        outside = int((best["domain"] < OUTSIDE).sum())
        not_shown.insert(
            0,
            f"{outside} of the {len(best)} hits are outside the domain of the training compounds (score below"
            f" {OUTSIDE:g}). Their order says little.",
        )
    return section(
        "What was measured, and what it does not show",
        subtitle("It shows"),
        bullets(shows),
        subtitle("It does not show"),
        bullets(not_shown),
        anchor="limits",
    )


def _making(demo: Demo) -> Section:
    blocks = []
    if demo.timings:
        total = sum(demo.timings.values())
        rows = [(step, numbers.duration(seconds)) for step, seconds in demo.timings.items()]
        rows.append(("together", numbers.duration(total)))
        blocks.append(table([Column("step"), Column("time", True)], rows, strong=[len(rows) - 1]))
    if demo.versions:
        blocks.append(definitions(demo.versions))
    return section("How it was made", *blocks, anchor="making")
