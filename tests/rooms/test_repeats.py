"""Repeated structures become one row with the median or the majority, and every other row says where it went."""

from collections import Counter
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molmed.data.repeats import Merged, merge
from molmed.results import Reason
from molmed.targets import Target

NAN = float("nan")
AMOUNT, CLASS = Target("amount"), Target("class", "binary")


def merged(structures: list[str], values: list[list[float]], targets: list[Target] | None = None) -> Merged:
    targets = targets or [AMOUNT]
    rows = np.arange(100, 100 + len(structures))
    return merge(structures, np.asarray(values, dtype=float).reshape(len(structures), len(targets)), targets, rows)


def test_different_structures_stay_as_they_are() -> None:
    done = merged(["C", "CC", "CCC"], [[1], [2], [3]])
    assert done.kept.tolist() == [0, 1, 2]
    assert done.values[:, 0].tolist() == [1, 2, 3]
    assert done.faults == {}


def test_regression_takes_the_median_and_a_class_the_majority() -> None:
    done = merged(["C", "CC", "C", "C"], [[1, 1], [9, 0], [100, 1], [2, 0]], [AMOUNT, CLASS])
    assert done.kept.tolist() == [0, 1]
    assert done.values.tolist() == [[2, 1], [9, 0]]


def test_the_median_of_two_is_their_mean() -> None:
    assert merged(["C", "C"], [[1], [4]]).values.tolist() == [[2.5]]


def test_unknown_labels_do_not_count() -> None:
    done = merged(["C", "C", "C"], [[NAN, NAN], [3, NAN], [NAN, 1]], [AMOUNT, CLASS])
    assert done.values.tolist() == [[3, 1]]


def test_a_merged_row_names_the_row_it_went_into() -> None:
    done = merged(["CC", "C", "CC", "CC"], [[1], [2], [3], [4]])
    assert sorted(done.faults) == [2, 3]
    for fault in done.faults.values():
        assert (fault.step, fault.reason, fault.detail) == ("repeats", Reason.MERGED, "merged into row 100")


def test_a_tie_of_classes_rejects_all_its_rows() -> None:
    done = merged(["C", "CC", "C"], [[1], [1], [0]], [CLASS])
    assert done.kept.tolist() == [1]
    assert {row: fault.reason for row, fault in done.faults.items()} == {0: Reason.CONFLICT, 2: Reason.CONFLICT}
    assert "100, 102" in done.faults[0].detail


def test_a_tie_in_one_target_leaves_the_others() -> None:
    done = merged(["C", "C"], [[1, 5], [0, 7]], [CLASS, AMOUNT])
    assert done.kept.tolist() == [0]
    np.testing.assert_array_equal(done.values, [[NAN, 6]])
    assert done.faults[1].reason == Reason.MERGED


def test_no_rows_stay_no_rows() -> None:
    done = merged([], [], [AMOUNT, CLASS])
    assert done.kept.tolist() == []
    assert done.values.shape == (0, 2)


labels = st.sampled_from([NAN, 0.0, 1.0])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.tuples(labels, labels)), max_size=25))
def test_every_row_is_kept_or_says_why_not(rows: list[tuple[str, tuple[float, float]]]) -> None:
    structures = [s for s, _ in rows]
    values = [list(v) for _, v in rows]
    done = merged(structures, values, [AMOUNT, CLASS])
    kept = done.kept.tolist()
    assert kept == sorted(kept)
    assert sorted([*kept, *done.faults]) == list(range(len(rows)))
    for row, (amount, label) in zip(kept, done.values.tolist(), strict=True):
        assert structures.index(structures[row]) == row
        same = [values[i] for i, s in enumerate(structures) if s == structures[row]]
        amounts = [a for a, _ in same if a == a]
        counts = Counter(c for _, c in same if c == c).most_common()
        assert amount == pytest.approx(median(amounts) if amounts else NAN, nan_ok=True)
        tie = len(counts) == 0 or (len(counts) > 1 and counts[0][1] == counts[1][1])
        assert label == pytest.approx(NAN if tie else counts[0][0], nan_ok=True)
