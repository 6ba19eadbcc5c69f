"""Applicability domain: is a compound as close to the training compounds as they are to each other?"""

import numpy as np
from jaxtyping import Float, UInt8

from molmed.trust.neighbours import Neighbours


def own_similarities(bits: UInt8[np.ndarray, "n bytes"]) -> Float[np.ndarray, " n"]:
    """Each training compound's similarity to its nearest other one, ascending; zeros for a single compound."""
    return np.sort(Neighbours(bits).to_nearest_other())


def score(nearest: Float[np.ndarray, " q"], own: Float[np.ndarray, " n"]) -> Float[np.ndarray, " q"]:
    """Fraction of training compounds that are no closer to their own nearest neighbour, in [0, 1].

    `own` ascending. 1: at least as near as any training compound is to another; 0: farther than all. A
    nearest-neighbour domain in the sense of Sheridan et al. 2004, J. Chem. Inf. Comput. Sci. 44, 1912, on an
    empirical scale.
    """
    return np.searchsorted(own, nearest, side="right") / max(len(own), 1)
