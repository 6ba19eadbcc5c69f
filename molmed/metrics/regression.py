"""How far numbers are off."""

import numpy as np
from jaxtyping import Float

from molmed.metrics._ties import ranks

Values = Float[np.ndarray, " rows"]


def rmse(measured: Values, predicted: Values) -> float:
    """Root mean squared error, in the unit of the values."""
    return float(np.sqrt(np.mean((measured - predicted) ** 2)))


def mae(measured: Values, predicted: Values) -> float:
    """Mean absolute error, in the unit of the values."""
    return float(np.mean(np.abs(measured - predicted)))


def r2(measured: Values, predicted: Values) -> float:
    """Coefficient of determination; nan for a constant measurement, where scikit-learn says 0 or 1."""
    if np.ptp(measured) == 0:  # exactly; the rounded mean of a constant may differ from it
        return float("nan")
    return float(1 - np.sum((measured - predicted) ** 2) / np.sum((measured - measured.mean()) ** 2))


def pearson(measured: Values, predicted: Values) -> float:
    """Pearson's r; nan if either side is constant."""
    if np.ptp(measured) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    a, b = measured - measured.mean(), predicted - predicted.mean()
    r = float((a / np.linalg.norm(a)) @ (b / np.linalg.norm(b)))
    return min(max(r, -1.0), 1.0)


def spearman(measured: Values, predicted: Values) -> float:
    """Spearman's rank correlation, equal values at their mean rank; nan if either side is constant."""
    return pearson(ranks(measured), ranks(predicted))
