"""Rows of one task in memory -> batches, shuffled and redrawn from (seed, epoch) alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int8, Int64

from molmed.features import Packed
from molmed.features._packed import ragged_rows
from molmed.nn.batch import Batch, Items, SlotBatch
from molmed.targets import Cardinality


@dataclass(frozen=True)
class SlotRows:
    """What every row of a data set holds in one slot.

    Args:
        cardinality: see `molmed.targets.Slot`.
        packed: the items; for `one` item i is row i's, for `table` they belong to every row.
        offsets: for `set` and `sequence`, int64 (rows + 1,): row i owns items offsets[i]:offsets[i + 1].
        redraw: rng -> the same items drawn anew (randomised SMILES); called once an epoch when training.
    """

    cardinality: Cardinality
    packed: Packed
    offsets: Int64[np.ndarray, " rows_plus_1"] | None = None
    redraw: Callable[[np.random.Generator], Packed] | None = None

    def batch(self, rows: Int64[np.ndarray, " B"]) -> SlotBatch:
        """The items of the given rows, collated."""
        if self.cardinality == "table":
            return self._table
        if self.offsets is None:
            return SlotBatch(self.cardinality, Items.of(self.packed.take(rows), share=True), torch.arange(len(rows)))
        items = ragged_rows(self.offsets, rows)
        row = np.repeat(np.arange(len(rows)), np.diff(self.offsets)[rows])
        return SlotBatch(self.cardinality, Items.of(self.packed.take(items), share=True), torch.from_numpy(row))

    @cached_property
    def _table(self) -> SlotBatch:
        """The table's items, collated once and used by every batch."""
        return SlotBatch("table", Items.of(self.packed), torch.empty(0, dtype=torch.int64))


def _empty_labels() -> np.ndarray:
    return np.empty((0, 0))


@dataclass(frozen=True)
class Rows:
    """The rows of one task.

    Args:
        slots: slot name -> its items.
        n: number of rows.
        target: (rows, T) in the learnt scale, nan = unknown; left out for prediction.
        weight: (rows, T); left out = 1.
        censor: (rows, T), see `molmed.nn.heads`; left out = 0.
        task: id that the batches carry.
    """

    slots: dict[str, SlotRows]
    n: int
    target: Float[np.ndarray, "rows T"] = field(default_factory=_empty_labels)
    weight: Float[np.ndarray, "rows T"] | None = None
    censor: Int8[np.ndarray, "rows T"] | None = None
    task: str = "task"

    def batch(self, rows: Int64[np.ndarray, " B"]) -> Batch:
        """The given rows as one batch, in that order."""
        target = self.target[rows] if len(self.target) else np.empty((len(rows), 0))
        weight = np.ones_like(target) if self.weight is None else self.weight[rows]
        censor = np.zeros(target.shape, dtype=np.int8) if self.censor is None else self.censor[rows]
        return Batch(
            self.task,
            {name: slot.batch(rows) for name, slot in self.slots.items()},
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(target.astype(np.float32)),
            torch.from_numpy(weight.astype(np.float32)),
            torch.from_numpy(censor.astype(np.int8)),
        )


@dataclass(frozen=True)
class Feed:
    """Batches of one task. Satisfies `molmed.train`'s feed protocol.

    Equal (seed, epoch) give equal batches, whatever was drawn before, so a resumed run sees what an
    uninterrupted one would have seen.

    Args:
        rows: the data.
        batch_size: rows per batch; the last one may be smaller.
        shuffle: draw the order anew each epoch; False = the order of the rows.
        seed: of the order and of redrawn items.
    """

    rows: Rows
    batch_size: int = 64
    shuffle: bool = True
    seed: int = 0

    def __len__(self) -> int:
        return -(-self.rows.n // self.batch_size)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.rows.n) if self.shuffle else np.arange(self.rows.n)
        rows = self._redrawn(rng) if self.shuffle else self.rows
        for start in range(0, self.rows.n, self.batch_size):
            yield rows.batch(order[start : start + self.batch_size])

    def _redrawn(self, rng: np.random.Generator) -> Rows:
        slots = {
            name: slot if slot.redraw is None else replace(slot, packed=slot.redraw(rng))
            for name, slot in self.rows.slots.items()
        }
        return replace(self.rows, slots=slots)


@dataclass(frozen=True)
class MixedFeed:
    """Several tasks in one run: every batch of every feed once an epoch, in an order drawn from the seed.

    A task is thus seen in proportion to its number of batches.
    """

    feeds: Sequence[Feed]
    seed: int = 0

    def __len__(self) -> int:
        return sum(len(f) for f in self.feeds)

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        turns = np.repeat(np.arange(len(self.feeds)), [len(f) for f in self.feeds])
        np.random.default_rng([self.seed, epoch]).shuffle(turns)
        running = [f.batches(epoch) for f in self.feeds]
        for turn in turns:
            yield next(running[turn])
