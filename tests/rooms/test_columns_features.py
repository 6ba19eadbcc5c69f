"""Table columns: numbers as scikit-learn imputes and scales them, categories one-hot, a stray cell is a fault."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from molmed.features.columns import NUMERIC_SHARE, Columns, ColumnsConfig
from molmed.results import Reason


def fit_one(cells: list[object]) -> dict:
    (column,) = Columns().fit([(c,) for c in cells])["columns"]
    return column


def vectors(training: list[object], cells: list[object], config: ColumnsConfig | None = None) -> np.ndarray:
    featurizer = Columns(config)
    state = featurizer.fit([(c,) for c in training])
    return featurizer.featurize([(c,) for c in cells], state).fields["x"]


def test_numbers_are_imputed_and_scaled_as_in_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    table = rng.normal(5, 3, (50, 4))
    table[rng.random(table.shape) < 0.2] = np.nan
    new = rng.normal(5, 3, (9, 4))
    new[2, 1] = new[5, 3] = np.nan
    imputer, scaler = SimpleImputer(strategy="median"), StandardScaler()
    scaler.fit(imputer.fit_transform(table))
    featurizer = Columns()
    state = featurizer.fit(table.tolist())
    ours = featurizer.featurize(new.tolist(), state).fields["x"]
    np.testing.assert_allclose(ours[:, 0::2], scaler.transform(imputer.transform(new)), rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(ours[:, 1::2], np.isnan(new))


def test_categories_are_one_hot_as_in_scikit_learn() -> None:
    training = ["b", "a", "b", "c", "a", "b"]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit([[c] for c in training])
    ours = vectors(training, ["a", "b", "c", "b"])
    np.testing.assert_array_equal(ours[:, :-1], encoder.transform([["a"], ["b"], ["c"], ["b"]]))
    assert ours[:, -1].tolist() == [0] * 4


def test_an_unseen_category_has_its_column_and_a_gap_none() -> None:
    assert vectors(["a", "b"], ["c", "", None, " a "]).tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_rare_categories_share_the_last_column() -> None:
    training = ["a"] * 5 + ["b"] * 4 + ["c"] * 3 + ["d"]
    x = vectors(training, ["a", "b", "c", "d"], ColumnsConfig(max_categories=2))
    assert x.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]]


def test_categories_of_equal_frequency_are_kept_in_alphabetical_order() -> None:
    for training in (["c", "b", "a"], ["a", "b", "c"]):
        state = Columns(ColumnsConfig(max_categories=2)).fit([(c,) for c in training])
        assert state["columns"][0]["categories"] == ["a", "b"]


def test_a_number_written_as_text_is_the_number() -> None:
    np.testing.assert_array_equal(vectors([1, 2, 3], ["1", " 2.0 ", "3e0"]), vectors(["1", "2", "3"], [1, 2, 3]))


def test_a_column_without_a_gap_in_training_has_no_column_for_gaps() -> None:
    assert vectors([1, 2, 3], [2, None]).tolist() == [[0], [0]]  # both at the median, which is the mean here
    assert vectors([1, 2, 3, ""], [2, None]).shape == (2, 2)


def test_a_constant_and_an_empty_column_are_harmless() -> None:
    np.testing.assert_array_equal(vectors([4, 4, 4], [4, 5]), [[0], [1]])
    np.testing.assert_array_equal(vectors([None, "", "NA"], [None, 3]), [[0, 1], [3, 0]])


def test_a_column_is_numeric_from_the_documented_share_of_numbers_on() -> None:
    assert NUMERIC_SHARE == 0.8
    assert fit_one(["1"] * 8 + ["high"] * 2)["kind"] == "number"
    assert fit_one(["1"] * 7 + ["high"] * 3)["kind"] == "text"
    assert fit_one(["1"] * 8 + ["high"] * 2 + [""] * 90)["kind"] == "number"  # of the known cells
    assert fit_one(["1", "high"])["kind"] == "text"


def test_stray_cells_change_nothing_that_is_learnt() -> None:
    numbers = [str(i * i) for i in range(20)]
    strays = ["high", "1_000", "inf", True]
    clean, dirty = fit_one([*numbers, ""]), fit_one([*numbers[:7], *strays, *numbers[7:], ""])
    assert clean == dirty
    assert clean["gaps"]
    assert not fit_one([*numbers, "high"])["gaps"]  # it is rejected, not filled


def test_a_stray_cell_is_unreadable_and_named() -> None:
    featurizer = Columns()
    state = featurizer.fit([(i, "a", i / 2) for i in range(9)])
    items = [
        (1, "a", 2),
        ("high", "a", 2),
        (1, 7, "x" * 500),
        (None, None, "NA"),
        ("low", "z", "inf"),
        ("1.5", "new", 2),
    ]
    faults = featurizer.unreadable(items, state)
    assert [f is None for f in faults] == [True, False, False, True, False, True]
    assert all(f.reason == Reason.CELL_NOT_A_NUMBER and f.step == "features" for f in faults if f)
    first, long, both = (f.detail for f in faults if f)
    assert first == "column 1 of the slot holds 'high', numbers are expected"
    assert long.startswith("column 3 of the slot holds 'xxx")
    assert len(long) < 150
    assert "column 1" in both  # the first of two


def test_true_and_false_are_categories_as_their_text_is() -> None:
    assert fit_one([True, False, True]) == fit_one(["True", "False", "True"])
    assert fit_one([True, False, True])["kind"] == "text"


cells = st.floats(-1e6, 1e6).map(str) | st.integers(-9, 9) | st.none() | st.sampled_from(["", "high", "NA", "inf"])


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=30))
def test_every_row_is_either_a_finite_vector_or_a_fault(rows: list[tuple[object, object]]) -> None:
    featurizer = Columns()
    state = featurizer.fit(rows)
    good = [row for row, fault in zip(rows, featurizer.unreadable(rows, state), strict=True) if fault is None]
    x = featurizer.featurize(good, state).fields["x"]
    assert x.shape == (len(good), featurizer.dims(state)["dim"])
    assert np.isfinite(x).all()
