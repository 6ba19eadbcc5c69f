"""The contract every split passes, and what is made of any of them: a held-out part and k folds."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int64

from molmed.chem.scaffold import murcko

Folds = Int64[np.ndarray, " rows"]


@dataclass(frozen=True)
class Subjects:
    """What a split may look at, one entry a row.

    Args:
        n: number of rows.
        structures: canonical standardised SMILES (or any key of identity); empty = every row is its own.
        labels: first target, nan = unknown; empty = none.
        folds: fold names given by the user, for the predefined split; empty = none.
        scaffold_of: structure -> its scaffold, where somebody knows it without computing it again.
    """

    n: int
    structures: Sequence[str] = ()
    labels: Float[np.ndarray, " rows"] = field(default_factory=lambda: np.empty(0))
    folds: Sequence[str] = ()
    scaffold_of: Callable[[str], str] = murcko


class Split(ABC):
    """How rows are grouped and in which order groups fill the parts."""

    @abstractmethod
    def assign(self, subjects: Subjects, fractions: Sequence[float], seed: int) -> Folds:
        """Part number of each row, parts having about the given fractions of the rows (they sum to 1).

        Rows with equal structures get the same part. Same input and seed, same answer.

        Raises:
            InputError: too few rows or groups for that many parts (none may be empty).
        """


def holdout(split: Split, subjects: Subjects, fraction: float, seed: int) -> np.ndarray:
    """Row numbers (int64, ascending) of a held-out part with about this fraction of the rows."""
    return np.flatnonzero(split.assign(subjects, (1 - fraction, fraction), seed) == 1)


def k_fold(split: Split, subjects: Subjects, k: int, seed: int) -> Folds:
    """Fold number 0..k-1 of each row."""
    return split.assign(subjects, (1 / k,) * k, seed)
