"""Parts named by the user in a column of the file."""

from collections.abc import Sequence

import numpy as np

from molmed.data.cells import is_missing
from molmed.data.splits._contract import Folds, Split, Subjects
from molmed.errors import InputError

_TEST = ("test", "1", "holdout", "true")


class Predefined(Split):
    """For two parts the names "test", "1", "holdout" or "true" are held out and all others are kept.

    For k folds each distinct name is one fold, in sorted order.
    """

    def assign(self, subjects: Subjects, fractions: Sequence[float], seed: int) -> Folds:
        """Part number of each row; fractions only say how many parts there are.

        Raises:
            InputError: no fold column, a row without a fold name, another number of names than parts, or one
                structure in two parts.
        """
        if len(subjects.folds) != subjects.n:
            raise InputError("splitting by a column", "no fold column", "data.fold = a column", "name one with --fold")
        nameless = next((row for row, fold in enumerate(subjects.folds) if is_missing(fold)), None)
        if nameless is not None:
            raise InputError("splitting by a column", f"no fold name in usable row {nameless}", "one in every row")
        names = [fold.strip().lower() for fold in subjects.folds]
        distinct = sorted(set(names))
        held_out = [n for n in distinct if n in _TEST]
        if len(fractions) == 2 and len(held_out) == 1 and len(distinct) > 1:
            parts = np.asarray([int(n == held_out[0]) for n in names], dtype=np.int64)
        elif len(distinct) == len(fractions):
            parts = np.asarray([distinct.index(n) for n in names], dtype=np.int64)
        else:
            raise InputError(
                "splitting by a column", f"the fold names {', '.join(distinct[:8])}", f"{len(fractions)} parts"
            )
        _refuse_torn(subjects.structures, parts)
        return parts


def _refuse_torn(structures: Sequence[str], parts: Folds) -> None:
    seen: dict[str, int] = {}
    for row, structure in enumerate(structures):
        if seen.setdefault(structure, int(parts[row])) != parts[row]:
            raise InputError(
                "splitting by a column",
                f"the structure {structure} in two parts (again in usable row {row})",
                "equal structures in one part",
                "correct the fold column",
            )


ENTRY = Predefined
