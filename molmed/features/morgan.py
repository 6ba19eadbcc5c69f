"""Morgan bit fingerprint: which atom environments occur (0 or 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from molmed.chem import Molecule
from molmed.chem.fingerprints import morgan_bits
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.tunable import Choice, Int


@dataclass(frozen=True)
class MorganConfig:
    """ECFP4-like by default: radius 2, 2048 bits (Rogers & Hahn 2010)."""

    radius: Annotated[int, Int(0, 5)] = 2
    n_bits: Annotated[int, Choice((512, 1024, 2048, 4096))] = 2048


class Morgan(Featurizer):
    """Molecule -> float32 vector of 0 and 1."""

    Config = MorganConfig
    version = "1"
    subject = "molecule"
    kind = "vector"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed fingerprints."""
        bits = morgan_bits([m.mol for m in items], self.config.radius, self.config.n_bits)
        return Packed("vector", {"x": np.unpackbits(bits, axis=1).astype(np.float32)}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: the number of bits."""
        return {"dim": self.config.n_bits}


ENTRY = Morgan
