"""Rows of one task in memory -> batches, shuffled and redrawn from (seed, epoch) alone."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Int8, Int64

from molmed.features import Chosen, Packed
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
    packed: Packed | Chosen
    offsets: Int64[np.ndarray, " rows_plus_1"] | None = None
    redraw: Callable[[np.random.Generator], Packed] | None = None

    def batch(self, rows: Int64[np.ndarray, " B"], share: bool = False) -> SlotBatch:
        """The items of the given rows, collated; with `share`, see `Rows.batch`."""
        if self.cardinality == "table":
            return self._table
        if self.offsets is None:
            return SlotBatch(self.cardinality, Items.of(self._chosen(rows, share), share=True), torch.arange(len(rows)))
        items = ragged_rows(self.offsets, rows)
        row = np.repeat(np.arange(len(rows)), np.diff(self.offsets)[rows])
        return SlotBatch(self.cardinality, Items.of(self.packed.take(items), share=True), torch.from_numpy(row))

    def _chosen(self, rows: np.ndarray, share: bool) -> Packed:
        if share and len(rows) and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.packed.run(int(rows[0]), int(rows[-1]) + 1)
        return self.packed.take(rows)

    def sizes(self) -> Int64[np.ndarray, " rows"]:
        """Elements (atoms, tokens, codes, vectors) of the items of each row; not for a table."""
        own = self.packed.sizes()
        if self.offsets is None:
            return own
        return np.diff(np.concatenate([[0], np.cumsum(own)])[self.offsets])

    @cached_property
    def _table(self) -> SlotBatch:
        """The table's items, collated once and used by every batch."""
        return SlotBatch("table", Items.of(self.packed.in_memory()), torch.empty(0, dtype=torch.int64))


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

    def sizes(self) -> Int64[np.ndarray, " rows"]:
        """Elements of each row: the atoms, tokens and codes of its items, 1 per vector; a table counts for none."""
        total = np.zeros(self.n, dtype=np.int64)
        for slot in self.slots.values():
            if slot.cardinality != "table":
                total += slot.sizes()
        return total

    def batch(self, rows: Int64[np.ndarray, " B"], share: bool = False) -> Batch:
        """The given rows as one batch, in that order.

        With `share` the features of successive rows are not copied, so nobody may write into the batch.
        """
        target = self.target[rows] if len(self.target) else np.empty((len(rows), 0))
        weight = np.ones_like(target) if self.weight is None else self.weight[rows]
        censor = np.zeros(target.shape, dtype=np.int8) if self.censor is None else self.censor[rows]
        return Batch(
            self.task,
            {name: slot.batch(rows, share) for name, slot in self.slots.items()},
            torch.from_numpy(rows.astype(np.int64)),
            torch.from_numpy(target.astype(np.float32)),
            torch.from_numpy(weight.astype(np.float32)),
            torch.from_numpy(censor.astype(np.int8)),
        )


