"""RDKit's 2-D descriptors: size, polarity, charges, graph indices and fragment counts."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from molmed.chem import Molecule
from molmed.chem.descriptors import NAMES, SLOW, descriptors
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.results import Fault, Reason

_LIST = hashlib.sha256(" ".join(NAMES).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class DescriptorsConfig:
    """`fast` leaves out the descriptors that take half of the time: QED, BertzCT, BCUT2D, SPS, Ipc and AvgIpc."""

    fast: bool = False


class Descriptors(Featurizer):
    """Molecule -> float32 vector of all descriptors that the installed RDKit lists; see `molmed.chem.descriptors`.

    Without a unit of their own; not scaled, since only trees read them. nan where RDKit has no value (partial charges
    of an atom its tables do not hold): a legal gap, which `notes` names.
    """

    Config = DescriptorsConfig
    version = f"1, with RDKit's {len(NAMES)} descriptors (list {_LIST})"
    subject = "molecule"
    kind = "vector"
    gaps = True

    def names(self) -> tuple[str, ...]:
        """What the columns are."""
        return tuple(name for name in NAMES if not (self.config.fast and name in SLOW))

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed descriptors."""
        return Packed("vector", {"x": descriptors([m.mol for m in items], self.names())}, {}, len(items))

    def notes(self, packed: Packed, state: State) -> list[Fault | None]:
        """Per item which descriptors have no value."""
        return missing(packed, self.names())

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: the number of descriptors."""
        return {"dim": len(self.names())}


def missing(packed: Packed, names: Sequence[str], shown: int = 3) -> list[Fault | None]:
    """Per item the named columns that are nan, as a note, or None."""
    notes: list[Fault | None] = [None] * len(packed)
    gaps = np.isnan(packed.fields["x"])
    for row in np.flatnonzero(gaps.any(axis=1)):
        absent = [names[column] for column in np.flatnonzero(gaps[row]).tolist()]
        more = f" and {len(absent) - shown} more" if len(absent) > shown else ""
        detail = f"no value of {', '.join(absent[:shown])}{more}"
        notes[row] = Fault("features", Reason.DESCRIPTOR_MISSING, detail)
    return notes


ENTRY = Descriptors
