"""Every metric is what scikit-learn, SciPy or RDKit compute, and its interval covers as often as it says."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rdkit.ML.Scoring import Scoring
from scipy import stats
from sklearn import metrics as sk

from molmed.errors import UnknownNameError
from molmed.metrics import METRICS, Metric, interval, metric, paired_difference, shown
from molmed.results import Interval

REGRESSION = tuple(name for name, m in METRICS.items() if m.kind == "regression")
BINARY = tuple(name for name, m in METRICS.items() if m.kind == "binary")


def _rdkit(labels: np.ndarray, scores: np.ndarray) -> list[list[float]]:
    """RDKit's input: one [label] row per compound, best score first."""
    return [[label] for label in labels[np.argsort(-scores, kind="stable")].tolist()]


# name -> the same on (measured, predicted) by somebody else. A new metric needs one entry.
REFERENCES: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "rmse": sk.root_mean_squared_error,
    "mae": sk.mean_absolute_error,
    "r2": sk.r2_score,
    "pearson": lambda y, p: stats.pearsonr(y, p).statistic,
    "spearman": lambda y, p: stats.spearmanr(y, p).statistic,
    "auroc": sk.roc_auc_score,
    "auprc": sk.average_precision_score,
    "accuracy": lambda y, p: sk.accuracy_score(y, p >= 0.5),
    "balanced_accuracy": lambda y, p: sk.balanced_accuracy_score(y, p >= 0.5),
    "f1": lambda y, p: sk.f1_score(y, p >= 0.5, zero_division=0.0),
    "mcc": lambda y, p: sk.matthews_corrcoef(y, p >= 0.5),
    "brier": sk.brier_score_loss,
    "log_loss": lambda y, p: sk.log_loss(y, p, labels=[0, 1]),
    "bedroc": lambda y, p: Scoring.CalcBEDROC(_rdkit(y, p), 0, 20.0),
    "ef1": lambda y, p: Scoring.CalcEnrichment(_rdkit(y, p), 0, [0.01])[0],
}
RANKING = ("bedroc", "ef1")  # RDKit leaves equal scores in the order they come in


def rows(name: str, n: int, seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    if METRICS[name].kind == "regression":
        measured = rng.normal(3, 2, n)
        predicted = measured + rng.normal(0, 1, n)
        return (measured.round(), predicted.round()) if ties else (measured, predicted)
    measured = (rng.random(n) < 0.3).astype(float)
    measured[:2] = 0, 1
    predicted = 1 / (1 + np.exp(-(measured * 1.5 + rng.normal(-1, 1, n))))
    return measured, predicted.round(1) if ties else predicted


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [2, 5, 37, 1000])
@pytest.mark.parametrize("name", METRICS)
def test_a_metric_agrees_with_its_reference(name: str, n: int, ties: bool) -> None:
    if ties and name in RANKING:
        return
    for seed in range(5):
        measured, predicted = rows(name, n, seed, ties)
        if name in ("r2", "pearson", "spearman") and (np.ptp(measured) == 0 or np.ptp(predicted) == 0):
            continue
        assert metric(name)(measured, predicted) == pytest.approx(
            REFERENCES[name](measured, predicted), rel=1e-12, abs=1e-12
        )


LABELLED = st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1)), min_size=2, max_size=30)


@settings(max_examples=150, deadline=None)
@given(LABELLED)
def test_classification_agrees_on_whatever_probabilities(cells: list[tuple[int, float]]) -> None:
    measured, predicted = (np.asarray(column, dtype=float) for column in zip(*cells, strict=True))
    assume(0 < measured.sum() < len(measured))
    for name in BINARY:
        if name not in RANKING:
            expected = REFERENCES[name](measured, predicted)
            assert metric(name)(measured, predicted) == pytest.approx(expected, rel=1e-12, abs=1e-12), name


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(*2 * [st.floats(-1e6, 1e6)]), min_size=2, max_size=30))
def test_regression_agrees_on_whatever_numbers(cells: list[tuple[float, float]]) -> None:
    measured, predicted = (np.asarray(column) for column in zip(*cells, strict=True))
    assume(np.ptp(measured) > 1e-3)
    assume(np.ptp(predicted) > 1e-3)
    for name in REGRESSION:
        expected = REFERENCES[name](measured, predicted)
        assert metric(name)(measured, predicted) == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@settings(deadline=None)
@given(st.permutations(range(8)), st.integers(1, 7))
def test_the_rankings_agree_with_rdkit_on_whatever_order(order: list[int], actives: int) -> None:
    labels = (np.asarray(order) < actives).astype(float)
    scores = np.arange(8.0)[::-1]
    for name in RANKING:
        assert metric(name)(labels, scores) == pytest.approx(REFERENCES[name](labels, scores), rel=1e-12)


