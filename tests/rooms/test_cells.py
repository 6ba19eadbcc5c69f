"""A cell is missing, a number or text, and a column of cells gives what its cells give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molmed.data.cells import is_missing, number, numbers

MISSING = [
    None,
    "",
    "  ",
    "NA",
    "n/a",
    "#N/A",
    "<NA>",
    "NaN",
    "-nan",
    "None",
    "null",
    "?",
    float("nan"),
    np.float32("nan"),
]
NUMBERS = {
    "1.5": 1.5,
    " -2e3 ": -2000.0,
    ".5": 0.5,
    "007": 7.0,
    3: 3.0,
    2.5: 2.5,
    np.float32(0.5): 0.5,
    np.int64(4): 4.0,
}
WRONG = [
    "high",
    "1,5",
    "1.5 nM",
    ">10",
    "1_000",
    "inf",
    "-Infinity",
    "0x10",
    "1e999",
    True,
    np.True_,
    False,
    [1.0],
    10**400,
]


@pytest.mark.parametrize("cell", MISSING, ids=repr)
def test_a_missing_cell_is_no_number(cell: object) -> None:
    assert is_missing(cell)
    assert number(cell) is None


@pytest.mark.parametrize("cell", NUMBERS, ids=repr)
def test_a_number_is_read(cell: object) -> None:
    assert number(cell) == NUMBERS[cell]
    assert not is_missing(cell)


@pytest.mark.parametrize("cell", WRONG, ids=repr)
def test_what_is_neither_is_not_guessed(cell: object) -> None:
    assert number(cell) is None
    assert not is_missing(cell)


text_cells = st.sampled_from([c for c in (*MISSING, *NUMBERS, *WRONG) if isinstance(c, str)]) | st.text(max_size=5)
any_cells = text_cells | st.sampled_from([*MISSING, *NUMBERS, *WRONG]) | st.floats() | st.integers() | st.booleans()
columns = st.one_of(
    st.lists(st.floats()),
    st.lists(st.floats() | st.none()),
    st.lists(st.floats().map(str)),
    st.lists(st.floats(-9, 9).map(str) | st.just("")),
    st.lists(text_cells),
    st.lists(st.sampled_from(["a", "1", "NA", "2_0", "inf"]), min_size=30),
    st.lists(any_cells),
)


@given(columns)
def test_a_column_is_read_as_its_cells_are(cells: list[object]) -> None:
    values, wrong = numbers(cells)
    assert (values.dtype, wrong.dtype) == (np.float64, np.bool_)
    expected = [number(c) for c in cells]
    np.testing.assert_array_equal(values, np.asarray([np.nan if e is None else e for e in expected]))
    assert wrong.tolist() == [e is None and not is_missing(c) for e, c in zip(expected, cells, strict=True)]
