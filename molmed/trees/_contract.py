"""The contract every tree model passes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float, Float32

from molmed.targets import Target


class Fitted(ABC):
    """A fitted tree model: predicts, and is its own arrays."""

    @abstractmethod
    def predict(self, x: Float32[np.ndarray, "rows dim"]) -> Float[np.ndarray, "rows targets"]:
        """Value (regression, in the target's unit) or probability of class 1 (binary), per target."""

    @abstractmethod
    def to_arrays(self) -> dict[str, np.ndarray]:
        """Everything it is, as arrays of plain dtypes (no objects)."""

    @classmethod
    @abstractmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Fitted":
        """Restore it; predictions are equal bit for bit.

        Raises:
            ArtefactError: an array is missing or has another dtype or shape than it must.
        """


class Tree(ABC):
    """What fits: built as `SubClass(config)`; `ENTRY` is the class, `Config` its frozen dataclass."""

    Config: ClassVar[type]
    features: ClassVar[tuple[str, ...]]
    """Vector featurizers it is fed with, joined side by side."""
    gaps: ClassVar[bool] = False
    """Whether nan is a legal feature, a value that is missing, both when fitting and when predicting."""
    Fitted: ClassVar[type[Fitted]]

    def __init__(self, config: Any = None) -> None:
        self.config = self.Config() if config is None else config

    @abstractmethod
    def fit(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, "rows targets"],
        targets: Sequence[Target],
        weight: Float[np.ndarray, "rows targets"],
        seed: int,
    ) -> Fitted:
        """Fit on rows of one fold; nan in y = unknown, such cells are left out target by target."""
