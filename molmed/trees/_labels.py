"""Which rows of a target can be learnt from."""

import numpy as np
from jaxtyping import Bool, Float

from molmed.errors import InputError
from molmed.targets import Target


def known_rows(target: Target, labels: Float[np.ndarray, " rows"], asked: str) -> Bool[np.ndarray, " rows"]:
    """Where the label is known; nan = unknown.

    Raises:
        InputError: a kind that trees have no model for, fewer than two known rows, or one class only.
    """
    if target.kind not in ("regression", "binary"):
        raise InputError(asked, f"a target of kind {target.kind}", "regression, binary")
    known = ~np.isnan(labels)
    classes = np.unique(labels[known])
    if known.sum() < 2 or (target.kind == "binary" and len(classes) < 2):
        raise InputError(
            asked,
            f"{known.sum()} known rows with {len(classes)} distinct values",
            "at least two rows, and both classes for a binary target",
        )
    return known
