"""Parts of given sizes from groups that must not be torn."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from molmed.errors import InputError


def group_numbers(keys: Sequence[str], n: int) -> Int64[np.ndarray, " rows"]:
    """A number per row, equal for equal keys; without keys every row is its own group."""
    if len(keys) == 0:
        return np.arange(n)
    _, numbers = np.unique(np.asarray(keys, dtype=object).astype(str), return_inverse=True)
    return numbers.astype(np.int64)


def fill(
    groups: Int64[np.ndarray, " rows"], order: Sequence[int], fractions: Sequence[float], name: str
) -> Int64[np.ndarray, " rows"]:
    """Put whole groups, in this order, into the part that is furthest below its size.

    "Furthest" counts rows still missing, so large groups that come first go to the large part. A group that
    would leave no group for some other empty part goes there instead: no part is empty.

    Raises:
        InputError: fewer groups than parts.
    """
    sizes = np.bincount(groups)
    if len(order) < len(fractions):
        raise InputError(
            f"splitting {len(groups)} rows by {name}",
            f"{len(order)} separate groups",
            f"at least {len(fractions)}, one for each part",
            "use another split, fewer folds or more rows",
        )
    wanted = np.asarray(fractions) * len(groups)
    have = np.zeros(len(fractions))
    part_of = np.zeros(len(sizes), dtype=np.int64)
    for position, group in enumerate(order):
        empty = np.flatnonzero(have == 0)
        missing = wanted - have
        must_fill = len(order) - position <= len(empty)
        part = int(empty[np.argmax(missing[empty])]) if must_fill else int(np.argmax(missing))
        part_of[group] = part
        have[part] += sizes[group]
    return part_of[groups]
