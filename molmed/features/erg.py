"""ErG: fuzzy counts of pharmacophore pairs by their distance in the extended reduced graph."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molmed.chem import Molecule
from molmed.chem.erg import N_VALUES, erg_values
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed


@dataclass(frozen=True)
class ErgConfig:
    """Nothing to set: the paper's parameters, as in MapLight (Notwell & Wood 2023, arXiv:2310.00174)."""


class Erg(Featurizer):
    """Molecule -> float32 vector of 315 fuzzy counts."""

    Config = ErgConfig
    version = "1"
    subject = "molecule"
    kind = "vector"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed fuzzy counts."""
        return Packed("vector", {"x": erg_values([m.mol for m in items])}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: 21 pairs of pharmacophore points at 15 distances."""
        return {"dim": N_VALUES}


ENTRY = Erg
