"""Intervals of scores by resampling rows (Efron & Tibshirani 1993, percentile method)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int64

from molmed.metrics.registry import Metric
from molmed.results import Interval

Values = Float[np.ndarray, " rows"]

_UNDEFINED = 0.1
"""If a larger share of the resamples has no score (one class only), the interval is nan; chosen."""


def interval(
    metric: Metric, measured: Values, predicted: Values, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The score with a percentile interval over n resamples of the known rows."""
    known = ~np.isnan(measured)
    measured, predicted = measured[known], predicted[known]
    scores = [metric(measured[rows], predicted[rows]) for rows in _resamples(len(measured), n, seed)]
    return _percentiles(metric(measured, predicted), np.asarray(scores), level)


def paired_difference(
    metric: Metric, measured: Values, a: Values, b: Values, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Score of a less score of b on the same rows, with a percentile interval over the same resamples."""
    known = ~np.isnan(measured)
    measured, a, b = measured[known], a[known], b[known]
    scores = [
        metric(measured[rows], a[rows]) - metric(measured[rows], b[rows]) for rows in _resamples(len(measured), n, seed)
    ]
    return _percentiles(metric(measured, a) - metric(measured, b), np.asarray(scores), level)


def _resamples(rows: int, n: int, seed: int) -> Iterator[Int64[np.ndarray, " rows"]]:
    rng = np.random.default_rng(seed)
    for _ in range(n if rows else 0):
        yield rng.integers(0, rows, rows)


def _percentiles(value: float, scores: np.ndarray, level: float) -> Interval:
    known = scores[~np.isnan(scores)]
    if len(known) == 0 or len(known) < (1 - _UNDEFINED) * len(scores):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)
