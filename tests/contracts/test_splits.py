"""Every split gives whole parts of about the asked sizes, and equal structures are always in one of them."""

import inspect
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molmed import catalog
from molmed.data.splits import Split, Subjects, holdout, k_fold
from molmed.errors import InputError

SPLITS = catalog.names("splits")
SIZES_OF_ITS_OWN = {"predefined"}
"""Splits whose parts have the sizes that the user gave them, whatever is asked."""

NOTHING_IS_DRAWN = {"predefined"}
"""Splits that give the same parts for every seed."""

# forty different scaffolds: two rings and a chain between them
RINGS = tuple(f"c1ccccc1{'C' * i}{ring}" for ring in ("c1ccncc1", "C1CCCC1") for i in range(20))
FRACTIONS = ((0.8, 0.2), (0.5, 0.5), (0.2,) * 5, (0.7, 0.2, 0.1))


def load(name: str) -> Split:
    return catalog.load("splits", name)()


def subjects(which: Sequence[int], parts: int) -> Subjects:
    """Rows with the structures of these numbers; class and fold name go with the structure."""
    names = ["train", "test"] if parts == 2 else [f"fold {i}" for i in range(parts)]
    labels = np.asarray([float(i % 2) for i in which])
    return Subjects(len(which), [RINGS[i] for i in which], labels, [names[i % parts] for i in which])


@st.composite
def repeated(draw: st.DrawFn) -> list[int]:
    """Every structure at least once, some up to four times, in any order."""
    more = draw(st.lists(st.integers(0, len(RINGS) - 1), max_size=60))
    which = list(range(len(RINGS)))
    for i in more:
        which += [i] * (which.count(i) < 4)
    return draw(st.permutations(which))


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_needs_no_arguments(name: str) -> None:
    entry = catalog.load("splits", name)
    assert issubclass(entry, Split)
    assert not inspect.isabstract(entry)
    assert isinstance(entry(), Split)


@settings(max_examples=15, deadline=None)
@given(which=repeated(), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", SPLITS)
def test_every_row_has_one_part_and_no_part_is_empty(
    name: str, which: list[int], fractions: tuple[float, ...], seed: int
) -> None:
    parts = load(name).assign(subjects(which, len(fractions)), fractions, seed)
    assert parts.shape == (len(which),)
    assert parts.dtype == np.int64
    assert set(parts.tolist()) == set(range(len(fractions)))


@settings(max_examples=15, deadline=None)
@given(which=repeated(), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", SPLITS)
def test_equal_structures_are_in_one_part(name: str, which: list[int], fractions: tuple[float, ...], seed: int) -> None:
    parts = load(name).assign(subjects(which, len(fractions)), fractions, seed)
    part_of = dict(zip(which, parts.tolist(), strict=True))
    assert [part_of[i] for i in which] == parts.tolist()


@settings(max_examples=15, deadline=None)
@given(which=repeated(), fractions=st.sampled_from(FRACTIONS), seed=st.integers(0, 3))
@pytest.mark.parametrize("name", [n for n in SPLITS if n not in SIZES_OF_ITS_OWN])
def test_parts_have_about_the_asked_sizes(name: str, which: list[int], fractions: tuple[float, ...], seed: int) -> None:
    parts = load(name).assign(subjects(which, len(fractions)), fractions, seed)
    sizes = np.bincount(parts, minlength=len(fractions))
    largest = max(which.count(i) for i in set(which))
    # a group is never torn and each of the two classes may be filled on its own: so much may a part be off
    assert np.abs(sizes - np.asarray(fractions) * len(which)).max() <= 2 * largest


@pytest.mark.parametrize("name", SPLITS)
def test_the_same_seed_gives_the_same_parts(name: str) -> None:
    which = [i % len(RINGS) for i in range(90)]
    first = load(name).assign(subjects(which, 5), (0.2,) * 5, seed=7)
    np.random.default_rng(0).random(3)
    again = load(name).assign(subjects(which, 5), (0.2,) * 5, seed=7)
    np.testing.assert_array_equal(first, again)


@pytest.mark.parametrize("name", [n for n in SPLITS if n not in NOTHING_IS_DRAWN])
def test_another_seed_gives_other_parts(name: str) -> None:
    made = {load(name).assign(subjects(range(40), 2), (0.8, 0.2), seed).tobytes() for seed in range(5)}
    assert len(made) == 5


@pytest.mark.parametrize("name", SPLITS)
def test_a_split_leaves_its_input_and_the_global_generator_alone(name: str) -> None:
    given_ = subjects(range(40), 2)
    labels, structures = given_.labels.copy(), list(given_.structures)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    load(name).assign(given_, (0.8, 0.2), 0)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    np.testing.assert_array_equal(given_.labels, labels)
    assert list(given_.structures) == structures


@pytest.mark.parametrize("k", [2, 5])
@pytest.mark.parametrize("name", SPLITS)
def test_k_folds_hold_every_row_once(name: str, k: int) -> None:
    which = [i % len(RINGS) for i in range(90)]
    folds = k_fold(load(name), subjects(which, k), k, seed=0)
    held_out = np.concatenate([np.flatnonzero(folds == fold) for fold in range(k)])
    assert sorted(held_out.tolist()) == list(range(90))


@pytest.mark.parametrize("name", SPLITS)
def test_a_held_out_part_is_ascending_row_numbers_of_about_the_fraction(name: str) -> None:
    rows = holdout(load(name), subjects(range(40), 2), 0.25, seed=0)
    assert rows.dtype == np.int64
    assert rows.tolist() == sorted(set(rows.tolist()))
    if name not in SIZES_OF_ITS_OWN:
        assert len(rows) == 10


@pytest.mark.parametrize("parts", [2, 5])
@pytest.mark.parametrize("name", SPLITS)
def test_too_few_groups_are_refused(name: str, parts: int) -> None:
    same = Subjects(6, [RINGS[0]] * 6, np.zeros(6), ["train"] * 6)
    with pytest.raises(InputError, match="splitting"):
        load(name).assign(same, (1 / parts,) * parts, 0)
