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
        """Part number of each row; rows without a label are spread like a class, however few they are."""
        if len(subjects.labels) != subjects.n or np.isnan(subjects.labels).all():
            raise InputError("splitting by class", "no labels", "one target with classes", "use another split")
        groups = group_numbers(subjects.structures, subjects.n)
        _, first = np.unique(groups, return_index=True)
        label = subjects.labels[first][groups]
        rng = np.random.default_rng(seed)
        parts = np.zeros(subjects.n, dtype=np.int64)
        for value in np.unique(label):  # numpy keeps one nan
            unknown = bool(np.isnan(value))
            rows = np.flatnonzero(np.isnan(label) if unknown else label == value)
            _, inside = np.unique(groups[rows], return_inverse=True)
            order = rng.permutation(int(inside.max()) + 1)
            parts[rows] = fill(inside, order.tolist(), fractions, f"class {value:g}", may_be_empty=unknown)
        return parts


ENTRY = Stratified
