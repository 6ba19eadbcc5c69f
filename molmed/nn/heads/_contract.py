"""The contract every head passes."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Bool, Float
from torch import Tensor

from molmed.targets import Kind


class Head(ABC):
    """The meaning of raw outputs for one kind of target. Stateless: the linear map belongs to the model.

    The file's name is the kind (or a named alternative for it). `ENTRY` is an instance.
    """

    kind: ClassVar[Kind]
    width: ClassVar[int]
    """Raw outputs per target."""

    @abstractmethod
    def loss(
        self,
        raw: Float[Tensor, "B T width"],
        target: Float[Tensor, "B T"],
        mask: Bool[Tensor, "B T"],
        censor: Tensor,
    ) -> Float[Tensor, "B T"]:
        """Loss of each cell, 0 and without gradient where mask is False (the target there is nan).

        `target` is in the learnt scale (standardised for regression, 0/1 for binary); `censor` int8 (B, T)
        is -1 where the truth lies below, +1 above the stated value, 0 where it is exact.
        """

    @abstractmethod
    def decode(self, raw: Float[Tensor, "B T width"]) -> Float[Tensor, "B T"]:
        """The predicted value: learnt scale for regression, probability of the positive class for binary."""
