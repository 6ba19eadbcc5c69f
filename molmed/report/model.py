"""The page of one model: what it is for, what it learnt from, how good it is, where it is wrong."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed import catalog, draw
from molmed.chem import Molecule, read
from molmed.chem.fingerprints import morgan_bits
from molmed.experiment.config import to_toml
from molmed.experiment.domain import N_BITS, RADIUS, Domain
from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.compound import Compound, Neighbour, card
from molmed.report.page import (
    Column,
    Section,
    beside,
    block,
    cards,
    code,
    definitions,
    figure,
    notice,
    page,
    paragraph,
    section,
    subtitle,
    table,
)
from molmed.results import Interval
from molmed.targets import Target
from molmed.trust.neighbours import Neighbours

MAX_PLOTS = 12
"""Targets with plots of their own; chosen, so that a page of a hundred assays stays a page."""

MAX_WORST = 3
"""Targets whose worst predictions are drawn."""

N_WORST = 6
"""Worst predictions shown for each of them."""

N_EXAMPLES = 3
"""Rejected rows quoted for each reason."""

_PARTS = {"out_of_fold": "out-of-fold", "test": "test"}


def model_page(run: Run, *, when: str, title: str = "") -> str:
    """One HTML document on a model, as `fit` returned or `load` restored it.

    Args:
        when: the date to print.
        title: by default the model's name and what it predicts.
    """
    names = ", ".join(t.name for t in run.targets[:3]) + (" and more" if len(run.targets) > 3 else "")
    sections = [_use(run), _data(run), _scores(run)]
    sections += [made for made in (_plots(run), _training(run), _worst(run)) if made is not None]
    sections.append(_configuration(run))
    lead = f"A model for {run.config.task or 'its task'}, trained on {words.plural(_trained_on(run), 'row')}."
    return page(title or f"{_model_name(run)}: {names}", sections, when=when, lead=lead, tiles=_tiles(run))


def _model_name(run: Run) -> str:
    return run.config.model.name or run.task.model


def _trained_on(run: Run) -> int:
    return int(run.facts.get("rows_train", run.facts.get("rows_used", 0)))


def _tiles(run: Run) -> dict[str, tuple[str, str]]:
    tiles = {}
    metric = run.task.metric
    for part, scores in run.scores.items():
        known = [by_metric[metric] for by_metric in scores.values() if metric in by_metric]
        values = [i.value for i in known if not math.isnan(i.value)]
        if not values:
            continue
        places = numbers.decimals(values)
        unit = words.metric_unit(metric, run.targets[0].unit)
        inside = numbers.between(known[0].low, known[0].high, places)
        small = f"({inside})" if len(scores) == 1 and inside != numbers.UNKNOWN else ""
        caption = f"{words.metric_name(metric)}, {_PARTS.get(part, part)}" + (" (mean)" if len(scores) > 1 else "")
        tiles[caption] = (numbers.fixed(float(np.mean(values)), places), f"{unit} {small}".strip())
    if "rows_train" in run.facts:
        tiles["rows trained on"] = (numbers.count(_trained_on(run)), "")
    if run.facts.get("rows_test"):
        tiles["rows held out"] = (numbers.count(int(run.facts["rows_test"])), "")
    return tiles


def _use(run: Run) -> Section:
    targets = ", ".join(words.quantity(t.name, t.unit) + f" [{t.kind}]" for t in run.targets[:MAX_PLOTS])
    more, name = len(run.targets) - MAX_PLOTS, _model_name(run)
    facts = {
        "predicts": targets + (f" and {more} more" if more > 0 else ""),
        "made for": run.task.intended_use,
        "model": name,
    }
    if about := _described(name):
        facts["how it works"] = about
    warning = notice(f"It must not be used for {run.task.must_not}.")
    return section("What it is for", definitions(facts), warning, anchor="use")


def _described(model: str) -> str:
    """The catalogue's line on an encoder or a tree; "" if it is on neither shelf here."""
    found = {e.name: e.description for shelf in ("encoders", "trees") for e in catalog.entries(shelf)}
    return found.get(model, "")


def _data(run: Run) -> Section:
    facts = run.facts
    counts = {
        "rows read": "rows_read",
        "rows used": "rows_used",
        "for training": "rows_train",
        "held out for the test": "rows_test",
    }
    pairs = {term: numbers.count(int(facts[key])) for term, key in counts.items() if key in facts}
    pairs["split"] = run.config.split.name or run.task.split
    pairs |= {
        name: str(facts[key])[:16]
        for name, key in (("data hash (first 16 digits)", "data_sha256"), ("split hash", "split_sha256"))
        if key in facts
    }
    blocks = [definitions(pairs)]
    blocks += [paragraph(_sentence(said)) for said in facts.get("said", [])]
    return section("Data", *blocks, *_rejected(run.rejected))


