"""Where a model is wrong: the error of each scaffold, with its drawing."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float
from markupsafe import Markup

from molmed.chem.scaffold import murcko
from molmed.experiment.run import Run
from molmed.metrics import metric
from molmed.metrics.resample import resamples
from molmed.report import numbers, words
from molmed.report.compound import Compound, card
from molmed.report.honest import values
from molmed.report.page import Column, cards, folded, group, paragraph, table
from molmed.results import Interval
from molmed.targets import Target

MIN_ROWS = 5
"""Compounds a scaffold needs before its error is shown; chosen: with fewer an interval says nothing."""

N_DRAWN = 4
"""Scaffolds drawn among the worst and among the largest."""

MAX_LISTED = 30
"""Scaffolds in the table."""


@dataclass(frozen=True)
class ScaffoldError:
    """The error on the compounds of one scaffold.

    Args:
        scaffold: SMILES; "" for compounds without a ring.
        n: compounds.
        error: RMSE in the target's unit, or the Brier score of probabilities.
        bias: mean of predicted less measured.
        predicted, measured: means.
    """

    scaffold: str
    n: int
    error: Interval
    bias: Interval
    predicted: float
    measured: float


def errors_by_scaffold(rows: pd.DataFrame, target: Target, known: dict[str, str]) -> list[ScaffoldError]:
    """Every scaffold with enough rows, the one with the largest error first.

    Args:
        rows: as `honest` gives them, with smiles.
        known: SMILES -> scaffold, as far as it was computed before.
    """
    scaffolds = [known[s] if s in known else murcko(s) for s in rows["smiles"].astype(str)]
    found = []
    for scaffold, own in rows.groupby(np.asarray(scaffolds, dtype=object), sort=True):
        if len(own) >= MIN_ROWS:
            measured, predicted = values(own, "measured"), values(own, "predicted")
            error, bias = _resampled(predicted - measured, target.kind == "regression")
            means = float(predicted.mean()), float(measured.mean())
            found.append(ScaffoldError(str(scaffold), len(own), error, bias, *means))
    return sorted(found, key=lambda s: (-s.error.value, s.scaffold))


def _resampled(error: Float[np.ndarray, " rows"], root: bool) -> tuple[Interval, Interval]:
    """(mean square, or its root, and mean) of the errors with their 95 % intervals over the same 1,000 resamples."""
    drawn = [
        np.stack([counts @ error**2, counts @ error]) / len(error) for counts in resamples(len(error), 1000, seed=0)
    ]
    squares, means = np.concatenate(drawn, axis=1)
    square = float(np.mean(error**2))
    if root:
        squares, square = np.sqrt(squares), math.sqrt(square)
    return _interval(square, squares), _interval(float(error.mean()), means)


def _interval(value: float, drawn: Float[np.ndarray, " resamples"]) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high))


def scaffold_blocks(rows: pd.DataFrame, target: Target, run: Run) -> list[Markup]:
    """Sentences, drawings of the worst and the largest scaffolds, and the table; nothing without structures."""
    if "smiles" not in rows or rows.empty:
        return []
    domain = run.predictor.domain
    known = {} if domain is None else dict(zip(domain.compounds["smiles"], domain.compounds["scaffold"], strict=True))
    found = errors_by_scaffold(rows, target, known)
    if len(found) < 2:
        return []
    name = words.metric_name("rmse" if target.kind == "regression" else "brier")
    whole = metric("rmse" if target.kind == "regression" else "brier")(
        values(rows, "measured"), values(rows, "predicted")
    )
    places = numbers.decimals([*(s.error.value for s in found), whole])
    unit = target.unit if target.kind == "regression" else ""
    covered = sum(s.n for s in found)
    lead = (
        f"{words.plural(len(found), 'scaffold').capitalize()} (Bemis-Murcko) with at least {MIN_ROWS} compounds cover"
        f" {numbers.percent(round(covered / len(rows), 2))} of the {numbers.count(len(rows))} rows, each predicted by a"
        f" model that had not seen it. Over all of these rows the {name} is"
        f" {f'{numbers.fixed(whole, places)} {unit}'.rstrip()}."
    )
    drawable = [s for s in found if s.scaffold]
    worst = drawable[:N_DRAWN]
    largest = [s for s in sorted(drawable, key=lambda s: -s.n) if s not in worst][:N_DRAWN]
    blocks = [paragraph(lead)]
    for title, chosen in ((f"Largest {name}", worst), ("Most compounds", largest)):
        if chosen:
            blocks.append(group(title))
            blocks.append(cards([_card(s, target, name, places, whole) for s in chosen], narrow=True))
    more = "" if len(found) <= MAX_LISTED else f", the worst {MAX_LISTED} of {len(found)}"
    blocks.append(folded(f"All of them as a table{more}", _table(found[:MAX_LISTED], target, name, places)))
    return blocks


def _card(s: ScaffoldError, target: Target, name: str, places: int, whole: float) -> Markup:
    inside = numbers.between(s.error.low, s.error.high, places)
    worse = not math.isnan(s.error.low) and s.error.low > whole
    return card(
        Compound(
            id=f"n = {s.n}",
            smiles=s.scaffold,
            value=numbers.fixed(s.error.value, places),
            detail=f"{name}, {inside}",
            domain=bias(s, target),
            outside=worse,
            caption="worse than the rest" if worse else "",
        )
    )


def bias(s: ScaffoldError, target: Target) -> str:
    """The bias in words: "0.42 too high", "no bias seen"; of a class what was said and what was found."""
    if target.kind == "binary":
        said, seen = (numbers.percent(round(v, 2)) for v in (s.predicted, s.measured))
        return f"said {said}, seen {seen}"
    if math.isnan(s.bias.low) or s.bias.low <= 0 <= s.bias.high:
        return "no bias seen"
    size = numbers.fixed(abs(s.bias.value), numbers.decimals([s.bias.value], 2))
    return f"{size} too {'high' if s.bias.value > 0 else 'low'}"


def _table(found: list[ScaffoldError], target: Target, name: str, places: int) -> Markup:
    binary = target.kind == "binary"
    unit = "" if binary else target.unit
    columns = [Column("scaffold"), Column("compounds", True), Column(f"{name} ({unit})" if unit else name, True)]
    columns += [Column("mean predicted", True), Column("positive", True)] if binary else [Column("bias", True)]
    lines = []
    for s in found:
        cells = [numbers.count(s.n), numbers.with_interval(s.error, places)]
        if binary:
            cells += [numbers.percent(round(v, 2)) for v in (s.predicted, s.measured)]
        else:
            cells.append(_signed_with(s.bias, places))
        lines.append((Markup('<span class="code">{}</span>').format(s.scaffold or "no ring"), *cells))
    return table(columns, lines, caption="With 95 % bootstrap intervals; of few compounds they are rough.")


def _signed_with(found: Interval, places: int) -> str:
    inside = numbers.between(found.low, found.high, places)
    return numbers.signed(found.value, places) + (f" ({inside})" if inside != numbers.UNKNOWN else "")
