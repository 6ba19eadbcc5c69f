"""Label cells become numbers or faults; an empty cell is unknown, and nothing becomes 0 by itself."""

import numpy as np
import pytest

from molmed.data.labels import parse
from molmed.results import Reason

EMPTY = ["", " ", "NA", "n/a", "nan", "None", "null", "?", None, float("nan")]


@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_an_empty_cell_is_unknown_and_no_fault(kind: str) -> None:
    values, faults = parse(EMPTY, kind, "y")
    assert np.isnan(values).all()
    assert faults == [None] * len(EMPTY)


def test_numbers_are_read_in_order() -> None:
    values, faults = parse(["1.5", -2, 3.25, "1e-3", " 7 ", "", np.float32(0.5)], "regression", "pIC50")
    np.testing.assert_array_equal(values, [1.5, -2, 3.25, 1e-3, 7, np.nan, 0.5])
    assert not any(faults)


@pytest.mark.parametrize("cell", ["active", "1,5", ">10", "5 nM", "1_000", "inf", "-inf", "1e999", True, [1.0]])
def test_a_label_that_is_no_number_is_a_fault(cell: object) -> None:
    values, faults = parse(["1", cell, "2"], "regression", "pIC50")
    np.testing.assert_array_equal(values, [1, np.nan, 2])
    assert [f is None for f in faults] == [True, False, True]
    fault = faults[1]
    assert fault is not None
    assert (fault.step, fault.reason) == ("label", Reason.TARGET_NOT_A_NUMBER)
    assert "pIC50" in fault.detail
    assert str(cell)[:5] in fault.detail


POSITIVE = ["1", "1.0", 1, 1.0, "1.000", True, np.True_, "true", "TRUE", "Active", " yes ", "positive"]
NEGATIVE = ["0", "0.0", 0, 0.0, "-0", False, np.False_, "false", "FALSE", "Inactive", " no ", "negative"]


def test_the_usual_words_for_classes_are_read() -> None:
    values, faults = parse([*POSITIVE, *NEGATIVE], "binary", "active")
    assert values.tolist() == [1.0] * len(POSITIVE) + [0.0] * len(NEGATIVE)
    assert not any(faults)


@pytest.mark.parametrize("cell", ["2", "-1", 0.5, "maybe", "inconclusive", "01x", "yes!", [1]])
def test_a_label_that_is_no_class_is_a_fault(cell: object) -> None:
    values, faults = parse([cell, "1"], "binary", "active")
    np.testing.assert_array_equal(values, [np.nan, 1])
    assert faults[0] is not None
    assert faults[0].reason == Reason.TARGET_NOT_A_CLASS
    assert "0/1" in faults[0].detail


def test_a_long_cell_is_cut_in_the_message() -> None:
    _, (fault,) = parse(["x" * 10_000], "regression", "y")
    assert fault is not None
    assert len(fault.detail) < 150


def test_no_cells_make_no_labels() -> None:
    values, faults = parse([], "regression", "y")
    assert (len(values), faults) == (0, [])
