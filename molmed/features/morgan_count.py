"""Morgan count fingerprint: how often each atom environment occurs."""

from collections.abc import Sequence

import numpy as np

from molmed.chem import Molecule
from molmed.chem.fingerprints import morgan_counts
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.features.morgan import MorganConfig


class MorganCount(Featurizer):
    """Molecule -> float32 vector of counts."""

    Config = MorganConfig
    version = "1"
    subject = "molecule"
    kind = "vector"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed count fingerprints."""
        counts = morgan_counts([m.mol for m in items], self.config.radius, self.config.n_bits)
        return Packed("vector", {"x": counts}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: the number of hashed environments."""
        return {"dim": self.config.n_bits}


ENTRY = MorganCount
