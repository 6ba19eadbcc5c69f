"""Rows drawn at random so that every part has the same share of each class."""

from collections.abc import Sequence

import numpy as np

from molmed.data.splits._contract import Folds, Split, Subjects
from molmed.data.splits._groups import fill, group_numbers
from molmed.errors import InputError


class Stratified(Split):
    """Each class of the first target is split on its own; a structure goes with its first row's class.

    scikit-learn's StratifiedGroupKFold does folds but no parts of unequal size.
    """

    def assign(self, subjects: Subjects, fractions: Sequence[float], seed: int) -> Folds:
        """Part number of each row; rows without a label are a class of their own."""
        if len(subjects.labels) != subjects.n:
            raise InputError("splitting by class", "no labels", "one target with classes", "use another split")
        groups = group_numbers(subjects.structures, subjects.n)
        _, first = np.unique(groups, return_index=True)
        label = np.nan_to_num(subjects.labels[first], nan=-1.0)[groups]
        rng = np.random.default_rng(seed)
        parts = np.zeros(subjects.n, dtype=np.int64)
        for value in np.unique(label):
            rows = np.flatnonzero(label == value)
            inside = group_numbers([str(g) for g in groups[rows]], len(rows))
            order = rng.permutation(len(np.unique(inside)))
            parts[rows] = fill(inside, order.tolist(), fractions, f"class {value:g}")
        return parts


ENTRY = Stratified
