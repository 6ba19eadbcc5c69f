"""The scores of a thousand resamples at once: how often each row was drawn stands for the resample itself.

A metric called once per resample sorts the rows each time. Here they are sorted once, and all models share the
resamples: three models' AUROC on 5,000 rows with 10,000 resamples take 2 s instead of 8 s. Equality with the metric
called on the drawn rows is tested for every metric.
"""

from collections.abc import Callable, Iterator

import numpy as np
from jaxtyping import Float

from molmed.metrics._ties import Groups
from molmed.metrics.registry import Metric

Values = Float[np.ndarray, " rows"]
Counts = Float[np.ndarray, "resamples rows"]
Scores = Float[np.ndarray, " resamples"]

_CELLS = 1 << 20
"""Counts held at a time (8 MB)."""


def resamples(rows: int, n: int, seed: int) -> Iterator[Counts]:
    """n resamples of all rows with replacement, some at a time: how often each row was drawn."""
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS // max(rows, 1))
    for start in range(0, n if rows else 0, at_once):
        drawn = min(at_once, n - start)
        counts = np.empty((drawn, rows))
        for i in range(drawn):
            counts[i] = np.bincount(rng.integers(0, rows, rows), minlength=rows)
        yield counts


def scores(metric: Metric, measured: Values, predicted: Values, counts: Counts) -> Scores:
    """The metric of each resample; nan where it is not defined. Rows with an unknown measurement are left out."""
    known = ~np.isnan(measured)
    if not known.all():
        measured, predicted, counts = measured[known], predicted[known], counts[:, known]
    if len(measured) == 0 or np.isnan(predicted).any():
        return np.full(len(counts), np.nan)
    drawn = counts.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a resample without rows, or of one class
        found = _FAST.get(metric.name, _slow(metric))(measured, predicted, counts)
    return np.where(drawn > 0, found, np.nan)


def _slow(metric: Metric) -> Callable[[Values, Values, Counts], Scores]:
    def each(measured: Values, predicted: Values, counts: Counts) -> Scores:
        rows = np.arange(len(measured))
        drawn = (np.repeat(rows, c) for c in counts.astype(np.int64))
        return np.asarray([metric(measured[d], predicted[d]) for d in drawn], dtype=np.float64)

    return each


def _mean(losses: Values, counts: Counts) -> Scores:
    return (counts @ losses) / counts.sum(axis=1)


def _log_losses(labels: Values, p_positive: Values) -> Values:
    eps = np.finfo(np.float64).eps
    return -np.log(np.clip(np.where(labels == 1, p_positive, 1 - p_positive), eps, 1 - eps))


def _r2(measured: Values, predicted: Values, counts: Counts) -> Scores:
    n = counts.sum(axis=1)
    centred = measured - measured.mean()  # else the two sums below would cancel each other
    spread = counts @ centred**2 - (counts @ centred) ** 2 / n
    constant = (_sums(counts, Groups.of(measured)) > 0).sum(axis=1) < 2
    return np.where(constant, np.nan, 1 - (counts @ (measured - predicted) ** 2) / spread)


def _sums(counts: Counts, groups: Groups) -> Float[np.ndarray, "resamples groups"]:
    """What was drawn of each group of equal values."""
    ordered = counts[:, groups.order]
    return ordered if len(groups.begins) == len(groups.order) else np.add.reduceat(ordered, groups.begins, axis=1)


def _auroc(labels: Values, p_positive: Values, counts: Counts) -> Scores:
    groups = Groups.of(p_positive)
    positive, negative = _sums(counts * labels, groups), _sums(counts * (1 - labels), groups)
    below = np.cumsum(negative, axis=1) - negative / 2
    return (positive * below).sum(axis=1) / (positive.sum(axis=1) * negative.sum(axis=1))


def _auprc(labels: Values, p_positive: Values, counts: Counts) -> Scores:
    groups = Groups.of(-p_positive)
    positive, sizes = _sums(counts * labels, groups), _sums(counts, groups)
    found, seen = np.cumsum(positive, axis=1), np.cumsum(sizes, axis=1)
    precision = found / np.maximum(seen, 1)
    one_class = (found[:, -1] == 0) | (found[:, -1] == seen[:, -1])
    return np.where(one_class, np.nan, (precision * positive).sum(axis=1) / found[:, -1])


_FAST: dict[str, Callable[[Values, Values, Counts], Scores]] = {
    "rmse": lambda y, p, counts: np.sqrt(_mean((y - p) ** 2, counts)),
    "mae": lambda y, p, counts: _mean(np.abs(y - p), counts),
    "brier": lambda y, p, counts: _mean((y - p) ** 2, counts),
    "accuracy": lambda y, p, counts: _mean(((p >= 0.5) == (y == 1)).astype(np.float64), counts),
    "log_loss": lambda y, p, counts: _mean(_log_losses(y, p), counts),
    "r2": _r2,
    "auroc": _auroc,
    "auprc": _auprc,
}
