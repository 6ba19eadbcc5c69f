"""Twenty physico-chemical descriptors: size, lipophilicity, polarity, hydrogen bonds, flexibility, rings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molmed.chem import Molecule
from molmed.chem.descriptors import PHYSCHEM, descriptors
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.features.descriptors import missing
from molmed.results import Fault


@dataclass(frozen=True)
class PhyschemConfig:
    """Nothing to set: the list is `molmed.chem.descriptors.PHYSCHEM`."""


class Physchem(Featurizer):
    """Molecule -> float32 vector of 20 of RDKit's descriptors, each in its own unit (Da, Å², counts); not scaled."""

    Config = PhyschemConfig
    version = "1"
    subject = "molecule"
    kind = "vector"
    gaps = True

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed descriptors."""
        return Packed("vector", {"x": descriptors([m.mol for m in items], PHYSCHEM)}, {}, len(items))

    def notes(self, packed: Packed, state: State) -> list[Fault | None]:
        """Per item which descriptors have no value."""
        return missing(packed, PHYSCHEM)

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: the number of descriptors."""
        return {"dim": len(PHYSCHEM)}


ENTRY = Physchem
