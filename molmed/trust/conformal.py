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
    rank = math.ceil((len(known) + 1) * level)
    return float(known[rank - 1]) if rank <= len(known) else math.inf
