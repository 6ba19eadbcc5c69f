"""Comparisons claim a difference where there is one, and where there is none in 5 % of the cases at most."""

import json

import numpy as np
import pytest

from molmed.errors import InputError, UnknownNameError
from molmed.experiment.compare import compare_predictions
from molmed.experiment.comparison import MEAN, Comparison
from molmed.targets import Kind, Target

REPEATS = 250
LIMIT = 0.05 + 3.1 * np.sqrt(0.05 * 0.95 / REPEATS)
"""A share that a true 5 % exceeds once in a thousand times (normal approximation of the binomial)."""


def draw(kind: Kind, noise: dict[str, float], rows: int, rng: np.random.Generator) -> tuple[dict, np.ndarray]:
    """Models that are off by independent noise of a given size, and what is measured."""
    if kind == "regression":
        y = rng.standard_normal((rows, 1))
        return {m: y + s * rng.standard_normal((rows, 1)) for m, s in noise.items()}, y
    y = (rng.random((rows, 1)) < 0.4).astype(float)
    return {m: 1 / (1 + np.exp(1 - 2 * y + s * rng.standard_normal((rows, 1)))) for m, s in noise.items()}, y


def quick(predictions: dict, y: np.ndarray, kind: Kind = "regression", metric: str = "rmse", **more) -> Comparison:
    targets = [Target(f"t{i}", kind) for i in range(y.shape[1])]
    return compare_predictions(predictions, y, targets, metric=metric, beside=False, **{"resamples": 500} | more)


@pytest.mark.parametrize(("kind", "metric"), [("regression", "rmse"), ("binary", "auroc")])
def test_equal_models_are_called_different_in_one_of_twenty_tables_at_most(kind: Kind, metric: str) -> None:
    """Three models, three comparisons: the share of tables in which any of them is claimed to be better."""
    rng = np.random.default_rng(7)
    found = uncorrected = 0
    for _ in range(REPEATS):
        made = quick(*draw(kind, {"a": 1.0, "b": 1.0, "c": 1.0}, 80, rng), kind, metric)
        found += any(d.better for d in made.differences)
        uncorrected += any(d.p <= 0.05 for d in made.differences)
        assert len(set("".join(made.letters["t0"].values()))) == 1 or any(d.better for d in made.differences)
    assert found / REPEATS <= LIMIT
    assert found, "a test that never finds anything proves nothing"
    assert uncorrected > 1.5 * found, "without the correction it would be more"


@pytest.mark.parametrize(("kind", "metric"), [("regression", "mae"), ("binary", "auprc")])
def test_a_clear_difference_is_found_and_named(kind: Kind, metric: str) -> None:
    rng = np.random.default_rng(1)
    missed = wrong = 0
    for _ in range(30):
        made = quick(*draw(kind, {"poor": 3.0, "good": 0.5, "fair": 3.0}, 150, rng), kind, metric)
        better = {frozenset((d.a, d.b)): d.better for d in made.differences}
        missed += better[frozenset(("poor", "good"))] == ""
        missed += better[frozenset(("fair", "good"))] == ""
        wrong += "poor" in better.values() and better[frozenset(("poor", "good"))] == "poor"
        assert made.best_first("t0")[0] == "good"
    assert missed <= 1
    assert wrong == 0


def test_what_is_found_is_said_in_words() -> None:
    rng = np.random.default_rng(3)
    made = quick(*draw("regression", {"good": 0.3, "twin": 0.3, "poor": 1.5}, 200, rng))
    words = {(d.a, d.b): d.verdict for d in made.differences}
    assert words == {
        ("good", "twin"): "no detectable difference between good and twin",
        ("good", "poor"): "good is better than poor",
        ("twin", "poor"): "twin is better than poor",
    }
    assert made.letters["t0"] == {"good": "a", "twin": "a", "poor": "b"}


def test_a_difference_that_only_many_comparisons_made_is_said_to_be_one() -> None:
    """Of many equal models some pair stands out; the words say that it does not outlast the correction."""
    rng = np.random.default_rng(0)
    striking = []
    for _ in range(5):
        made = quick(*draw("regression", dict.fromkeys("abcdefgh", 1.0), 60, rng))
        striking += [d for d in made.differences if d.p <= 0.05 < d.p_holm]
    assert striking
    for d in striking:
        assert d.verdict == f"no detectable difference between {d.a} and {d.b} once corrected for 28 comparisons"
        assert not d.better


def test_one_model_against_the_others_makes_fewer_comparisons() -> None:
    rng = np.random.default_rng(3)
    drawn = draw("regression", dict.fromkeys("abcd", 1.0), 60, rng)
    every, against = quick(*drawn, resamples=2000), quick(*drawn, resamples=2000, against="c")
    assert [(d.a, d.b) for d in against.differences] == [("a", "c"), ("b", "c"), ("d", "c")]
    assert against.letters == {}
    same = {(d.a, d.b): d.p for d in every.differences}
    for d in against.differences:
        assert d.p == pytest.approx(same.get((d.a, d.b), same.get((d.b, d.a))))
        assert d.p_holm <= min(1.0, 3 * d.p) + 1e-12
    with pytest.raises(UnknownNameError, match="did you mean"):
        quick(*drawn, against="cc")


