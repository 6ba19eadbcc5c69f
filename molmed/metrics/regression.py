"""How far numbers are off."""

import numpy as np
from jaxtyping import Float
from scipy import stats

Values = Float[np.ndarray, " rows"]


def rmse(measured: Values, predicted: Values) -> float:
    """Root mean squared error, in the unit of the values."""
    return float(np.sqrt(np.mean((measured - predicted) ** 2)))


def mae(measured: Values, predicted: Values) -> float:
    """Mean absolute error, in the unit of the values."""
    return float(np.mean(np.abs(measured - predicted)))


def r2(measured: Values, predicted: Values) -> float:
    """Coefficient of determination (scikit-learn's r2_score); nan for a constant measurement."""
    spread = np.sum((measured - measured.mean()) ** 2)
    return float(1 - np.sum((measured - predicted) ** 2) / spread) if spread > 0 else float("nan")


def pearson(measured: Values, predicted: Values) -> float:
    """Pearson's r; nan if either side is constant."""
    if np.ptp(measured) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(stats.pearsonr(measured, predicted).statistic)


def spearman(measured: Values, predicted: Values) -> float:
    """Spearman's rank correlation; nan if either side is constant."""
    if np.ptp(measured) == 0 or np.ptp(predicted) == 0:
        return float("nan")
    return float(stats.spearmanr(measured, predicted).statistic)