def _rejected(rejected: pd.DataFrame) -> list[Markup]:
    if rejected.empty:
        return [paragraph("Every row could be used.")]
    rows = []
    for reason, group in sorted(rejected.groupby("reason"), key=lambda pair: (-len(pair[1]), str(pair[0]))):
        examples = [
            f"row {row}, {id}" + (f": {detail}" if detail else "")
            for row, id, detail in group[["row", "id", "detail"]].head(N_EXAMPLES).itertuples(index=False)
        ]
        rows.append((words.REASONS.get(str(reason), str(reason)), numbers.count(len(group)), block("lines", examples)))
    columns = [Column("reason"), Column("rows", True), Column(f"examples (at most {N_EXAMPLES})")]
    return [subtitle("Rows not used"), table(columns, rows)]


def _scores(run: Run) -> Section:
    parts = [p for p in ("out_of_fold", "test") if p in run.scores] + [p for p in run.scores if p not in _PARTS]
    if not parts:
        return section("Scores", notice("No score was made: no row was held out and no fold was left out."))
    rows: list[tuple[str, ...]] = []
    for target in run.targets:
        names = dict.fromkeys(name for part in parts for name in run.scores[part].get(target.name, {}))
        for name in names:
            found = [run.scores[part].get(target.name, {}).get(name) for part in parts]
            places = numbers.decimals([i.value for i in found if i is not None])
            cells = [numbers.UNKNOWN if i is None else numbers.with_interval(i, places) for i in found]
            own = (words.metric_label(name, target.unit), *cells, words.better(name))
            rows.append((target.name, *own) if len(run.targets) > 1 else own)
    columns = [Column(_PARTS.get(p, p), True) for p in parts]
    columns = [Column("metric"), *columns, Column("")]
    if len(run.targets) > 1:
        columns.insert(0, Column("target"))
    level = numbers.percent(_level(run))
    caption = f"Value and {level} interval, by resampling the rows (bootstrap, percentile method, 1,000 resamples)."
    blocks = [table(columns, rows, caption=caption)]
    if "out_of_fold" in parts:
        folds = run.config.split.folds
        blocks.append(
            paragraph(
                f"Out-of-fold: each of the training rows predicted by a model that had not seen it ({folds} folds)."
                if folds
                else "Out-of-fold: each of the training rows predicted by a model that had not seen it."
            )
        )
    if "test" in parts:
        blocks.append(paragraph("Test: rows held out before training began, predicted once by the final model."))
    else:
        blocks.append(notice("No test rows were held out; the out-of-fold scores are the only honest ones."))
    return section("Scores", *blocks, *_intervals_of_predictions(run))


def _level(run: Run) -> float:
    levels = [i.level for scores in run.scores.values() for by in scores.values() for i in by.values()]
    return levels[0] if levels else 0.95


def _intervals_of_predictions(run: Run) -> list[Markup]:
    calibration = run.predictor.calibration
    if not calibration.half_width:
        return []
    level = numbers.percent(calibration.level)
    widths = {
        words.quantity(t.name, t.unit): f"± {numbers.number(calibration.half_width[t.name])}"
        for t in run.targets[:MAX_PLOTS]
        if t.name in calibration.half_width
    }
    text = (
        f"Every prediction comes with an interval that holds a new measurement in {level} of the cases, for compounds"
        " like those of the training file. Its width comes from the out-of-fold errors:"
    )
    return [subtitle("Intervals of single predictions"), paragraph(text), definitions(widths)]


def _plots(run: Run) -> Section | None:
    if run.predictions.empty:
        return None
    blocks = []
    for target in run.targets[:MAX_PLOTS]:
        series = {_PARTS.get(str(p), str(p)): _known(g, target) for p, g in run.predictions.groupby("part", sort=True)}
        series = {name: pair for name, pair in series.items() if len(pair[0])}
        if not series:
            continue
        if len(run.targets) > 1:
            blocks.append(subtitle(target.name))
        if target.kind == "regression":
            blocks.append(_parity(series, target, run))
        elif target.kind == "binary":
            blocks.append(_binary(series, target))
    if len(run.targets) > MAX_PLOTS:
        blocks.append(paragraph(f"The plots of the other {len(run.targets) - MAX_PLOTS} targets are left out."))
    return section("Predicted against measured", *blocks, anchor="plots") if blocks else None


