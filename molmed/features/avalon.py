"""Avalon count fingerprint: how often each of its atom, bond, path and ring features occurs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from molmed.chem import Molecule
from molmed.chem.avalon import avalon_counts
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.tunable import Choice


@dataclass(frozen=True)
class AvalonConfig:
    """1024 counts as in MapLight (Notwell & Wood 2023, arXiv:2310.00174)."""

    n_bits: Annotated[int, Choice((512, 1024, 2048, 4096))] = 1024


class Avalon(Featurizer):
    """Molecule -> float32 vector of counts."""

    Config = AvalonConfig
    version = "1"
    subject = "molecule"
    kind = "vector"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed count fingerprints."""
        return Packed("vector", {"x": avalon_counts([m.mol for m in items], self.config.n_bits)}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: the number of hashed features."""
        return {"dim": self.config.n_bits}


ENTRY = Avalon
