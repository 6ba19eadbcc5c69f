"""Parts of given sizes from groups that must not be torn."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from molmed.errors import InputError


def group_numbers(keys: Sequence[str], n: int) -> Int64[np.ndarray, " rows"]:
    """A number per row, equal for equal keys and in their order; without keys every row is its own group."""
    if len(keys) == 0:
        return np.arange(n)
    number = {key: i for i, key in enumerate(sorted(set(keys)))}
    return np.asarray([number[key] for key in keys], dtype=np.int64)


def fill(
    groups: Int64[np.ndarray, " rows"],
    order: Sequence[int],
    fractions: Sequence[float],
    name: str,
    may_be_empty: bool = False,
) -> Int64[np.ndarray, " rows"]:
    """Put whole groups, in this order, into the part that is furthest below its size.

    "Furthest" counts rows still missing, so large groups that come first go to the large part. A group that
    would leave no group for some other empty part goes there instead: no part is empty unless that is allowed.

    Raises:
        InputError: fewer groups than parts, and none may be empty.
    """
    sizes = np.bincount(groups)
    if len(order) < len(fractions) and not may_be_empty:
        raise InputError(
            f"splitting {len(groups)} rows by {name}",
            f"{len(order)} separate groups",
            f"at least {len(fractions)}, one for each part",
            "use another split, fewer folds or more rows",
        )
    missing = np.asarray(fractions) * len(groups)
    empty = set(range(len(fractions)))
    part_of = np.zeros(len(sizes), dtype=np.int64)
    for position, group in enumerate(order):
        must_fill = not may_be_empty and len(order) - position <= len(empty)
        part = max(empty, key=lambda p: (missing[p], -p)) if must_fill else int(np.argmax(missing))
        part_of[group] = part
        missing[part] -= sizes[group]
        empty.discard(part)
    return part_of[groups]