@pytest.mark.parametrize("name", RANKING)
def test_equal_scores_are_worth_the_mean_over_their_orders(name: str) -> None:
    """RDKit's value, averaged over 4,000 random orders of the ties; four standard errors."""
    rng = np.random.default_rng(0)
    labels, scores = np.repeat([1.0, 0.0, 1.0, 0.0], [2, 6, 3, 139]), np.repeat([0.9, 0.8, 0.1], [4, 50, 96])
    values = []
    for _ in range(4000):
        shuffle = rng.permutation(len(labels))
        values.append(REFERENCES[name](labels[shuffle], scores[shuffle]))
    error = np.std(values) / math.sqrt(len(values))
    assert metric(name)(labels, scores) == pytest.approx(float(np.mean(values)), abs=4 * error)
    again = rng.permutation(len(labels))
    assert metric(name)(labels[again], scores[again]) == pytest.approx(metric(name)(labels, scores), rel=1e-12)


def test_a_score_that_says_nothing_is_worth_nothing_however_the_rows_lie() -> None:
    actives_first, nothing = np.repeat([1.0, 0.0], [20, 180]), np.full(200, 0.3)
    assert metric("auroc")(actives_first, nothing) == 0.5
    assert metric("auprc")(actives_first, nothing) == pytest.approx(0.1)
    assert metric("ef1")(actives_first, nothing) == pytest.approx(1.0)
    assert metric("bedroc")(actives_first, nothing) < 0.2


@pytest.mark.parametrize("name", METRICS)
def test_unknown_labels_are_left_out(name: str) -> None:
    measured, predicted = rows(name, 60, 1, ties=False)
    unknown = np.arange(60) % 3 == 2
    expected = metric(name)(measured[~unknown], predicted[~unknown])
    predicted = np.where(unknown, np.nan, predicted)
    assert metric(name)(np.where(unknown, np.nan, measured), predicted) == expected
    assert math.isfinite(expected)


@pytest.mark.parametrize("name", METRICS)
def test_without_a_known_label_or_with_an_unknown_prediction_there_is_no_score(name: str) -> None:
    measured, predicted = rows(name, 10, 0, ties=False)
    assert math.isnan(metric(name)(np.full(10, np.nan), predicted))
    assert math.isnan(metric(name)(np.empty(0), np.empty(0)))
    predicted[4] = np.nan
    assert math.isnan(metric(name)(measured, predicted))


@pytest.mark.parametrize("name", ["auroc", "auprc", "balanced_accuracy", "mcc", "bedroc"])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_one_class_has_no_such_score(name: str, label: float) -> None:
    assert math.isnan(metric(name)(np.full(5, label), np.linspace(0, 1, 5)))


def test_an_enrichment_of_nothing_is_not_defined() -> None:
    assert math.isnan(metric("ef1")(np.zeros(5), np.linspace(0, 1, 5)))


@pytest.mark.parametrize("name", ["r2", "pearson", "spearman"])
@pytest.mark.parametrize("value", [0.1, 1 / 3, -7.3e11])
def test_a_constant_measurement_has_no_such_score(name: str, value: float) -> None:
    """Also where the rounded mean of equal numbers is not that number."""
    for n in (1, 3, 10):
        assert math.isnan(metric(name)(np.full(n, value), np.linspace(0, 1, n)))


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_a_constant_prediction_has_no_correlation(name: str) -> None:
    assert math.isnan(metric(name)(np.linspace(0, 1, 10), np.full(10, 0.1)))


def test_a_correlation_stays_within_one() -> None:
    x = np.asarray([0.1, 0.2, 0.3]) * 1e-8 + 1e3
    for y in (x, -x, 3 * x - 7):
        assert abs(metric("pearson")(x, y)) <= 1
        assert abs(metric("spearman")(x, y)) == pytest.approx(1)


def test_certain_and_wrong_is_bounded() -> None:
    worst = metric("log_loss")(np.asarray([0.0, 1.0]), np.asarray([1.0, 0.0]))
    assert worst == pytest.approx(-math.log(np.finfo(float).eps))


@pytest.mark.parametrize("name", METRICS)
def test_the_direction_is_that_of_a_better_prediction(name: str) -> None:
    measured, _ = rows(name, 400, 0, ties=False)
    rng = np.random.default_rng(1)
    good, bad = (measured + rng.normal(0, spread, 400) for spread in (0.02, 2.0))
    if METRICS[name].kind == "binary":
        good, bad = np.clip(good, 1e-3, 1 - 1e-3), np.clip(bad, 1e-3, 1 - 1e-3)
    score = metric(name)
    assert score.better(score(measured, good), score(measured, bad))
    assert not score.better(score(measured, bad), score(measured, good))
    assert not score.better(math.nan, score(measured, bad))


