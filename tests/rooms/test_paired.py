"""Paired resamples, p-values, Holm's correction and letters, each against what it is defined by."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from molmed.metrics import METRICS, Metric, paired_difference
from molmed.metrics.paired import difference, holm, letters, p_value, resamples_needed
from molmed.metrics.resample import resamples, scores

NORMAL = np.random.default_rng(5).standard_normal


def labelled(metric: Metric, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(measured, predicted) with ties in both and every seventh label unknown."""
    rng = np.random.default_rng(seed)
    if metric.kind == "binary":
        measured = (rng.random(rows) < 0.3).astype(float)
        predicted = np.clip((measured + 2 * rng.random(rows)) / 3, 0, 1).round(2)
    else:
        measured = rng.standard_normal(rows).round(1)
        predicted = (measured + rng.standard_normal(rows)).round(1)
    measured[::7] = np.nan
    return measured, predicted


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("rows", [2, 9, 60])
def test_counts_give_what_the_drawn_rows_give(name: str, rows: int) -> None:
    """Undefined resamples included (with 2 or 9 rows many have one class only, or no known label)."""
    metric = METRICS[name]
    measured, predicted = labelled(metric, rows, seed=rows)
    found = np.concatenate([scores(metric, measured, predicted, counts) for counts in resamples(rows, 80, seed=3)])
    rng = np.random.default_rng(3)
    drawn = [rng.integers(0, rows, rows) for _ in range(80)]
    np.testing.assert_allclose(found, [metric(measured[r], predicted[r]) for r in drawn], rtol=1e-9, atol=1e-12)


def test_resamples_do_not_depend_on_how_many_are_held_at_a_time() -> None:
    rows = 300_000
    counts = list(resamples(rows, 7, seed=0))
    assert [len(c) for c in counts] == [3, 3, 1]
    rng = np.random.default_rng(0)
    for found in np.concatenate(counts):
        np.testing.assert_array_equal(found, np.bincount(rng.integers(0, rows, rows), minlength=rows))


def test_an_unknown_prediction_has_no_score() -> None:
    counts = next(resamples(4, 5, seed=0))
    assert np.isnan(scores(METRICS["rmse"], np.arange(4.0), np.asarray([0.0, np.nan, 2.0, 3.0]), counts)).all()


@pytest.mark.parametrize("rows", [8, 25, 1000])
def test_an_interval_is_wider_than_plain_percentiles_as_students_is_than_the_normal_one(rows: int) -> None:
    """For resamples that are normal with the bootstrap's own (biased) spread it is Student's interval."""
    drawn = stats.norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    found = difference(0.0, drawn, rows, 0.95)
    student = stats.t.ppf(0.975, rows - 1) * np.sqrt(rows / (rows - 1))
    assert found.high == pytest.approx(student, rel=2e-3)
    assert found.low == pytest.approx(-student, rel=2e-3)


@pytest.mark.parametrize("rows", [8, 40, 3000])
@pytest.mark.parametrize("shift", [0.0, 0.5, 1.96, 2.5])
def test_the_p_value_is_where_the_interval_begins_to_hold_zero(rows: int, shift: float) -> None:
    drawn = NORMAL(20_000) + shift
    p = p_value(drawn, rows)
    for level, holds in ((1 - 0.9 * p, True), (1 - 1.1 * p, False)):
        if 0 < level < 1:
            interval = difference(shift, drawn, rows, level)
            assert (interval.low <= 0 <= interval.high) == holds


def test_p_values_of_clear_cases() -> None:
    assert p_value(np.zeros(999), 50) == 1.0  # equal models
    assert p_value(np.ones(999), 10_000) == pytest.approx(2 / 1000, rel=1e-2)  # never 0
    assert p_value(np.ones(999), 5) > 2 / 1000
    assert p_value(-np.ones(999), 10_000) == p_value(np.ones(999), 10_000)


def test_too_few_rows_or_resamples_say_nothing() -> None:
    undefined = np.where(np.arange(100) < 11, np.nan, 1.0)
    for drawn, rows in ((undefined, 50), (np.ones(100), 1), (np.empty(0), 50)):
        assert np.isnan(p_value(drawn, rows))
        assert np.isnan(difference(1.0, drawn, rows).low)
    undefined[10] = 1.0
    assert not np.isnan(p_value(undefined, 50))


def test_with_many_rows_the_interval_is_the_percentile_interval() -> None:
    rng = np.random.default_rng(0)
    y = rng.standard_normal(2000)
    a, b = y + rng.standard_normal(2000), y + 1.1 * rng.standard_normal(2000)
    metric = METRICS["rmse"]
    counts = np.concatenate(list(resamples(2000, 1000, seed=0)))
    drawn = scores(metric, y, a, counts) - scores(metric, y, b, counts)
    found = difference(metric(y, a) - metric(y, b), drawn, 2000)
    plain = paired_difference(metric, y, a, b, n=1000, seed=0)
    assert found.value == pytest.approx(plain.value)
    assert found.low == pytest.approx(plain.low, abs=1e-3)
    assert found.high == pytest.approx(plain.high, abs=1e-3)


def test_holm_is_holms() -> None:
    """Worked by hand: times 4, 3, 2, 1 in ascending order, never falling, at most 1."""
    found = holm(np.asarray([0.01, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(found, [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm(np.asarray([0.9, 0.8])), [1.0, 1.0])
    np.testing.assert_allclose(holm(np.asarray([0.02])), [0.02])
    assert holm(np.empty(0)).shape == (0,)


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm(np.asarray([np.nan, 0.02, 0.03]))
    assert np.isnan(found[0])
    np.testing.assert_allclose(found[1:], [0.04, 0.04])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30))
def test_holm_is_between_no_correction_and_bonferronis(p: list[float]) -> None:
    given_p = np.asarray(p)
    found = holm(given_p)
    assert (found >= given_p).all()
    assert (found <= np.minimum(1, given_p * len(p)) + 1e-12).all()
    assert (np.diff(found[np.argsort(given_p, kind="stable")]) >= 0).all()


def test_so_many_resamples_can_find_something_among_so_many_tests() -> None:
    for tests in (1, 45, 1000):
        n = resamples_needed(tests)
        p = np.ones(tests)
        p[0] = 2 / (n + 1)
        assert holm(p)[0] < 0.05 / 2


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.booleans(), min_size=n * n, max_size=n * n)))
)
def test_models_share_a_letter_exactly_if_they_do_not_differ(case: tuple[int, list[bool]]) -> None:
    n, flags = case
    upper = np.triu(np.asarray(flags).reshape(n, n), 1)
    differ = upper | upper.T
    order = list(np.random.default_rng(n).permutation(n))
    found = letters(differ, [int(i) for i in order])
    for a, b in itertools.combinations(range(n), 2):
        assert bool(set(found[a]) & set(found[b])) != bool(differ[a, b])
    assert all(found)
    assert "a" in found[order[0]]
    groups = ["".join(str(i) for i in range(n) if letter in found[i]) for letter in sorted(set("".join(found)))]
    assert len(set(groups)) == len(groups)


def test_letters_of_a_chain() -> None:
    """Neighbours cannot be told apart, the ends can: the middle one belongs to both groups."""
    differ = np.zeros((3, 3), dtype=bool)
    differ[0, 2] = differ[2, 0] = True
    assert letters(differ, [0, 1, 2]) == ["a", "ab", "b"]
    assert letters(differ, [2, 1, 0]) == ["b", "ab", "a"]
    assert letters(np.zeros((3, 3), dtype=bool), [1, 0, 2]) == ["a", "a", "a"]
