"""Murcko scaffolds never torn: the test compounds have rings the model has not seen."""

from collections.abc import Sequence

import numpy as np

from molmed.data.splits._contract import Folds, Split, Subjects
from molmed.data.splits._groups import fill, group_numbers
from molmed.errors import InputError


class Scaffold(Split):
    """Groups are Bemis-Murcko scaffolds; acyclic molecules share the empty one.

    Balanced variant (chemprop's "scaffold_balanced"): scaffolds that hold more than half of the smallest
    part's rows come first, largest first, the rest in random order; each goes to the part that misses most.
    The part of a structure does not depend on the order of the rows.
    """

    def assign(self, subjects: Subjects, fractions: Sequence[float], seed: int) -> Folds:
        """Part number of each row."""
        if len(subjects.structures) != subjects.n:
            raise InputError("splitting by scaffold", "rows without a structure", "molecules", "use another split")
        scaffold_of = {s: subjects.scaffold_of(s) for s in dict.fromkeys(subjects.structures)}
        groups = group_numbers([scaffold_of[s] for s in subjects.structures], subjects.n)
        sizes = np.bincount(groups)
        large = sizes > min(fractions) * subjects.n / 2
        first = sorted(np.flatnonzero(large), key=lambda g: (-sizes[g], g))
        rest = np.random.default_rng(seed).permutation(np.flatnonzero(~large))
        return fill(groups, [*map(int, first), *map(int, rest)], fractions, "scaffold")


ENTRY = Scaffold
