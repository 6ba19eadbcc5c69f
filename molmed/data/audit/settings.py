"""What an audit can be told."""

from dataclasses import dataclass
from typing import Annotated

from molmed.tunable import Float


@dataclass(frozen=True)
class AuditConfig:
    """Where an audit draws its lines. All defaults are chosen, not studied.

    Args:
        tolerance: repeats of a structure agree while they lie within so many standard deviations of all values.
        near: Tanimoto similarity (Morgan, radius 2, 2048 bits) from which two structures are nearly equal.
        cliff: standard deviations from which values of nearly equal structures are very different.
        rare: share below which a class is rare.
        crowded: share from which values at the lowest or highest are too many.
        tautomers: look for tautomers of one structure as well (0.3 ms a structure).
    """

    tolerance: Annotated[float, Float(0.0, 10.0)] = 0.5
    near: Annotated[float, Float(0.5, 1.0)] = 0.95
    cliff: Annotated[float, Float(0.0, 20.0)] = 2.0
    rare: Annotated[float, Float(0.0, 0.5)] = 0.05
    crowded: Annotated[float, Float(0.0, 1.0)] = 0.05
    tautomers: bool = False
