"""What each split promises beyond the contract, and how whole groups fill parts."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molmed.chem.scaffold import murcko
from molmed.data.splits import Subjects, k_fold
from molmed.data.splits._groups import fill, group_numbers
from molmed.data.splits.predefined import Predefined
from molmed.data.splits.random import Random
from molmed.data.splits.scaffold import Scaffold
from molmed.data.splits.stratified import Stratified
from molmed.errors import InputError

RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCC1", "c1ccsc1", "c1ccoc1", "C1CCNCC1", "c1cc[nH]c1", "C1CC1", "C1CCC1", "")
SMILES = tuple(f"{chain}{ring}" for ring in RINGS for chain in ("C", "CC", "CCO", "CCN", "CCS", "CCCC"))


@st.composite
def groups_of_sizes(draw: st.DrawFn) -> tuple[list[int], tuple[float, ...]]:
    sizes = draw(st.lists(st.integers(1, 9), min_size=5, max_size=30))
    return sizes, draw(st.sampled_from([(0.8, 0.2), (0.2,) * 5, (0.9, 0.05, 0.05), (1 / 3,) * 3]))


@given(groups_of_sizes(), st.randoms())
def test_a_part_overshoots_by_less_than_its_last_group(case: tuple[list[int], tuple[float, ...]], random) -> None:
    sizes, fractions = case
    groups = np.repeat(np.arange(len(sizes)), sizes)
    order = list(range(len(sizes)))
    random.shuffle(order)
    parts = fill(groups, order, fractions, "test")
    part_of = {group: int(parts[groups == group][0]) for group in order}
    for part, fraction in enumerate(fractions):
        inside = [group for group in order if part_of[group] == part]
        assert inside
        rows = sum(sizes[group] for group in inside)
        # a part with one group may have got it only so as not to stay empty
        assert len(inside) == 1 or rows - sizes[inside[-1]] < fraction * len(groups)


def test_single_rows_fill_parts_exactly() -> None:
    parts = fill(np.arange(100), list(range(100)), (0.7, 0.2, 0.1), "test")
    assert np.bincount(parts).tolist() == [70, 20, 10]
    assert np.bincount(fill(np.arange(11), list(range(11)), (0.25,) * 4, "test")).tolist() == [3, 3, 3, 2]


def test_without_keys_every_row_is_its_own_group() -> None:
    assert group_numbers([], 3).tolist() == [0, 1, 2]
    assert group_numbers(["b", "a", "b"], 3).tolist() == [1, 0, 1]


def test_one_very_long_structure_does_not_cost_its_length_for_every_row() -> None:
    structures = [f"C{'N' * (i % 7)}" for i in range(3000)]
    structures[5] = "C" * 30_000
    tracemalloc.start()
    group_numbers(structures, len(structures))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000  # an array of fixed-width text would take 360 MB


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(len(SMILES))), st.integers(0, 2))
@pytest.mark.parametrize("split", [Random(), Scaffold()], ids=["random", "scaffold"])
def test_the_order_of_the_rows_does_not_matter(split: Random | Scaffold, order: list[int], seed: int) -> None:
    straight = split.assign(Subjects(len(SMILES), SMILES), (0.8, 0.2), seed)
    shuffled = split.assign(Subjects(len(SMILES), [SMILES[i] for i in order]), (0.8, 0.2), seed)
    assert shuffled.tolist() == straight[order].tolist()


@pytest.mark.parametrize("seed", range(3))
def test_no_scaffold_is_torn(seed: int) -> None:
    folds = k_fold(Scaffold(), Subjects(len(SMILES), SMILES), 5, seed)
    fold_of: dict[str, int] = {}
    for smiles, fold in zip(SMILES, folds.tolist(), strict=True):
        assert fold_of.setdefault(murcko(smiles), fold) == fold


def test_a_scaffold_of_half_the_rows_is_not_held_out() -> None:
    common = [f"{'C' * i}c1ccccc1" for i in range(1, 51)]
    rare = [f"C1CC{'C' * i}C1" for i in range(50)]
    for seed in range(5):
        parts = Scaffold().assign(Subjects(100, common + rare), (0.8, 0.2), seed)
        assert parts[:50].tolist() == [0] * 50
        assert parts.sum() == 20


def test_the_largest_scaffold_is_placed_first() -> None:
    sizes = {"c1ccncc1": 12, "C1CCCC1": 15, "c1ccccc1": 73}
    structures = [f"{'C' * i}{ring}" for ring, n in sizes.items() for i in range(n)]
    parts = Scaffold().assign(Subjects(100, structures), (0.8, 0.2), 0)
    assert parts[27:].tolist() == [0] * 73  # placed last, it would be all that is left for the test part


def test_acyclic_molecules_stay_together() -> None:
    smiles = ["CC", "CCO", "CCN", *SMILES[:40]]
    parts = Scaffold().assign(Subjects(len(smiles), smiles), (0.8, 0.2), 0)
    assert len(set(parts[:3].tolist())) == 1


def test_a_scaffold_split_needs_structures() -> None:
    with pytest.raises(InputError, match="scaffold"):
        Scaffold().assign(Subjects(10), (0.8, 0.2), 0)


def test_classes_have_their_share_in_every_fold() -> None:
    labels = np.asarray([1.0] * 20 + [0.0] * 80)
    folds = k_fold(Stratified(), Subjects(100, labels=labels), 5, seed=0)
    assert [int(labels[folds == fold].sum()) for fold in range(5)] == [4] * 5
    assert np.bincount(folds).tolist() == [20] * 5


@pytest.mark.parametrize("unknown", [1, 3, 10])
def test_rows_without_a_label_are_spread_however_few_they_are(unknown: int) -> None:
    labels = np.asarray([0.0, 1.0] * 20 + [np.nan] * unknown)
    folds = k_fold(Stratified(), Subjects(len(labels), labels=labels), 5, seed=0)
    assert np.bincount(folds[40:], minlength=5).max() == -(-unknown // 5)


def test_a_class_that_cannot_be_in_every_part_is_named() -> None:
    with pytest.raises(InputError, match="class 1"):
        k_fold(Stratified(), Subjects(23, labels=np.asarray([0.0] * 20 + [1.0] * 3)), 5, seed=0)
    with pytest.raises(InputError, match="no labels"):
        k_fold(Stratified(), Subjects(9, labels=np.full(9, np.nan)), 3, seed=0)


def test_a_structure_goes_with_the_class_of_its_first_row() -> None:
    structures = [f"s{i % 30}" for i in range(60)]
    labels = np.asarray([float(i % 2) for i in range(30)] + [0.0] * 30)
    parts = Stratified().assign(Subjects(60, structures, labels), (0.5, 0.5), 0)
    assert parts[:30].tolist() == parts[30:].tolist()
    for label in (0, 1):  # 15 structures of each
        assert int(parts[:30][labels[:30] == label].sum()) in (7, 8)


@pytest.mark.parametrize("test", ["test", "TEST ", "1", "holdout", "true"])
def test_the_rows_the_user_calls_test_are_held_out(test: str) -> None:
    folds = ["train", test, "valid", test]
    assert Predefined().assign(Subjects(4, folds=folds), (0.8, 0.2), 0).tolist() == [0, 1, 0, 1]


def test_named_folds_are_numbered_in_sorted_order() -> None:
    assert Predefined().assign(Subjects(4, folds=["c", "a", "b", "c"]), (1 / 3,) * 3, 0).tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        ([], "no fold column"),
        (["train"] * 4, "fold names train"),
        (["a", "b", "c", "d"], "fold names a, b, c, d"),
        (["train", "test", "", "test"], "row 2"),
        (["train", "test", "None", "test"], "row 2"),
    ],
)
def test_fold_names_that_make_no_parts_are_refused(folds: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Predefined().assign(Subjects(4, folds=folds), (0.8, 0.2), 0)


def test_a_structure_in_two_named_parts_is_refused() -> None:
    with pytest.raises(InputError, match=r"CCO.*row 2"):
        Predefined().assign(Subjects(3, ["CCO", "CCN", "CCO"], folds=["train", "train", "test"]), (0.8, 0.2), 0)