@dataclass(frozen=True)
class Feed:
    """Batches of one task. Satisfies `molmed.train`'s feed protocol.

    Equal (seed, epoch) give equal batches, whatever was drawn before, so a resumed run sees what an
    uninterrupted one would have seen. Every row comes once an epoch, and every epoch has the same number of batches.

    Args:
        rows: the data.
        batch_size: rows per batch; without a window or a budget only the last one may be smaller.
        shuffle: draw the order anew each epoch; False = the order of the rows, whatever `window` is.
        seed: of the order and of redrawn items.
        window: batches whose rows are sorted by size before they are cut, so that rows of a batch are of like size
            and little of a padded batch is padding; the batches then come in an order of their own.
        budget: if not 0, most elements (`Rows.sizes`, as first drawn) in a batch, in place of `batch_size`; only a row
            that is larger by itself exceeds it. With a window large rows stand in batches of fewer rows, whose loss is
            a mean over fewer: they count for more.
        share: (rank, n): of each batch the rows at rank, rank + n, ... only.
    """

    rows: Rows
    batch_size: int = 64
    shuffle: bool = True
    seed: int = 0
    window: int = 1
    budget: int = 0
    share: tuple[int, int] = (0, 1)

    def __len__(self) -> int:
        return len(self.plan(0)) if self.budget else -(-self.rows.n // self.batch_size)

    def part(self, rank: int, n: int) -> "Feed":
        """The same batches with every n-th of their rows, from the one at `rank`; a batch may be left without any."""
        return replace(self, share=(rank, n))

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        rank, n = self.share
        rows = self._redrawn(epoch) if self.shuffle else self.rows
        for chosen in self.plan(epoch):
            yield rows.batch(chosen[rank::n])

    def plan(self, epoch: int) -> list[Int64[np.ndarray, " B"]]:
        """The rows of each batch of an epoch, before they are shared out."""
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self.rows.n) if self.shuffle else np.arange(self.rows.n)
        window = self.window if self.shuffle else 1
        if self.budget:
            cut = _within(self.budget, order, self.rows.sizes(), window)
        elif window == 1:
            return _cut(order, self.batch_size)
        else:
            sizes = self.rows.sizes()
            cut = [
                batch
                for rows in _cut(order, self.batch_size * window)
                for batch in np.array_split(_by_size(rows, sizes), -(-len(rows) // self.batch_size))
            ]
        turns = rng.permutation(len(cut)) if self.shuffle else range(len(cut))
        return [cut[turn] for turn in turns]

    def _redrawn(self, epoch: int) -> Rows:
        rng = np.random.default_rng([self.seed, epoch, 1])
        slots = {
            name: slot if slot.redraw is None else replace(slot, packed=slot.redraw(rng))
            for name, slot in self.rows.slots.items()
        }
        return replace(self.rows, slots=slots)


def _cut(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _by_size(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Ascending; rows of one size stay in the order in which they were drawn."""
    return rows[np.argsort(sizes[rows], kind="stable")]


def _within(budget: int, order: np.ndarray, sizes: np.ndarray, window: int) -> list[np.ndarray]:
    """The rows in batches of at most `budget` elements; how many batches depends on the sizes, not on the order.

    Rows above a fifth of the budget are set apart: of those above 1/(k + 1) of it, k share a batch (k = 1 to 4). Let
    m be the largest size of the others and T their sum. They are cut into B = T / (budget - 2 m - 1) batches, rounded
    up, where their running sum passes multiples of T / B, first into windows and within these again, so that neither
    cut adds more than m; and as T / B is at least m, none is empty.
    """
    sizes = np.maximum(sizes, 1)
    apart = budget // sizes[order]
    cut = [batch for k in (1, 2, 3, 4) for batch in _cut(order[np.clip(apart, 1, 5) == k], k)]
    rest = order[apart >= 5]
    if len(rest) == 0:
        return cut
    total = int(sizes[rest].sum())
    n = -(-total // (budget - 2 * int(sizes[rest].max()) - 1))
    per_window = np.asarray([len(w) for w in np.array_split(np.arange(n), -(-n // window))])
    ends = np.cumsum(per_window) * total // n
    windows = _split(rest, np.searchsorted(ends, _before(sizes[rest]), side="right"))
    for k, rows in zip(per_window.tolist(), windows, strict=True):
        inside = _by_size(rows, sizes) if window > 1 else rows
        cut += _split(inside, _before(sizes[inside]) * k // int(sizes[inside].sum()))
    return cut


def _before(sizes: np.ndarray) -> np.ndarray:
    """The sum of all sizes that come before each."""
    return np.cumsum(sizes) - sizes


def _split(rows: np.ndarray, number: np.ndarray) -> list[np.ndarray]:
    """The rows of each number, which ascends."""
    return np.split(rows, np.flatnonzero(np.diff(number)) + 1)


@dataclass(frozen=True)
class MixedFeed:
    """Several tasks in one run: every batch of every feed once an epoch, in an order drawn from the seed.

    A task is thus seen in proportion to its number of batches.
    """

    feeds: Sequence[Feed]
    seed: int = 0

    def __len__(self) -> int:
        return sum(len(f) for f in self.feeds)

    def part(self, rank: int, n: int) -> "MixedFeed":
        """The same turns with a part of each batch, see `Feed.part`."""
        return replace(self, feeds=[f.part(rank, n) for f in self.feeds])

    def batches(self, epoch: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        turns = np.repeat(np.arange(len(self.feeds)), [len(f) for f in self.feeds])
        np.random.default_rng([self.seed, epoch]).shuffle(turns)
        running = [f.batches(epoch) for f in self.feeds]
        for turn in turns:
            yield next(running[turn])
