"""Intervals that hold the truth at a stated rate, from out-of-fold residuals."""

import math

import numpy as np
from jaxtyping import Float


def half_width(residuals: Float[np.ndarray, " rows"], level: float = 0.9) -> float:
    """Half the width of an interval around a prediction that holds a new measurement with this probability.

    The ceil((n + 1) * level)-th smallest absolute residual; infinite if there are too few residuals. nan =
    unknown. Exact for exchangeable rows and a split; with cross-validated residuals approximate (Vovk 2015).
    Source: Lei et al. 2018, J. Am. Stat. Assoc. 113, 1094, algorithm 2.
    """
    known = np.sort(np.abs(residuals[~np.isnan(residuals)]))
    rank = _rank(len(known), level)
    return float(known[rank - 1]) if rank <= len(known) else math.inf


def _rank(n: int, level: float) -> int:
    """Which of n ordered scores, the most ordinary one first, bounds a new one's with probability `level`."""
    return math.ceil((n + 1) * level)


def thresholds(
    labels: Float[np.ndarray, " rows"], p_positive: Float[np.ndarray, " rows"], level: float = 0.9
) -> tuple[float, float]:
    """Smallest probability of class 0, and of class 1, at which the class belongs to the label set.

    Per class, so that the rare one is held as often as the common one: the truth is in the set with this
    probability whatever the truth is. 0 (the class is always in the set) where there are too few rows of it.
    nan = unknown. Exact for exchangeable rows and a split; with cross-validated probabilities approximate.
    Source: Vovk, Gammerman & Shafer 2005, "Algorithmic learning in a random world", section 4.5
    (label-conditional Mondrian predictors), with nonconformity 1 - p of the class.
    """
    found = []
    for label, p in ((0.0, 1 - p_positive), (1.0, p_positive)):
        known = np.sort(p[(labels == label) & ~np.isnan(p)])
        rank = _rank(len(known), level)
        # taken from p itself: 1 - (1 - p) may exceed p, and a forest has many rows at exactly the threshold
        found.append(float(known[len(known) - rank]) if rank <= len(known) else 0.0)
    return found[0], found[1]
