"""Rows drawn at random, equal structures together."""

from collections.abc import Sequence

import numpy as np

from molmed.data.splits._contract import Folds, Split, Subjects
from molmed.data.splits._groups import fill, group_numbers


class Random(Split):
    """Every structure is a group; groups are drawn in random order.

    The part of a structure does not depend on the order of the rows.
    """

    def assign(self, subjects: Subjects, fractions: Sequence[float], seed: int) -> Folds:
        """Part number of each row."""
        groups = group_numbers(subjects.structures, subjects.n)
        order = np.random.default_rng(seed).permutation(len(np.unique(groups)))
        return fill(groups, order.tolist(), fractions, "structure")


ENTRY = Random
