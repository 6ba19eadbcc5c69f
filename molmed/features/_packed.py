"""Packed ragged arrays: n items of one kind without a Python object per item."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Int64

PackedKind = Literal["graph", "tokens", "codes", "vector"]


@dataclass(frozen=True)
class Field:
    """Where an array of a packed kind lives.

    Args:
        level: the ragged axis its rows run along ("atoms", "bonds", "tokens", "codes"), or "item" for one row
            per item.
        counts: the level its values are positions in, local to the item (0 = the item's first row), or "".
    """

    level: str
    counts: str = ""


SCHEMAS: dict[str, dict[str, Field]] = {
    # molecular graph; every chemical bond stands as two directed edges
    "graph": {
        "atom_features": Field("atoms"),  # (atoms, atom_dim) float32
        "bond_features": Field("bonds"),  # (directed bonds, bond_dim) float32
        "source": Field("bonds", counts="atoms"),  # (directed bonds,) int32: atom the edge leaves
        "target": Field("bonds", counts="atoms"),  # (directed bonds,) int32: atom it enters
        "reverse": Field("bonds", counts="bonds"),  # (directed bonds,) int32: the same bond the other way
    },
    "tokens": {"ids": Field("tokens")},  # (tokens,) int32, ordered
    "codes": {"ids": Field("codes")},  # (codes,) int32, an unordered set
    "vector": {"x": Field("item")},  # (items, dim) float32
}


@dataclass(frozen=True)
class Packed:
    """n items of one kind; the rows of each level stand one item after the other.

    Args:
        kind: key of `SCHEMAS`, which says what arrays there are.
        fields: the arrays by name.
        offsets: per ragged level, int64 (items + 1,): item i owns rows offsets[i]:offsets[i + 1].
        n: number of items.
    """

    kind: PackedKind
    fields: dict[str, np.ndarray]
    offsets: dict[str, np.ndarray]
    n: int

    def __post_init__(self) -> None:
        schema = SCHEMAS[self.kind]
        assert set(self.fields) == set(schema), (self.kind, sorted(self.fields))
        assert set(self.offsets) == {f.level for f in schema.values()} - {"item"}, sorted(self.offsets)
        for name, field in schema.items():
            rows = self.n if field.level == "item" else int(self.offsets[field.level][-1])
            assert len(self.fields[name]) == rows, (name, len(self.fields[name]), rows)

    def __len__(self) -> int:
        return self.n

    def sizes(self) -> Int64[np.ndarray, " items"]:
        """Rows of the first ragged level per item (atoms, tokens, codes); ones for vectors."""
        if not self.offsets:
            return np.ones(self.n, dtype=np.int64)
        return np.diff(self.offsets[next(f.level for f in SCHEMAS[self.kind].values())])

    def run(self, start: int, stop: int) -> "Packed":
        """The items start ... stop - 1; the arrays are views of the original's."""
        rows = {level: slice(int(at[start]), int(at[stop])) for level, at in self.offsets.items()}
        offsets = {level: at[start : stop + 1] - at[start] for level, at in self.offsets.items()}
        fields = {
            name: self.fields[name][slice(start, stop) if field.level == "item" else rows[field.level]]
            for name, field in SCHEMAS[self.kind].items()
        }
        return Packed(self.kind, fields, offsets, stop - start)

    def take(self, items: Sequence[int] | Int64[np.ndarray, " chosen"]) -> "Packed":
        """The chosen items, in that order (repeats allowed); nothing is shared with the original."""
        chosen = np.asarray(items, dtype=np.int64)
        rows = {level: ragged_rows(starts, chosen) for level, starts in self.offsets.items()}
        offsets = {
            level: np.concatenate([[0], np.cumsum(np.diff(starts)[chosen])]).astype(np.int64)
            for level, starts in self.offsets.items()
        }
        fields = {
            name: self.fields[name][chosen if field.level == "item" else rows[field.level]]
            for name, field in SCHEMAS[self.kind].items()
        }
        return Packed(self.kind, fields, offsets, len(chosen))

    def in_memory(self) -> "Packed":
        """This pack, as `Chosen.in_memory` gives it."""
        return self


@dataclass(frozen=True)
class Chosen:
    """Some items of a pack, in any order, named and not copied: the pack may lie on the disk.

    Args:
        whole: the pack.
        items: their positions in it; repeats are allowed.
    """

    whole: Packed
    items: Int64[np.ndarray, " chosen"]

    @property
    def kind(self) -> PackedKind:
        """See `Packed`."""
        return self.whole.kind

    @property
    def n(self) -> int:
        """How many are chosen."""
        return len(self.items)

    def __len__(self) -> int:
        return self.n

    def sizes(self) -> Int64[np.ndarray, " chosen"]:
        """See `Packed.sizes`."""
        return self.whole.sizes()[self.items]

    def take(self, items: Sequence[int] | Int64[np.ndarray, " some"]) -> Packed:
        """A pack of the chosen of these chosen items, in that order; see `Packed.take`."""
        return self.whole.take(self.items[np.asarray(items, dtype=np.int64)])

    def run(self, start: int, stop: int) -> Packed:
        """A pack of these chosen items start ... stop - 1, copied: the whole may be read-only."""
        return self.whole.take(self.items[start:stop])

    def in_memory(self) -> Packed:
        """A pack of them all, copied."""
        return self.whole.take(self.items)


def ragged_rows(
    offsets: Int64[np.ndarray, " items_plus_1"], chosen: Int64[np.ndarray, " chosen"]
) -> Int64[np.ndarray, " rows"]:
    """Row numbers owned by the chosen items, one item after the other, without a Python loop."""
    starts, sizes = offsets[chosen], np.diff(offsets)[chosen]
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total, dtype=np.int64) + np.repeat(starts - (ends - sizes), sizes)


def concatenate(parts: Sequence[Packed]) -> Packed:
    """Several packs of one kind as one, in order.

    Raises:
        ValueError: no parts, or parts of different kinds.
    """
    kinds = {p.kind for p in parts}
    if len(kinds) != 1:
        raise ValueError(f"concatenate needs packs of one kind, got {sorted(kinds)}")
    (kind,) = kinds
    fields = {name: np.concatenate([p.fields[name] for p in parts]) for name in SCHEMAS[kind]}
    offsets = {
        level: np.concatenate([[0], np.cumsum(np.concatenate([np.diff(p.offsets[level]) for p in parts]))]).astype(
            np.int64
        )
        for level in parts[0].offsets
    }
    return Packed(kind, fields, offsets, sum(p.n for p in parts))
