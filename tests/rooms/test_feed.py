"""Batches are drawn from (seed, epoch) alone, hold every row once, and hold what the rows hold."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from molmed.features import Packed
from molmed.nn.batch import Items
from molmed.nn.feed import Feed, MixedFeed, Rows, SlotRows
from molmed.train.learner import Feed as Protocol


def tokens(sizes: list[int], seed: int = 0) -> Packed:
    ids = np.random.default_rng(seed).integers(0, 9, sum(sizes)).astype(np.int32)
    return Packed("tokens", {"ids": ids}, {"tokens": np.cumsum([0, *sizes])}, len(sizes))


def vectors(n: int) -> Packed:
    return Packed("vector", {"x": np.arange(2.0 * n, dtype=np.float32).reshape(n, 2)}, {}, n)


def rows(n: int = 10, task: str = "task") -> Rows:
    y = np.arange(2.0 * n).reshape(n, 2)
    y[1, 0] = np.nan
    censor = np.zeros((n, 2), dtype=np.int8)
    censor[2, 1] = -1
    return Rows({"x": SlotRows("one", vectors(n))}, n, y, weight=y + 1, censor=censor, task=task)


def order(feed: Feed, epoch: int) -> list[int]:
    return [row for batch in feed.batches(epoch) for row in batch.rows.tolist()]


def test_a_feed_satisfies_the_trainers_protocol() -> None:
    assert isinstance(Feed(rows()), Protocol)
    assert isinstance(MixedFeed([Feed(rows())]), Protocol)


@pytest.mark.parametrize(("n", "size", "sizes"), [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 64, [3]), (0, 4, [])])
@pytest.mark.parametrize("shuffle", [False, True])
def test_every_row_once_in_batches_of_the_size(n: int, size: int, sizes: list[int], shuffle: bool) -> None:
    feed = Feed(rows(max(n, 3)), size, shuffle)
    feed = replace(feed, rows=replace(feed.rows, n=n))
    assert [len(batch) for batch in feed.batches(0)] == sizes
    assert len(feed) == len(sizes)
    assert sorted(order(feed, 0)) == list(range(n))


def test_without_shuffling_the_order_is_the_rows() -> None:
    assert order(Feed(rows(), 3, shuffle=False), 5) == list(range(10))


def test_the_order_depends_on_seed_and_epoch_only() -> None:
    feed = Feed(rows(50), 8, seed=3)
    first = order(feed, 4)
    order(feed, 0)
    next(feed.batches(7))
    assert order(feed, 4) == first
    assert order(Feed(rows(50), 16, seed=3), 4) == first
    assert order(feed, 5) != first
    assert order(replace(feed, seed=4), 4) != first


def test_a_batch_holds_what_its_rows_hold() -> None:
    whole = rows()
    for batch in Feed(whole, 4).batches(0):
        at = batch.rows.numpy()
        assert batch.task == "task"
        np.testing.assert_array_equal(batch.target.numpy(), whole.target[at].astype(np.float32))
        np.testing.assert_array_equal(batch.weight.numpy(), whole.weight[at].astype(np.float32))
        np.testing.assert_array_equal(batch.censor.numpy(), whole.censor[at])
        np.testing.assert_array_equal(
            batch.slots["x"].items.fields["x"].numpy(), whole.slots["x"].packed.fields["x"][at]
        )
        assert batch.slots["x"].row.tolist() == list(range(len(batch)))


def test_what_is_not_given_is_one_weight_no_censor_no_target() -> None:
    batch = Rows({"x": SlotRows("one", vectors(3))}, 3, target=np.ones((3, 1))).batch(np.asarray([2, 0]))
    assert batch.weight.tolist() == [[1.0], [1.0]]
    assert batch.censor.tolist() == [[0], [0]]
    assert Rows({"x": SlotRows("one", vectors(3))}, 3).batch(np.asarray([2, 0])).target.shape == (2, 0)


@pytest.mark.parametrize("cardinality", ["set", "sequence"])
def test_the_items_of_a_row_follow_it(cardinality: str) -> None:
    pack, ends = tokens([1, 2, 3, 4, 5, 6]), np.asarray([0, 2, 2, 5, 6])
    slot = SlotRows(cardinality, pack, ends).batch(np.asarray([2, 1, 0, 2]))  # type: ignore[arg-type]
    assert slot.row.tolist() == [0, 0, 0, 2, 2, 3, 3, 3]
    expected = Items.of(pack.take([2, 3, 4, 0, 1, 2, 3, 4]))
    assert torch.equal(slot.items.fields["ids"], expected.fields["ids"])
    assert slot.items.sizes["tokens"].tolist() == [3, 4, 5, 1, 2, 3, 4, 5]


def test_a_table_is_collated_once_and_belongs_to_every_row() -> None:
    slot = SlotRows("table", tokens([2, 3]))
    first, second = slot.batch(np.asarray([0, 1])), slot.batch(np.asarray([5]))
    assert first is second
    assert len(first.row) == 0
    assert first.items.sizes["tokens"].tolist() == [2, 3]
    other = replace(slot, packed=tokens([4]))
    assert other.batch(np.asarray([0])).items.sizes["tokens"].tolist() == [4]


def test_items_are_drawn_anew_each_epoch_from_the_seed_when_training() -> None:
    def redraw(rng: np.random.Generator) -> Packed:
        return Packed("vector", {"x": rng.normal(size=(6, 2)).astype(np.float32)}, {}, 6)

    made = Rows({"x": SlotRows("one", vectors(6), redraw=redraw)}, 6)

    def seen(feed: Feed, epoch: int) -> np.ndarray:
        return np.concatenate([b.slots["x"].items.fields["x"].numpy() for b in feed.batches(epoch)])

    feed = Feed(made, 4, seed=1)
    first = seen(feed, 3)
    np.testing.assert_array_equal(seen(feed, 3), first)
    assert (np.sort(seen(feed, 2), axis=None) != np.sort(first, axis=None)).any()
    assert (np.sort(seen(replace(feed, seed=2), 3), axis=None) != np.sort(first, axis=None)).any()
    np.testing.assert_array_equal(seen(replace(feed, shuffle=False), 3), vectors(6).fields["x"])


def test_mixed_feeds_give_every_batch_of_every_task_in_an_order_of_their_own() -> None:
    first, second = Feed(rows(20, "a"), 4), Feed(rows(9, "b"), 3)
    mixed = MixedFeed([first, second], seed=2)
    assert len(mixed) == 8
    turns = [batch.task for batch in mixed.batches(1)]
    assert turns == [batch.task for batch in mixed.batches(1)]
    assert turns != [batch.task for batch in mixed.batches(2)]
    assert turns not in (["a"] * 5 + ["b"] * 3, ["b"] * 3 + ["a"] * 5)
    for feed, task in ((first, "a"), (second, "b")):
        own = [batch.rows.tolist() for batch in mixed.batches(1) if batch.task == task]
        assert own == [batch.rows.tolist() for batch in feed.batches(1)]


def test_sharing_saves_the_copy_and_nothing_else() -> None:
    pack = vectors(4)
    shared, own = Items.of(pack, share=True), Items.of(pack)
    assert np.shares_memory(shared.fields["x"].numpy(), pack.fields["x"])
    assert not np.shares_memory(own.fields["x"].numpy(), pack.fields["x"])
    assert torch.equal(shared.fields["x"], own.fields["x"])


def test_a_batch_shares_nothing_with_its_rows() -> None:
    whole = rows()
    before = whole.slots["x"].packed.fields["x"].copy()
    for batch in Feed(whole, 4, shuffle=False).batches(0):
        for tensor in (batch.slots["x"].items.fields["x"], batch.target, batch.weight):
            tensor.add_(1)
    np.testing.assert_array_equal(whole.slots["x"].packed.fields["x"], before)
    assert whole.target[0, 0] == 0


def test_a_batch_moves_as_a_whole() -> None:
    batch = next(Feed(rows(), 4).batches(0)).to("meta")
    items = batch.slots["x"].items
    tensors = [batch.rows, batch.target, batch.weight, batch.censor, batch.slots["x"].row, *items.fields.values()]
    assert {t.device.type for t in tensors} == {"meta"}
    graph = Items.of(tokens([1, 2])).to("meta")
    assert {t.device.type for part in (graph.fields, graph.owner, graph.sizes) for t in part.values()} == {"meta"}


def ragged(n: int = 200, seed: int = 0, giants: tuple[int, ...] = ()) -> Rows:
    """Rows of 1 to 60 tokens; the given rows have 5,000."""
    sizes = np.random.default_rng(seed).integers(1, 61, n)
    sizes[list(giants)] = 5_000
    return Rows({"x": SlotRows("one", tokens(sizes.tolist()))}, n, target=np.arange(float(n))[:, None])


def padding(feed: Feed, epoch: int = 0) -> float:
    """The share of places in padded batches that would hold nothing."""
    held = [feed.rows.sizes()[chosen] for chosen in feed.plan(epoch)]
    return 1 - sum(int(s.sum()) for s in held) / sum(len(s) * int(s.max()) for s in held)


@pytest.mark.parametrize("window", [1, 4, 1000])
@pytest.mark.parametrize("budget", [0, 300])
@pytest.mark.parametrize("shuffle", [True, False])
def test_however_batches_are_cut_every_row_comes_once_an_epoch(window: int, budget: int, shuffle: bool) -> None:
    feed = Feed(ragged(giants=(17, 140)), 16, shuffle, seed=1, window=window, budget=budget)
    for epoch in range(4):
        batches = list(feed.batches(epoch))
        assert len(batches) == len(feed)
        assert min(len(batch) for batch in batches) > 0
        assert sorted(row for batch in batches for row in batch.rows.tolist()) == list(range(200))
        for batch in batches:
            np.testing.assert_array_equal(batch.target[:, 0].numpy(), batch.rows.numpy())
    assert [b.tolist() for b in feed.plan(2)] == [b.tolist() for b in feed.plan(2)]
    assert ([b.tolist() for b in feed.plan(2)] != [b.tolist() for b in feed.plan(3)]) == shuffle


def test_rows_of_like_size_share_a_batch_and_batches_do_not_come_in_the_order_of_size() -> None:
    mixed, sorted_ = Feed(ragged(), 16), Feed(ragged(), 16, window=13)
    assert padding(mixed) > 0.3
    assert padding(sorted_) < 0.1
    assert padding(Feed(ragged(), 16, window=2)) < padding(mixed)
    assert max(len(chosen) for chosen in sorted_.plan(0)) <= 16
    means = [float(sorted_.rows.sizes()[chosen].mean()) for chosen in sorted_.plan(0)]
    assert means not in (sorted(means), sorted(means, reverse=True))


@pytest.mark.parametrize("window", [1, 4])
@pytest.mark.parametrize("budget", [61, 130, 300, 2000, 100_000])
def test_no_batch_holds_more_elements_than_the_budget(window: int, budget: int) -> None:
    feed = Feed(ragged(), 16, window=window, budget=budget)
    for epoch in range(5):
        held = [int(feed.rows.sizes()[chosen].sum()) for chosen in feed.plan(epoch)]
        assert max(held) <= budget
        assert len(held) == len(feed)
    # no more than twice the batches that the elements fill
    assert len(feed) <= 2 * -(-int(feed.rows.sizes().sum()) // budget) + 4


def test_a_giant_molecule_is_a_batch_of_its_own_and_goes_through() -> None:
    feed = Feed(ragged(giants=(3,)), 16, window=4, budget=300)
    alone = [chosen.tolist() for chosen in feed.plan(0) if int(feed.rows.sizes()[chosen].sum()) > 300]
    assert alone == [[3]]
    (batch,) = (batch for batch in feed.batches(0) if 3 in batch.rows.tolist())
    assert batch.slots["x"].items.sizes["tokens"].tolist() == [5_000]


def test_rows_without_any_element_have_their_batches_too() -> None:
    empty = Rows({"x": SlotRows("one", tokens([0] * 10))}, 10)
    plan = Feed(empty, 4, budget=6).plan(0)
    assert sorted(row for chosen in plan for row in chosen.tolist()) == list(range(10))
    assert max(len(chosen) for chosen in plan) <= 6


def test_a_tables_items_count_for_no_row() -> None:
    slots = {"x": SlotRows("one", tokens([2, 3])), "drugs": SlotRows("table", tokens([50, 60, 70]))}
    assert Rows(slots, 2).sizes().tolist() == [2, 3]


def test_all_parts_of_a_feed_with_a_budget_are_the_whole() -> None:
    feed = Feed(ragged(), 16, window=4, budget=300)
    parts = [list(feed.part(rank, 2).batches(1)) for rank in range(2)]
    for whole, *shares in zip(feed.batches(1), *parts, strict=True):
        assert sorted(row for s in shares for row in s.rows.tolist()) == sorted(whole.rows.tolist())
