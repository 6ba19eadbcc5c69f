"""Intervals of scores by resampling rows (Efron & Tibshirani 1993, percentile method)."""

import numpy as np
from jaxtyping import Float

from molmed.metrics.registry import Metric
from molmed.metrics.resample import resamples, scores
from molmed.results import Interval

Values = Float[np.ndarray, " rows"]
Drawn = Float[np.ndarray, " resamples"]

UNDEFINED = 0.1
"""If a larger share of the resamples has no score (one class only), there is no interval; chosen."""


def interval(
    metric: Metric, measured: Values, predicted: Values, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The score with a percentile interval over n resamples of the known rows."""
    known = ~np.isnan(measured)
    measured, predicted = measured[known], predicted[known]
    return percentiles(metric(measured, predicted), _drawn(metric, measured, (predicted,), n, seed)[0], level)


def paired_difference(
    metric: Metric, measured: Values, a: Values, b: Values, n: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Score of a less score of b on the same rows, with a percentile interval over the same resamples."""
    known = ~np.isnan(measured)
    measured, a, b = measured[known], a[known], b[known]
    of_a, of_b = _drawn(metric, measured, (a, b), n, seed)
    return percentiles(metric(measured, a) - metric(measured, b), of_a - of_b, level)


def percentiles(value: float, drawn: Drawn, level: float) -> Interval:
    """A score with the percentiles of its resamples (nan = undefined) as bounds; nan if too many are undefined."""
    known = drawn[~np.isnan(drawn)]
    if len(known) == 0 or len(known) < (1 - UNDEFINED) * len(drawn):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


def _drawn(metric: Metric, measured: Values, models: tuple[Values, ...], n: int, seed: int) -> list[Drawn]:
    """Of each model its scores on the same n resamples."""
    parts: list[list[Drawn]] = [[np.empty(0)] for _ in models]
    for counts in resamples(len(measured), n, seed):
        for part, predicted in zip(parts, models, strict=True):
            part.append(scores(metric, measured, predicted, counts))
    return [np.concatenate(part) for part in parts]