def test_a_metric_is_found_by_its_name_or_the_nearest_is_named() -> None:
    assert metric("auroc") is METRICS["auroc"]
    with pytest.raises(UnknownNameError, match="did you mean 'auroc'"):
        metric("auroq")
    assert all(name == m.name for name, m in METRICS.items())


def test_a_table_shows_the_tasks_own_metric_first_and_once() -> None:
    for kind, first in (("binary", "bedroc"), ("regression", "mae")):
        names = [m.name for m in shown(kind, first)]
        assert names[0] == first
        assert len(set(names)) == len(names) > 1


def test_an_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Mean of 60 normal numbers, 400 repeats at 90 %: the count is within the 99.9 % range of a binomial.

    The percentile interval of a mean is known to be a little narrow: sqrt(59 / 60) of it, and the normal's
    quantile in place of Student's, give 0.893.
    """
    mean = Metric("mean", lambda y, p: float(p.mean()), "regression", True)
    rng = np.random.default_rng(7)
    held = 0
    for seed in range(400):
        sample = rng.normal(5, 2, 60)
        found = interval(mean, sample, sample, n=400, level=0.9, seed=seed)
        held += found.low <= 5 <= found.high
    low, high = stats.binom.ppf([0.0005, 0.9995], 400, 0.893)
    assert low <= held <= high


def test_an_interval_is_the_percentiles_of_the_resampled_scores() -> None:
    measured, predicted = rows("auroc", 80, 2, ties=True)
    rng = np.random.default_rng(4)
    scores = []
    for _ in range(200):
        drawn = rng.integers(0, 80, 80)
        scores.append(sk.roc_auc_score(measured[drawn], predicted[drawn]))
    found = interval(metric("auroc"), measured, predicted, n=200, level=0.8, seed=4)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(scores, [0.1, 0.9])), rel=1e-12)
    assert found.value == pytest.approx(sk.roc_auc_score(measured, predicted))
    assert found.level == 0.8


@pytest.mark.parametrize("name", METRICS)
def test_equal_seeds_give_equal_intervals_around_the_score(name: str) -> None:
    measured, predicted = rows(name, 150, 3, ties=False)
    first, again, other = (interval(metric(name), measured, predicted, n=50, seed=s) for s in (1, 1, 2))
    assert first == again
    assert (first.low, first.high) != (other.low, other.high)
    assert first.low <= first.value <= first.high


def test_unknown_labels_do_not_enter_an_interval() -> None:
    measured, predicted = rows("rmse", 50, 0, ties=False)
    padded = np.concatenate([measured, np.full(30, np.nan)])
    guessed = np.concatenate([predicted, np.full(30, np.nan)])
    assert interval(metric("rmse"), padded, guessed, n=50) == interval(metric("rmse"), measured, predicted, n=50)


def assert_no_bounds(found: Interval) -> None:
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_where_many_resamples_have_no_score_there_is_no_interval() -> None:
    one_of_five = np.asarray([1.0, 0, 0, 0, 0])
    found = interval(metric("auroc"), one_of_five, np.linspace(1, 0, 5))
    assert found.value == 1.0
    assert_no_bounds(found)
    nothing = interval(metric("auroc"), np.full(3, np.nan), np.zeros(3))
    assert math.isnan(nothing.value)
    assert_no_bounds(nothing)


def test_equal_predictions_differ_by_nothing() -> None:
    for name in METRICS:
        measured, predicted = rows(name, 100, 5, ties=False)
        assert paired_difference(metric(name), measured, predicted, predicted.copy(), n=50) == Interval(0.0, 0.0, 0.0)


def test_a_difference_is_paired() -> None:
    """Two predictions of almost the same errors: the difference is known far better than either score."""
    rng = np.random.default_rng(0)
    measured = rng.normal(size=200)
    a = measured + rng.normal(size=200)
    b = a + rng.normal(0, 0.02, 200)
    worse = b + 0.3 * np.sign(b - measured)
    rmse = metric("rmse")
    found = paired_difference(rmse, measured, worse, b, n=300)
    assert found.value == pytest.approx(rmse(measured, worse) - rmse(measured, b))
    assert 0 < found.low < found.value < found.high
    alone = interval(rmse, measured, b, n=300)
    assert found.high - found.low < 0.2 * (alone.high - alone.low)
    assert paired_difference(rmse, measured, b, worse, n=300).value == -found.value
    assert paired_difference(rmse, measured, worse, b, n=300) == found