Values = tuple[np.ndarray, np.ndarray]
"""(measured, predicted)."""


def _known(rows: pd.DataFrame, target: Target) -> Values:
    measured = rows[f"{target.name}_measured"].to_numpy(dtype=np.float64)
    predicted = rows[target.name].to_numpy(dtype=np.float64)
    known = np.isfinite(measured) & np.isfinite(predicted)
    return measured[known], predicted[known]


def _parity(series: Mapping[str, Values], target: Target, run: Run) -> Markup:
    part = "test" if "test" in run.scores else "out_of_fold"
    found = run.scores.get(part, {}).get(target.name, {})
    scores = corner(found, target.unit)
    scores = f"{_PARTS[part]}: {scores}" if scores else ""
    svg = draw.parity(series, quantity=target.name, unit=target.unit, scores=scores)
    return figure(svg, f"Predicted against measured {target.name}; on the dashed line they are equal.")


def corner(scores: Mapping[str, Interval], unit: str) -> str:
    """R² and RMSE for the corner of a plot, as far as they are known."""
    shown = []
    if "r2" in scores and not math.isnan(scores["r2"].value):
        shown.append(f"R² {numbers.fixed(scores['r2'].value, 2)}")
    if "rmse" in scores and not math.isnan(scores["rmse"].value):
        shown.append(f"RMSE {numbers.number(scores['rmse'].value)} {unit}".rstrip())
    return ", ".join(shown)


def _binary(series: Mapping[str, Values], target: Target) -> Markup:
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import roc_auc_score, roc_curve

    both = {name: pair for name, pair in series.items() if len(np.unique(pair[0])) == 2}
    if not both:
        return notice(f"{target.name}: only one class among the rows with a prediction, so there is no curve to draw.")
    lines = {}
    for name, (labels, p_positive) in both.items():
        false_rate, true_rate, _ = roc_curve(labels, p_positive)
        area = numbers.fixed(float(roc_auc_score(labels, p_positive)), 3)
        lines[f"{name}, AUROC {area}"] = (false_rate, true_rate)
    part = "test" if "test" in both else next(iter(both))
    labels, p_positive = both[part]
    observed, p_mean = calibration_curve(labels, np.clip(p_positive, 0.0, 1.0), n_bins=10)
    # the same ten bins of equal width as calibration_curve's, empty ones left out
    bins = np.searchsorted(np.linspace(0.0, 1.0, 11)[1:-1], np.clip(p_positive, 0.0, 1.0))
    counts = np.bincount(bins, minlength=10)
    roc = figure(draw.roc(lines, label=target.name), "ROC curve: the dashed line is chance.")
    svg = draw.reliability(p_mean, observed, counts[counts > 0], label=target.name)
    caption = (
        f"Reliability on the {part} rows: the larger the point, the more rows. On the dashed line, 30 % means 3 in 10."
    )
    return beside(roc, figure(svg, caption))


def _training(run: Run) -> Section | None:
    history = run.history
    if history.empty:
        return None
    epochs = history["epoch"].to_numpy(dtype=np.int64) + 1
    lines = {"training loss": history["train_loss"].to_numpy(dtype=np.float64)}
    if "valid_loss" in history and history["valid_loss"].notna().any():
        lines["validation loss"] = history["valid_loss"].to_numpy(dtype=np.float64)
    best = np.flatnonzero(history["best"].to_numpy(dtype=bool))
    chosen = int(epochs[best[-1]]) if best.size and "validation loss" in lines else int(epochs[-1])
    seconds = float(history["seconds"].sum()) if "seconds" in history else math.nan
    caption = f"{words.plural(len(epochs), 'epoch').capitalize()} of the final fit"
    caption += f", {numbers.duration(seconds)}." if not math.isnan(seconds) else "."
    if "validation loss" not in lines:
        caption += " The number of epochs is the median of the folds' best; no row was set aside here."
    return section("Training", figure(draw.curves(epochs, lines, chosen=chosen), caption))


