"""Frozen records that cross rooms: what became of a row, an epoch, a score."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """What became of one input row."""

    OK = "ok"
    WARNED = "warned"
    REJECTED = "rejected"
    FILTERED = "filtered"
    TIMEOUT = "timeout"
    FAILED = "failed"


class Reason(StrEnum):
    """Why a row has its status. The complete list; the value is what stands in the `reason` column."""

    NONE = ""
    # the row could not be read
    ROW_SHAPE = "row_shape"  # another number of cells than the header
    FILE_TRUNCATED = "file_truncated"  # the file ends in the middle (a gzip cut short)
    # the structure
    EMPTY = "empty"  # no text in the structure cell
    NOT_TEXT = "not_text"  # a number, None or another object where a SMILES was expected
    SYNTAX = "syntax"  # not a SMILES
    VALENCE = "valence"  # an atom with an impossible valence
    AROMATICITY = "aromaticity"  # an aromatic system that has no Kekule form
    NO_ATOMS = "no_atoms"
    REACTION = "reaction"  # a reaction SMILES where a molecule was expected
    MIXTURE = "mixture"  # two or more different organic parents
    STANDARDISE = "standardise"  # RDKit could not standardise it
    SALT_STRIPPED = "salt_stripped"  # ok: counter-ions or solvent removed, the parent is named
    LARGE_MOLECULE = "large_molecule"  # warned: far larger than what the models are meant for
    # the labels and cells
    TARGET_MISSING = "target_missing"  # no target of the row is known
    TARGET_NOT_A_NUMBER = "target_not_a_number"
    TARGET_NOT_A_CLASS = "target_not_a_class"
    CELL_NOT_A_NUMBER = "cell_not_a_number"  # a feature column holds text
    # repeats
    DUPLICATE_ID = "duplicate_id"  # warned: an earlier row has the same id
    MERGED = "merged"  # the same structure stands in an earlier row, the detail names it
    CONFLICT = "conflict"  # repeats whose classes tie
    # the machine
    FEATURIZER = "featurizer"
    DESCRIPTOR_MISSING = "descriptor_missing"  # ok: a descriptor has no value for it, the detail names which
    ERROR = "error"


@dataclass(frozen=True)
class Fault:
    """A failure without its address yet: which step refused, why, and a sentence of detail."""

    step: str
    reason: Reason
    detail: str = ""

    def at(self, row: int, id: str) -> "Rejected":
        """The same failure with the row it happened in."""
        return Rejected(row, id, self.step, self.reason, self.detail)


@dataclass(frozen=True)
class Rejected:
    """A failure with an address: input row (0-based, header not counted), its id, step and reason."""

    row: int
    id: str
    step: str
    reason: Reason
    detail: str = ""


@dataclass(frozen=True)
class Epoch:
    """One record of the training history.

    `train_loss` is the mean over the epoch's batches; `scores` the learner's validation scores (empty
    without a validation feed); `lr` the learning rate at the epoch's end; `seconds` wall time.
    """

    epoch: int
    train_loss: float
    scores: dict[str, float]
    lr: float
    seconds: float
    best: bool


@dataclass(frozen=True)
class Interval:
    """A value with a two-sided interval at `level` (0.95 = 95 %)."""

    value: float
    low: float
    high: float
    level: float = 0.95
