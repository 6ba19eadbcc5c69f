"""numpy packs -> torch batches: ragged tensors with global positions, no Python object per item."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from molmed.features import SCHEMAS, Packed
from molmed.nn.layers.bags import Adjacency
from molmed.targets import Cardinality


@dataclass(frozen=True)
class Items:
    """A batch of n packed items of one kind, as an encoder sees them.

    Args:
        kind: "graph", "tokens", "codes" or "vector" (see `molmed.features.SCHEMAS`).
        fields: the arrays; positions count the whole batch's rows (not the item's).
        owner: per ragged level, int64 (rows,): the item each row belongs to, ascending.
        sizes: per ragged level, int64 (items,): rows of each item.
        n: number of items.
        adjacency: of graphs, which bonds each atom and bond hears; None for other kinds.
    """

    kind: str
    fields: dict[str, Tensor]
    owner: dict[str, Int64[Tensor, " rows"]]
    sizes: dict[str, Int64[Tensor, " items"]]
    n: int
    adjacency: Adjacency | None = None

    @classmethod
    def of(cls, packed: Packed, *, share: bool = False) -> "Items":
        """Collate a pack: integers become int64, floats stay float32, local positions become global.

        With `share` arrays that already have their type are used as they are, unless they may not be written to;
        so nobody may write into either. Without it nothing is shared.
        """
        sizes = {level: np.diff(starts) for level, starts in packed.offsets.items()}
        owner = {level: np.repeat(np.arange(packed.n), size) for level, size in sizes.items()}
        arrays = {}
        for name, field in SCHEMAS[packed.kind].items():
            array = np.asarray(packed.fields[name])
            dtype = np.int64 if np.issubdtype(array.dtype, np.integer) else np.float32
            if field.counts:
                array = array + packed.offsets[field.counts][owner[field.level]]
            owned = field.counts or (share and array.flags.writeable)
            arrays[name] = array.astype(dtype, copy=not owned)
        return cls(
            packed.kind,
            {name: torch.from_numpy(a) for name, a in arrays.items()},
            {level: torch.from_numpy(o) for level, o in owner.items()},
            {level: torch.from_numpy(s) for level, s in sizes.items()},
            packed.n,
            _adjacency(arrays) if packed.kind == "graph" else None,
        )

    def to(self, device: torch.device | str) -> "Items":
        """The same batch on a device."""
        return replace(
            self,
            fields=_to(self.fields, device),
            owner=_to(self.owner, device),
            sizes=_to(self.sizes, device),
            adjacency=None if self.adjacency is None else self.adjacency.to(device),
        )


@dataclass(frozen=True)
class SlotBatch:
    """The items a batch's rows hold in one slot.

    `row` (items,) says which row of the batch each item belongs to, ascending; for cardinality `one` it is
    arange(B), for `table` it is empty: the items belong to every row.
    """

    cardinality: Cardinality
    items: Items
    row: Int64[Tensor, " items"]

    def to(self, device: torch.device | str) -> "SlotBatch":
        return replace(self, items=self.items.to(device), row=self.row.to(device))


@dataclass(frozen=True)
class Batch:
    """B rows ready for a learner.

    Args:
        task: id of the task (the data set) the rows come from; all rows of a batch share it.
        slots: slot name -> its items.
        rows: int64 (B,), each row's number in its feed.
        target: float32 (B, T), nan where unknown; T = number of targets, or of the table's items.
        weight: float32 (B, T).
        censor: int8 (B, T): -1 the true value is below, +1 above the stated one, 0 it is exact.
    """

    task: str
    slots: dict[str, SlotBatch]
    rows: Int64[Tensor, " B"]
    target: Float[Tensor, "B T"]
    weight: Float[Tensor, "B T"]
    censor: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def to(self, device: torch.device | str) -> "Batch":
        return replace(
            self,
            slots={name: slot.to(device) for name, slot in self.slots.items()},
            rows=self.rows.to(device),
            target=self.target.to(device),
            weight=self.weight.to(device),
            censor=self.censor.to(device),
        )


def _adjacency(arrays: Mapping[str, np.ndarray]) -> Adjacency:
    return Adjacency.of(arrays["source"], arrays["target"], arrays["reverse"], len(arrays["atom_features"]))


def _to(tensors: Mapping[str, Tensor], device: torch.device | str) -> dict[str, Tensor]:
    return {name: t.to(device) for name, t in tensors.items()}
