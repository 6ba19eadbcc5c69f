"""The contract every featurizer passes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from molmed.features._packed import Packed, PackedKind
from molmed.results import Fault
from molmed.targets import Subject

State = dict[str, Any]
"""What a featurizer has learnt: JSON values only (str, int, float, bool, None, lists, dicts)."""


class Featurizer(ABC):
    """object -> packed arrays. Deterministic; keeps nothing between calls; all it may learn is in `State`.

    An item is a `molmed.chem.Molecule` for subject "molecule", a sequence of cells (str, number or None, in
    the order of the slot's columns) for "columns", a sequence of code strings for "codes".
    A subclass has a frozen dataclass `Config` and is built as `SubClass(config)`.
    """

    Config: ClassVar[type]
    version: ClassVar[str]
    """Changes whenever the arrays for some item change; a stored model refuses another version."""
    subject: ClassVar[Subject]
    kind: ClassVar[PackedKind]

    def __init__(self, config: Any = None) -> None:
        self.config = self.Config() if config is None else config

    def fit(self, items: Sequence[Any]) -> State:
        """What must be learnt from the training items of one fold (vocabulary, imputer); {} if nothing."""
        return {}

    def unreadable(self, items: Sequence[Any], state: State) -> list[Fault | None]:
        """Per item why `featurize` must not see it, or None; such rows are rejected."""
        return [None] * len(items)

    @abstractmethod
    def featurize(self, items: Sequence[Any], state: State, rng: np.random.Generator | None = None) -> Packed:
        """All items as packed arrays, in order; an item on its own and in a list gives equal arrays.

        With `rng` a featurizer that can draw random variants of an item (randomised SMILES) draws one.
        """

    @abstractmethod
    def dims(self, state: State) -> dict[str, int]:
        """Widths an encoder needs: {"atom_dim", "bond_dim"}, {"n_tokens"}, {"n_codes"} or {"dim"}."""

    def randomises(self) -> bool:
        """Whether `featurize` draws a new variant of each item when it is given a generator."""
        return False
