"""Packed arrays and their batches do what lists of single items would do."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molmed.features import SCHEMAS, Packed, concatenate
from molmed.features._packed import ragged_rows
from molmed.nn.batch import Items

ATOM_DIM, BOND_DIM, DIM = 3, 2, 4


@dataclass(frozen=True)
class Naive:
    """One item as plain lists: field name -> rows."""

    kind: str
    rows: dict[str, list]


def numbers(width: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(-8, 8, width=32), min_size=width, max_size=width)


@st.composite
def graphs(draw: st.DrawFn) -> Naive:
    atoms = draw(st.lists(numbers(ATOM_DIM), max_size=4))
    ends = st.tuples(*2 * [st.integers(0, max(0, len(atoms) - 1))])
    pairs = draw(st.lists(ends, max_size=3)) if atoms else []
    directed = [way for a, b in pairs for way in ((a, b), (b, a))]
    return Naive(
        "graph",
        {
            "atom_features": atoms,
            "bond_features": [draw(numbers(BOND_DIM)) for _ in directed],
            "source": [a for a, _ in directed],
            "target": [b for _, b in directed],
            "reverse": [bond + 1 if bond % 2 == 0 else bond - 1 for bond in range(len(directed))],
        },
    )


def ids(kind: str) -> st.SearchStrategy[Naive]:
    return st.lists(st.integers(0, 50), max_size=5).map(lambda rows: Naive(kind, {"ids": rows}))


vectors = numbers(DIM).map(lambda row: Naive("vector", {"x": [row]}))
one_kind = st.sampled_from([graphs(), ids("tokens"), ids("codes"), vectors])
some_items = one_kind.flatmap(lambda items: st.lists(items, min_size=1, max_size=6))
WIDTH = {"atom_features": (ATOM_DIM,), "bond_features": (BOND_DIM,), "x": (DIM,)}


def pack(items: list[Naive]) -> Packed:
    """Items side by side, written as loops."""
    kind = items[0].kind
    fields, offsets = {}, {}
    for name, field in SCHEMAS[kind].items():  # type: ignore[index]
        rows = [row for item in items for row in item.rows[name]]
        dtype = np.float32 if name in WIDTH else np.int32
        fields[name] = np.array(rows, dtype=dtype).reshape(len(rows), *WIDTH.get(name, ()))
        if field.level != "item":
            ends = [0]
            for item in items:
                ends.append(ends[-1] + len(item.rows[name]))
            offsets[field.level] = np.array(ends, dtype=np.int64)
    return Packed(kind, fields, offsets, len(items))  # type: ignore[arg-type]


def assert_equal(left: Packed, right: Packed) -> None:
    assert (left.kind, left.n) == (right.kind, right.n)
    for ours, theirs in ((left.fields, right.fields), (left.offsets, right.offsets)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype, name
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@given(some_items, st.data())
def test_take_gives_the_chosen_items_in_their_order(items: list[Naive], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=8))
    taken = pack(items).take(chosen)
    if chosen:
        assert_equal(taken, pack([items[i] for i in chosen]))
    assert len(taken) == len(chosen)
    assert all(len(rows) == 0 for rows in taken.fields.values()) or chosen


@given(some_items)
def test_take_shares_nothing_with_the_original(items: list[Naive]) -> None:
    whole = pack(items)
    taken = whole.take(range(len(items)))
    assert_equal(taken, whole)
    for name in whole.fields:
        assert not np.shares_memory(taken.fields[name], whole.fields[name])


@given(some_items, st.data())
def test_concatenate_undoes_cutting(items: list[Naive], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(items)))
    parts = [pack(part) for part in (items[:cut], items[cut:]) if part]
    assert_equal(concatenate(parts), pack(items))


@given(some_items)
def test_single_items_side_by_side_are_the_pack(items: list[Naive]) -> None:
    assert_equal(concatenate([pack([item]) for item in items]), pack(items))


@given(some_items)
def test_sizes_count_the_rows_of_each_item(items: list[Naive]) -> None:
    first = {"graph": "atom_features", "tokens": "ids", "codes": "ids", "vector": "x"}[items[0].kind]
    assert pack(items).sizes().tolist() == [len(item.rows[first]) for item in items]


def test_concatenate_refuses_nothing_and_mixed_kinds() -> None:
    tokens, codes = pack([Naive("tokens", {"ids": [1]})]), pack([Naive("codes", {"ids": [1]})])
    with pytest.raises(ValueError, match="one kind"):
        concatenate([])
    with pytest.raises(ValueError, match=r"codes.*tokens"):
        concatenate([tokens, codes])


def test_a_pack_whose_arrays_disagree_is_refused() -> None:
    with pytest.raises(AssertionError):
        Packed("tokens", {"ids": np.zeros(3, dtype=np.int32)}, {"tokens": np.array([0, 2], dtype=np.int64)}, 1)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=6), st.data())
def test_ragged_rows_are_the_rows_of_the_chosen_items(sizes: list[int], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=8))
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    expected = [row for i in chosen for row in range(starts[i], starts[i + 1])]
    assert ragged_rows(starts, np.array(chosen, dtype=np.int64)).tolist() == expected


@settings(deadline=None)
@given(some_items)
def test_a_batch_counts_positions_over_the_whole_batch(items: list[Naive]) -> None:
    batch = Items.of(pack(items))
    assert (batch.kind, batch.n) == (items[0].kind, len(items))
    for name, field in SCHEMAS[batch.kind].items():  # type: ignore[index]
        expected = []
        for i, item in enumerate(items):
            before = 0
            if field.counts:
                of_level = next(n for n, f in SCHEMAS[batch.kind].items() if f.level == field.counts)  # type: ignore[index]
                before = sum(len(earlier.rows[of_level]) for earlier in items[:i])
            expected += [row + before if field.counts else row for row in item.rows[name]]
        assert batch.fields[name].tolist() == expected, name
        assert str(batch.fields[name].dtype) == ("torch.float32" if name in WIDTH else "torch.int64"), name
        if field.level != "item":
            owner = [i for i, item in enumerate(items) for _ in item.rows[name]]
            assert batch.owner[field.level].tolist() == owner
            assert batch.sizes[field.level].tolist() == [len(item.rows[name]) for item in items]


@settings(deadline=None)
@given(some_items)
def test_a_batch_shares_nothing_with_its_pack(items: list[Naive]) -> None:
    packed = pack(items)
    before = {name: array.copy() for name, array in packed.fields.items()}
    for tensor in Items.of(packed).fields.values():
        tensor.add_(1)
    for name, array in before.items():
        np.testing.assert_array_equal(packed.fields[name], array)


@settings(deadline=None)
@given(st.lists(graphs(), min_size=1, max_size=5))
def test_reverse_bonds_of_a_batch_swap_their_ends(items: list[Naive]) -> None:
    fields = Items.of(pack(items)).fields
    reverse = fields["reverse"]
    assert fields["source"][reverse].tolist() == fields["target"].tolist()
    assert reverse[reverse].tolist() == list(range(len(reverse)))
