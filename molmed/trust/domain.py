"""Applicability domain: is a compound as close to the training compounds as they are to each other?"""

import numpy as np
from jaxtyping import Float, UInt8

from molmed.trust.neighbours import Neighbours


def own_similarities(bits: UInt8[np.ndarray, "n bytes"]) -> Float[np.ndarray, " n"]:
    """Each training compound's similarity to its nearest other one, ascending; zeros for a single compound."""
    if len(bits) < 2:
        return np.zeros(len(bits))
    rows, similarity = Neighbours(bits).nearest(bits, k=2)
    itself = rows[:, 0] == np.arange(len(bits))
    return np.sort(np.where(itself, similarity[:, 1], similarity[:, 0]))


def score(nearest: Float[np.ndarray, " q"], own: Float[np.ndarray, " n"]) -> Float[np.ndarray, " q"]:
    """Fraction of training compounds that are no closer to their own nearest neighbour, in [0, 1].

    1: nearer than any training compound is to another; 0: farther than all. A nearest-neighbour domain in
    the sense of Sheridan et al. 2004, J. Chem. Inf. Comput. Sci. 44, 1912, on an empirical scale.
    """
    return np.searchsorted(own, nearest, side="right") / max(len(own), 1)
