"""Set of codes (diagnoses, drugs, procedures) by a fitted vocabulary; order and repeats do not count."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed


@dataclass(frozen=True)
class CodesConfig:
    """Nothing to set."""


class Codes(Featurizer):
    """Codes -> sorted distinct ids; id 0 stands for every code that the training rows do not hold."""

    Config = CodesConfig
    version = "1"
    subject = "codes"
    kind = "codes"

    def fit(self, items: Sequence[Sequence[str]]) -> State:
        """The vocabulary: the distinct codes of the training items, sorted."""
        return {"vocabulary": sorted({code for item in items for code in item})}

    def featurize(self, items: Sequence[Sequence[str]], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed id sets."""
        index = {code: i + 1 for i, code in enumerate(state["vocabulary"])}
        sets = [sorted({index.get(code, 0) for code in item}) for item in items]
        ids = np.asarray([i for s in sets for i in s], dtype=np.int32)
        offsets = np.cumsum([0, *map(len, sets)], dtype=np.int64)
        return Packed("codes", {"ids": ids}, {"codes": offsets}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"n_codes"}: ids in use, the unknown one included."""
        return {"n_codes": len(state["vocabulary"]) + 1}


ENTRY = Codes