def _worst(run: Run) -> Section | None:
    if run.predictions.empty:
        return None
    part = "test" if (run.predictions["part"] == "test").any() else "out_of_fold"
    rows = run.predictions[run.predictions["part"] == part]
    blocks = []
    for target in run.targets[:MAX_WORST]:
        error = (rows[target.name] - rows[f"{target.name}_measured"]).abs()
        known = rows.assign(_error=error)[error.notna()]
        worst = known.sort_values("_error", ascending=False, kind="stable").head(N_WORST)
        if worst.empty:
            continue
        if len(run.targets) > 1:
            blocks.append(subtitle(target.name))
        blocks.append(_worst_cards(worst, target, run) if "smiles" in worst else _worst_table(worst, target))
    if not blocks:
        return None
    lead = f"The largest differences between prediction and measurement among the {_PARTS.get(part, part)} rows."
    if "smiles" in rows:
        lead += " A close neighbour with another value hints at an activity cliff or at a measurement to check."
    if len(run.targets) > MAX_WORST:
        lead += f" Shown for the first {MAX_WORST} of {len(run.targets)} targets."
    return section("Worst predictions", paragraph(lead), *blocks)


def _worst_cards(worst: pd.DataFrame, target: Target, run: Run) -> Markup:
    molecules = [m if isinstance(m := read(s), Molecule) else None for s in worst["smiles"]]
    near = _neighbours(molecules, target, run.predictor.domain)
    places = numbers.decimals([*worst[target.name], *worst[f"{target.name}_measured"]])
    made = []
    for row, neighbour in zip(worst.to_dict("records"), near, strict=True):
        predicted, measured = float(row[target.name]), float(row[f"{target.name}_measured"])
        if target.kind == "binary":
            value, unit, detail = (
                numbers.fixed(predicted, places),
                "probability of class 1",
                f"measured class {measured:.0f}",
            )
        else:
            value = numbers.fixed(abs(predicted - measured), places)
            unit = f"{target.unit} too {'high' if predicted > measured else 'low'}".strip()
            detail = f"predicted {numbers.fixed(predicted, places)}, measured {numbers.fixed(measured, places)}"
        made.append(
            card(
                Compound(
                    id=str(row["id"]),
                    smiles=str(row["smiles"]),
                    value=value,
                    unit=unit,
                    detail=detail,
                    caption=f"row {row['row']}",
                    neighbour=neighbour,
                )
            )
        )
    return cards(made)


def _neighbours(molecules: list[Molecule | None], target: Target, domain: Domain | None) -> list[Neighbour | None]:
    """The nearest training compound with a known value that is another compound."""
    readable = [m for m in molecules if m is not None]
    if domain is None or not readable:
        return [None] * len(molecules)
    value = domain.compounds[f"value_{target.name}"].to_numpy(dtype=np.float64)
    known = np.flatnonzero(~np.isnan(value))
    rows, similarity = Neighbours(domain.bits[known]).nearest(
        morgan_bits([m.mol for m in readable], RADIUS, N_BITS), k=2
    )
    found = iter(zip(readable, known[rows], similarity, strict=True))
    return [None if m is None else _other(*next(found), target, domain, value) for m in molecules]


def _other(
    molecule: Molecule,
    rows: np.ndarray,
    similarity: np.ndarray,
    target: Target,
    domain: Domain,
    value: np.ndarray,
) -> Neighbour | None:
    for row, close in zip(rows, similarity, strict=True):
        smiles = str(domain.compounds["smiles"].iloc[row])
        if smiles != molecule.smiles:
            shown = f"{value[row]:.0f}" if target.kind == "binary" else numbers.number(float(value[row]))
            label = "class" if target.kind == "binary" else target.unit or target.name
            return Neighbour(str(domain.ids[row]), smiles, f"{label} {shown}", float(close))
    return None


def _worst_table(worst: pd.DataFrame, target: Target) -> Markup:
    places = numbers.decimals([*worst[target.name], *worst[f"{target.name}_measured"]])
    rows = [
        (
            str(row["id"]),
            numbers.fixed(float(row[f"{target.name}_measured"]), 0 if target.kind == "binary" else places),
            numbers.fixed(float(row[target.name]), places),
            numbers.fixed(float(row["_error"]), places),
        )
        for row in worst.to_dict("records")
    ]
    predicted = "predicted probability" if target.kind == "binary" else "predicted"
    columns = [Column("id"), Column("measured", True), Column(predicted, True), Column("error", True)]
    return table(columns, rows)


def _configuration(run: Run) -> Section:
    pairs: dict[str, Any] = {}
    if "seconds" in run.facts:
        pairs["time to train"] = numbers.duration(float(run.facts["seconds"]))
    if run.facts.get("epochs"):
        pairs["epochs of the final fit"] = numbers.count(int(run.facts["epochs"]))
    blocks = [definitions(pairs)] if pairs else []
    return section("Configuration", *blocks, code(to_toml(run.config)))


def _sentence(text: str) -> str:
    """With a capital in front and a full stop behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
