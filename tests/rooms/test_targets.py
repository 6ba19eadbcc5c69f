"""Targets refuse nonsense; a scale is learnt from known values and undone exactly."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from molmed.errors import ConfigError
from molmed.targets import Scale, Target

values = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e4, 1e4, allow_subnormal=False))


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_weight_must_be_above_zero(weight: float) -> None:
    with pytest.raises(ConfigError, match=r"'pAct'.*weight"):
        Target("pAct", weight=weight)


@given(values)
def test_inverse_undoes_forward(x: np.ndarray) -> None:
    scale = Scale.fit(x, "regression")
    # relative to the largest value: (x - mean) cancels at most that many digits
    np.testing.assert_allclose(scale.inverse(scale.forward(x)), x, rtol=0, atol=1e-12 * (1 + np.abs(x).max()))


@given(values, st.lists(st.integers(0, 39), max_size=20))
def test_unknown_values_do_not_move_the_scale(x: np.ndarray, places: list[int]) -> None:
    with_gaps = np.insert(x, [min(p, len(x)) for p in places], np.nan)
    assert Scale.fit(with_gaps, "regression") == Scale.fit(x, "regression")


def test_known_values_get_mean_zero_and_deviation_one() -> None:
    x = np.array([4.5, np.nan, 6.0, 9.0, 7.25])
    learnt = Scale.fit(x, "regression").forward(x)
    assert np.isnan(learnt[1])
    assert np.nanmean(learnt) == pytest.approx(0, abs=1e-12)
    assert np.nanstd(learnt) == pytest.approx(1)


@pytest.mark.parametrize("x", [np.full(5, 6.1), np.array([np.nan, 6.1]), np.array([6.1])])
def test_a_constant_column_keeps_its_unit(x: np.ndarray) -> None:
    scale = Scale.fit(x, "regression")
    assert scale.scale == 1.0
    np.testing.assert_allclose(scale.inverse(np.zeros(1)), 6.1, rtol=1e-15)


@pytest.mark.parametrize(("x", "kind"), [(np.array([0.0, 1.0, 1.0]), "binary"), (np.full(3, np.nan), "regression")])
def test_classes_and_columns_without_a_known_value_are_left_as_they_are(x: np.ndarray, kind: str) -> None:
    assert Scale.fit(x, kind) == Scale()  # type: ignore[arg-type]
