"""The contract every featurizer passes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Int64

from molmed.chem.protonation import Neutral
from molmed.features._packed import Packed, PackedKind
from molmed.results import Fault
from molmed.targets import Subject

State = dict[str, Any]
"""What a featurizer has learnt: JSON values only (str, int, float, bool, None, lists, dicts)."""


@dataclass(frozen=True)
class FromText:
    """What a featurizer made of SMILES without a molecule object.

    Args:
        packed: what could be made, in order.
        item: per text its position in the pack if it is accepted, else -1: nothing is known of such a text, which must
            be read fully.
    """

    packed: Packed
    item: Int64[np.ndarray, " texts"]


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
    gaps: ClassVar[bool] = False
    """Whether nan may stand for a value that cannot be computed; only models that say so read such features."""

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

    def from_text(self, texts: Sequence[Neutral], gate: bool) -> FromText | None:
        """Arrays straight from SMILES, equal to those that `featurize` makes of them parsed; None if it cannot.

        With `gate` only what the standardisation would leave as it is is accepted, and in any case only what has
        the hydrogens that the text says it must have. A text that cannot be parsed is not accepted.
        """
        return None

    def notes(self, packed: Packed, state: State) -> list[Fault | None]:
        """Per packed item what could not be computed and stands as nan, or None; such rows go on with the note."""
        return [None] * len(packed)

    @abstractmethod
    def dims(self, state: State) -> dict[str, int]:
        """Widths an encoder needs: {"atom_dim", "bond_dim"}, {"n_tokens"}, {"n_codes"} or {"dim"}."""

    def randomises(self) -> bool:
        """Whether `featurize` draws a new variant of each item when it is given a generator."""
        return False


def notes(parts: Sequence[tuple[Featurizer, State, Packed]]) -> list[Fault | None]:
    """Per item the first note of several featurizers on it; each comes with its state and what it made of the items."""
    found: list[Fault | None] = [None] * len(parts[0][2]) if parts else []
    for featurizer, state, packed in parts:
        found = [a or b for a, b in zip(found, featurizer.notes(packed, state), strict=True)]
    return found
