"""The molecules of one table together with the store that knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64, UInt8

from molmed.chem import Molecule
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Chosen
from molmed.features.store.shards import Spread
from molmed.features.store.store import Store
from molmed.results import Fault


@dataclass(frozen=True)
class Kept:
    """What a store holds of one table's molecules, whichever of them are asked for.

    Entries are made of all the table's structures, each once; a fold, a test part or a row whose label is missing only
    decides which of them are looked at.

    Args:
        molecules: those of the table; the same structure may come more than once.
        spread: how entries are made, see `Store`.
    """

    store: Store
    molecules: Sequence[Molecule]
    spread: Spread = map

    def features(
        self, name: str, featurizer: Featurizer, state: State, items: Sequence[Molecule]
    ) -> tuple[Chosen, list[Fault | None]]:
        """(those of the items that can be featurised, not copied; per item why it cannot or None).

        Raises:
            KeyError: an item is not among the table's molecules.
            InputError: see `Store`.
        """
        packed, faults = self.store.features(name, featurizer, state, self._distinct, self.spread)
        positions = self._positions(items)
        good = np.asarray([fault is None for fault in faults], dtype=bool)
        rows = np.cumsum(good) - 1
        return Chosen(packed, rows[positions[good[positions]]]), [faults[i] for i in positions]

    def fingerprints(self, items: Sequence[Molecule], radius: int, n_bits: int) -> UInt8[np.ndarray, "items bytes"]:
        """Their Morgan fingerprints.

        Raises:
            KeyError, InputError: see `features`.
        """
        return self.store.fingerprints(self._distinct, radius, n_bits, self.spread)[self._positions(items)]

    @cached_property
    def _at(self) -> dict[str, int]:
        """Text -> position among the distinct structures."""
        return {text: i for i, text in enumerate(dict.fromkeys(m.text for m in self.molecules))}

    @cached_property
    def _distinct(self) -> list[Molecule]:
        first: dict[str, Molecule] = {}
        for molecule in self.molecules:
            first.setdefault(molecule.text, molecule)
        return list(first.values())

    def _positions(self, items: Sequence[Molecule]) -> Int64[np.ndarray, " items"]:
        return np.fromiter((self._at[m.text] for m in items), dtype=np.int64, count=len(items))