def test_the_mean_of_the_targets_resamples_them_together() -> None:
    """Two targets that are the same make a mean that is neither surer nor less sure than one of them."""
    rng = np.random.default_rng(2)
    predictions, y = draw("regression", {"a": 1.0, "b": 1.2}, 100, rng)
    twice = quick({m: np.repeat(p, 2, axis=1) for m, p in predictions.items()}, np.repeat(y, 2, axis=1))
    by_target = {d.target: d for d in twice.differences}
    assert set(by_target) == {"t0", "t1", MEAN}
    for name in ("low", "value", "high"):
        assert getattr(by_target[MEAN].interval, name) == pytest.approx(getattr(by_target["t0"].interval, name))
    assert by_target[MEAN].p == pytest.approx(by_target["t0"].p)
    assert by_target[MEAN].p_holm >= by_target[MEAN].p


def test_no_mean_is_made_of_errors_in_different_units() -> None:
    rng = np.random.default_rng(2)
    predictions, y = draw("regression", {"a": 1.0, "b": 1.2}, 50, rng)
    pair = {m: np.repeat(p, 2, axis=1) for m, p in predictions.items()}, np.repeat(y, 2, axis=1)
    targets = [Target("x", unit="pIC50"), Target("z", unit="mL/min")]
    rmse = compare_predictions(*pair, targets, metric="rmse", resamples=500, beside=False)
    r2 = compare_predictions(*pair, targets, metric="r2", resamples=500, beside=False)
    assert MEAN not in rmse.deciding
    assert MEAN in r2.deciding


def test_rows_that_one_model_cannot_predict_are_left_out_for_all_and_counted() -> None:
    rng = np.random.default_rng(4)
    predictions, y = draw("regression", {"a": 1.0, "b": 1.0}, 100, rng)
    y[:3] = np.nan
    predictions["b"][2:10] = np.nan
    made = quick(predictions, y)
    counted = made.counts["t0"]
    assert (counted.measured, counted.compared) == (97, 90)
    assert counted.unpredicted == {"a": 0, "b": 7}
    reasons = made.predictions["t0_left_out"].value_counts().to_dict()
    assert reasons == {"": 90, "no prediction of b": 7, "no measured value": 3}
    only = quick({m: p[10:] for m, p in predictions.items()}, y[10:])
    assert [d.interval for d in made.differences] == [d.interval for d in only.differences]
    assert made.said[0] == "90 of 97 measured rows compared"
    assert "7 rows that b does not predict are left out for all" in made.said


def test_a_target_with_one_class_says_that_nothing_can_be_told() -> None:
    rng = np.random.default_rng(4)
    predictions, _ = draw("binary", {"a": 1.0, "b": 1.0}, 40, rng)
    made = quick(predictions, np.zeros((40, 1)), "binary", "auroc")
    (d,) = made.differences
    assert d.verdict == "too few rows to tell a from b"
    assert np.isnan(d.p)
    assert made.letters["t0"] == {"a": "", "b": ""}
    assert json.loads(json.dumps(made.plain(), allow_nan=False))["differences"][0]["p"] is None


def test_mixed_kinds_are_compared_each_by_a_metric_of_its_kind() -> None:
    rng = np.random.default_rng(4)
    first, y = draw("regression", {"a": 1.0, "b": 1.0}, 60, rng)
    second, labels = draw("binary", {"a": 1.0, "b": 1.0}, 60, rng)
    both = {m: np.concatenate([first[m], second[m]], axis=1) for m in first}
    targets = [Target("value"), Target("active", "binary")]
    made = compare_predictions(both, np.concatenate([y, labels], axis=1), targets, metric="mae", resamples=500)
    assert made.deciding == {"value": "mae", "active": "auroc"}
    assert set(made.scores["a"]["active"]) == {"auroc", "auprc", "balanced_accuracy", "brier"}
    assert len(made.scores_frame()) == 2 * 8
    frame = made.differences_frame()
    assert list(frame["metric"]) == ["mae", "auroc"]
    assert {"difference", "low", "high", "p", "p_holm", "verdict"} <= set(frame.columns)


def test_the_same_seed_gives_the_same_table() -> None:
    rng = np.random.default_rng(4)
    drawn = draw("regression", {"a": 1.0, "b": 1.0}, 60, rng)
    assert quick(*drawn).plain() == quick(*drawn).plain()
    assert quick(*drawn, seed=1).plain() != quick(*drawn).plain()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p, y: ({"a": p["a"]}, y), "at least two"),
        (lambda p, y: (p, y[:5]), "arrays of the shapes"),
        (lambda p, y: (p, np.full_like(y, np.nan)), "none with a measured value and a prediction"),
    ],
)
def test_what_cannot_be_compared_is_refused(change, sentence: str) -> None:
    predictions, y = draw("regression", {"a": 1.0, "b": 1.0}, 10, np.random.default_rng(0))
    with pytest.raises(InputError, match=sentence):
        quick(*change(predictions, y))
    with pytest.raises(InputError, match="a target of kind binary"):
        quick(predictions, y, metric="auroc")
    with pytest.raises(UnknownNameError, match="did you mean 'rmse'"):
        quick(predictions, y, metric="rmes")
