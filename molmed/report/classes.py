"""How good probabilities are: ROC, precision and recall, reliability, and what each threshold would do."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from markupsafe import Markup

from molmed import draw
from molmed.experiment.run import Run
from molmed.metrics import metric
from molmed.report import numbers
from molmed.report.honest import PARTS, by_part, judged, values
from molmed.report.page import Column, beside, bullets, figure, notice, table
from molmed.report.shares import promised, share
from molmed.targets import Target

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Probabilities from which a row is called positive, in the table."""

BINS = 10
"""Of equal width, in the reliability plot."""


def class_plots(rows: pd.DataFrame, target: Target, run: Run) -> list[Markup]:
    """Sentences, figures and the table of thresholds of one binary target; `rows` as `honest` gives them."""
    both = {part: own for part, own in by_part(rows).items() if own["measured"].nunique() == 2}
    if not both:
        return [
            notice(f"{target.name}: only one class among the rows with a prediction, so there is no curve to draw.")
        ]
    part = list(both)[-1]
    return [
        bullets(_sentences(rows, target, run)),
        beside(_roc(both, target), _precision_recall(both, target)),
        beside(_reliability(both[part], part, target), _distribution(both[part], part, target)),
        _thresholds(both),
    ]


def _roc(both: Mapping[str, pd.DataFrame], target: Target) -> Markup:
    from sklearn.metrics import roc_curve

    lines = {}
    for part, rows in both.items():
        labels, p_positive = values(rows, "measured"), values(rows, "predicted")
        false_rate, true_rate, _ = roc_curve(labels, p_positive)
        lines[f"{part}, AUROC {numbers.fixed(metric('auroc')(labels, p_positive), 3)}"] = (false_rate, true_rate)
    return figure(draw.roc(lines, label=target.name), "ROC curve: the dashed line is chance.")


def _precision_recall(both: Mapping[str, pd.DataFrame], target: Target) -> Markup:
    from sklearn.metrics import precision_recall_curve

    lines = {}
    for part, rows in both.items():
        labels, p_positive = values(rows, "measured"), values(rows, "predicted")
        precision, recall, _ = precision_recall_curve(labels, p_positive)
        area = numbers.fixed(metric("auprc")(labels, p_positive), 3)
        lines[f"{part}, AP {area}"] = (recall[::-1], precision[::-1])
    base = float(values(list(both.values())[-1], "measured").mean())
    chance = numbers.percent(round(base, 2))
    caption = f"Precision and recall (AP: average precision): the dashed line is chance, {chance} of the rows."
    return figure(draw.precision_recall(lines, base=base, label=target.name), caption)


def _reliability(rows: pd.DataFrame, part: str, target: Target) -> Markup:
    labels, p_positive = values(rows, "measured"), np.clip(values(rows, "predicted"), 0.0, 1.0)
    bins = np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], p_positive)
    counts = np.bincount(bins, minlength=BINS)
    filled = np.flatnonzero(counts)
    found = [share(int(labels[bins == b].sum()), int(counts[b])) for b in filled]
    svg = draw.reliability(
        np.asarray([p_positive[bins == b].mean() for b in filled]),
        np.asarray([i.value for i in found]),
        counts[filled],
        np.asarray([i.low for i in found]),
        np.asarray([i.high for i in found]),
        label=target.name,
    )
    caption = (
        f"Reliability on the {part} rows: the larger the point, the more rows; the bars are 95 % intervals. On the"
        " dashed line, 30 % means 3 in 10."
    )
    return figure(svg, caption)


def _distribution(rows: pd.DataFrame, part: str, target: Target) -> Markup:
    positive = rows["measured"] == 1
    svg = draw.distribution(
        values(rows[positive], "predicted"),
        values(rows[~positive], "predicted"),
        label=f"predicted probability of {target.name}",
        names=("class 1", "class 0"),
        mark=0.5,
        mark_label="threshold 0.5",
        of="each class",
        bins=20,
        width=380,
        height=380,
    )
    return figure(svg, f"Predicted probabilities of the {part} rows of each class: the less overlap, the better.")


def _thresholds(both: Mapping[str, pd.DataFrame]) -> Markup:
    """What calling every row above a threshold positive does, on the part a model is judged by."""
    part = list(both)[-1]
    rows = both[part]
    labels, p_positive = values(rows, "measured"), values(rows, "predicted")
    lines = []
    for threshold in THRESHOLDS:
        called = p_positive >= threshold
        hit, miss = int(np.sum(called & (labels == 1))), int(np.sum(~called & (labels == 1)))
        false, right = int(np.sum(called & (labels == 0))), int(np.sum(~called & (labels == 0)))
        lines.append(
            (
                f"{threshold:g}",
                numbers.count(hit + false),
                _share(hit, hit + miss),
                _share(right, right + false),
                _share(hit, hit + false),
                _share(right, right + miss),
                numbers.fixed(metric("mcc")(labels, called.astype(np.float64)), 2),
            )
        )
    columns = [
        Column("threshold"),
        Column("called", True),
        Column("sensitivity", True),
        Column("specificity", True),
        Column("precision", True),
        Column("NPV", True),
        Column("MCC", True),
    ]
    caption = (
        f"What a threshold does on the {numbers.count(len(rows))} {part} rows, {numbers.count(int(labels.sum()))} of"
        " them positive: rows called positive, and how well. Precision and NPV (negative predictive value) hold for"
        " this share of positives only."
    )
    return table(columns, lines, caption=caption, strong=[THRESHOLDS.index(0.5)])


def _share(k: int, n: int) -> str:
    return numbers.percent(round(k / n, 2)) if n else numbers.UNKNOWN


def _sentences(rows: pd.DataFrame, target: Target, run: Run) -> list[str]:
    """Whether probabilities are right on average, and what the label sets hold."""
    part, own = judged(rows)
    labels, p_positive = values(own, "measured"), values(own, "predicted")
    seen = share(int(labels.sum()), len(labels))
    said = [
        f"{numbers.count(int(labels.sum()))} of {numbers.count(len(labels))} {part} rows are positive,"
        f" {numbers.percent_with(seen)}; the mean predicted probability is"
        f" {numbers.percent(round(float(p_positive.mean()), 2))}."
    ]
    bounds = run.predictor.calibration.thresholds.get(target.name)
    if bounds is None or part != PARTS["test"]:
        return said
    zero, one = 1 - p_positive >= bounds[0], p_positive >= bounds[1]
    for name, positive, inside in (("positive", labels == 1, one), ("negative", labels == 0, zero)):
        if positive.any():
            held = share(int(inside[positive].sum()), int(positive.sum()))
            level = run.predictor.calibration.level
            said.append(
                f"The {numbers.percent(level)} label sets hold {numbers.percent_with(held)} of the {name} test"
                f" rows{promised(held, level)}."
            )
    sizes = np.bincount(zero.astype(int) + one.astype(int), minlength=3)
    said.append(
        f"Of the label sets of the test rows {_share(int(sizes[1]), len(labels))} name one class,"
        f" {_share(int(sizes[2]), len(labels))} both and {_share(int(sizes[0]), len(labels))} neither."
    )
    return said
