"""What is predicted (Target) and from what (Slot)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from molmed.errors import ConfigError

Kind = Literal["regression", "binary", "multiclass", "ordinal", "set"]
Subject = Literal["molecule", "columns", "codes"]
Cardinality = Literal["one", "set", "sequence", "table"]


@dataclass(frozen=True)
class Target:
    """One predicted quantity.

    Args:
        name: column name of the label and of the prediction.
        kind: what sort of quantity; picks the head and the default metric.
        unit: unit of the label as measured, e.g. "pIC50", "log mol/L"; "" = none.
        weight: weight of this target's loss among the others.
    """

    name: str
    kind: Kind = "regression"
    unit: str = ""
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ConfigError(f"declaring target {self.name!r}", f"weight {self.weight}", "a weight above 0")


@dataclass(frozen=True)
class Slot:
    """One subject that a row gives to the model.

    Args:
        name: of the slot, e.g. "molecule", "patient", "visits", "drugs".
        subject: what each item is; picks the reader and the featurizers that fit.
        cardinality: `one` item a row, an unordered `set`, an ordered `sequence`, or a `table` of items
            shared by every row (candidates; their number is free at prediction time).
        columns: input columns it is read from; empty = guessed (molecule) or all that are left (columns).
    """

    name: str
    subject: Subject = "molecule"
    cardinality: Cardinality = "one"
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scale:
    """The affine map between a target's unit and what a network learns: (y - mean) / scale.

    Fitted on training rows only; the identity for class targets. Stored in the artefact.
    """

    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, values: Float[np.ndarray, " rows"], kind: Kind) -> "Scale":
        """Mean and population standard deviation of the known values; nan = unknown.

        A constant column keeps scale 1, so that its inverse is exact.
        """
        known = values[~np.isnan(values)]
        if kind != "regression" or known.size == 0:
            return cls()
        spread = float(known.std())
        return cls(float(known.mean()), spread if spread > 0 else 1.0)

    def forward(self, values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        return (values - self.mean) / self.scale

    def inverse(self, values: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        return values * self.scale + self.mean
