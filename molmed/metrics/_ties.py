"""Rows in order of their score, equal scores as one group."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

Values = Float[np.ndarray, " rows"]


@dataclass(frozen=True)
class Groups:
    """Groups of equal values, in order.

    Args:
        order: row numbers, group after group.
        begins: where each group begins in `order`.
        sizes: rows of each group.
    """

    order: Int64[np.ndarray, " rows"]
    begins: Int64[np.ndarray, " groups"]
    sizes: Int64[np.ndarray, " groups"]

    @classmethod
    def of(cls, values: Values) -> "Groups":
        """Ascending groups of at least one value; none of them nan."""
        order = np.argsort(values)
        ranked = values[order]
        begins = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
        return cls(order, begins, np.diff(begins, append=len(values)))

    def sums(self, rows: Values) -> Float[np.ndarray, " groups"]:
        """The sum of a quantity over each group."""
        return np.add.reduceat(rows[self.order], self.begins)

    def mean_ranks(self) -> Float[np.ndarray, " groups"]:
        """The rank (1 = smallest value) that the rows of a group share: the mean of their places."""
        return self.begins + (self.sizes + 1) / 2


def ranks(values: Values) -> Values:
    """Ranks from 1, equal values at their mean place."""
    groups = Groups.of(values)
    out = np.empty(len(values))
    out[groups.order] = np.repeat(groups.mean_ranks(), groups.sizes)
    return out
