"""The contract every encoder passes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from jaxtyping import Float, Int64
from torch import Tensor, nn

from molmed.nn.batch import Items


@dataclass(frozen=True)
class Encoded:
    """What an encoder returns.

    Args:
        states: float (N, width), one row per element (atom, token, code; the item itself for vectors).
        owner: int64 (N,), the item each element belongs to.
        pooled: float (items, out_dim), one row per item.
    """

    states: Float[Tensor, "N width"]
    owner: Int64[Tensor, " N"]
    pooled: Float[Tensor, "items out_dim"]


class Encoder(nn.Module, ABC):
    """items -> element states and one pooled vector per item.

    Batch order, batch size and padding never change an item's vector (to float32 rounding); an item whose
    ragged levels are empty (no atoms, no bonds, no codes) still gets a finite vector; no items give no vectors.
    A subclass has a frozen dataclass `Config` (ranges annotated, see `molmed.tunable`), names the
    featurizers whose packs it reads (the first is its default) and is built as
    `SubClass(config, featurizer.dims(state))`.
    """

    Config: ClassVar[type]
    features: ClassVar[tuple[str, ...]]
    out_dim: int

    def __init__(self, config: Any, dims: Mapping[str, int]) -> None:
        super().__init__()
        self.config = config
        self.dims = dict(dims)

    @abstractmethod
    def forward(self, items: Items) -> Encoded:
        """Encode a batch of items of the kind its featurizers produce."""
