"""The estimators work wherever scikit-learn's do, on lists of SMILES."""

import doctest
import pickle
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score, cross_validate
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import molmed.sklearn
from molmed.errors import ConfigError, InputError, UnknownNameError
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.sklearn import MoleculeClassifier, MoleculeRegressor, SampleError, UnreadableRowsWarning

from .conftest import sulfonamides

FOREST: dict[str, Any] = {"model": "random_forest", "options": {"n_trees": 10, "jobs": 1}}
NETWORK: dict[str, Any] = {"model": "dmpnn", "options": {"width": 16}, "epochs": 2, "threads": 1}
NEW = ["O=S(=O)(Nc1nccs1)c1ccccc1", "CCO", "c1ccccc1"]

TABLE = sulfonamides(60)
SMILES, VALUES = TABLE["smiles"].tolist(), TABLE["pAct"].to_numpy()
LABELS = np.where(np.median(VALUES) < VALUES, "active", "weak")


@pytest.fixture(scope="module")
def regressor() -> MoleculeRegressor:
    return MoleculeRegressor(**FOREST, ensemble=3).fit(SMILES, VALUES)


@pytest.fixture(scope="module")
def classifier() -> MoleculeClassifier:
    return MoleculeClassifier(**FOREST, cv=3).fit(SMILES, LABELS)


def test_the_example_of_every_docstring_runs() -> None:
    done = doctest.testmod(molmed.sklearn)
    assert done.attempted >= 10
    assert done.failed == 0


def test_the_module_does_not_hide_scikit_learn() -> None:
    statement = "import molmed.sklearn, sklearn; print(sklearn.__version__, molmed.sklearn.BaseEstimator.__module__)"
    done = subprocess.run([sys.executable, "-c", statement], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split()[1] == "sklearn.base"


def test_settings_are_kept_as_given_and_cloned() -> None:
    options = {"n_trees": 10}
    estimator = MoleculeRegressor("random_forest", options=options, lr=np.float64(0.1), seed=7)
    assert estimator.get_params()["options"] is options
    other = clone(estimator.set_params(seed=8, epochs=3))
    assert (other.seed, other.epochs, other.options) == (8, 3, options)
    assert not hasattr(other, "run_")


def test_it_is_the_model_that_fit_makes(regressor: MoleculeRegressor) -> None:
    config = Config(
        split=SplitConfig("scaffold", test=0.0), model=ModelConfig("random_forest", encoder=FOREST["options"])
    )
    run = fit(TABLE[["smiles", "pAct"]], targets="pAct", task="activity", config=config, ensemble=3)
    np.testing.assert_array_equal(regressor.predict(NEW), run.predict(NEW)["pAct"])


@pytest.mark.parametrize(
    "as_given",
    [list, tuple, np.array, lambda s: np.array(s, dtype=object)[:, None], pd.Series, lambda s: pd.DataFrame({"x": s}),
     lambda s: pd.Series(s, dtype="string", index=range(5, 5 + len(s)))],
    ids=["list", "tuple", "array", "column", "Series", "frame", "string Series"],
)  # fmt: skip
def test_molecules_may_come_in_any_of_these(regressor: MoleculeRegressor, as_given: Any) -> None:
    again = clone(regressor).set_params(ensemble=0).fit(as_given(SMILES[:30]), VALUES[:30])
    expected = MoleculeRegressor(**FOREST).fit(SMILES[:30], VALUES[:30])
    np.testing.assert_array_equal(again.predict(as_given(NEW)), expected.predict(NEW))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [("CCO", "one text"), (np.zeros((3, 2)), r"shape \(3, 2\)"), ([], "no row"), (3.0, r"shape \(\)")],
)
def test_other_shapes_are_refused(regressor: MoleculeRegressor, wrong: Any, sentence: str) -> None:
    with pytest.raises(SampleError, match=sentence):
        regressor.predict(wrong)
    with pytest.raises(ValueError, match=sentence):
        clone(regressor).fit(wrong, VALUES)


def test_x_and_y_must_be_of_one_length() -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        MoleculeRegressor(**FOREST).fit(SMILES, VALUES[:-1])


# regression


def test_the_spread_is_that_of_the_members(regressor: MoleculeRegressor) -> None:
    value, spread = regressor.predict(NEW, return_std=True)
    frame = regressor.run_.predict(NEW)
    np.testing.assert_array_equal(value, frame["y"])
    np.testing.assert_array_equal(spread, frame["y_spread"])
    assert (spread > 0).all()


def test_one_model_does_not_say_how_sure_it_is(classifier: MoleculeClassifier) -> None:
    single = MoleculeRegressor(**FOREST).fit(SMILES, VALUES)
    with pytest.raises(InputError, match="fit with ensemble=5"):
        single.predict(NEW, return_std=True)
    with pytest.raises(InputError, match="fit with ensemble=5"):
        classifier.predict_proba(NEW, return_std=True)


def test_several_targets_may_have_gaps() -> None:
    both = np.stack([VALUES, 2 * VALUES], axis=1)
    both[::3, 1] = np.nan
    estimator = MoleculeRegressor(**FOREST, ensemble=2).fit(SMILES, both)
    value, spread = estimator.predict(SMILES, return_std=True)
    assert value.shape == spread.shape == both.shape
    known = ~np.isnan(both[:, 1])
    expected = (r2_score(both[:, 0], value[:, 0]) + r2_score(both[known, 1], value[known, 1])) / 2
    assert estimator.score(SMILES, both) == pytest.approx(expected)


def test_a_column_of_values_is_taken_as_one_target_with_scikit_learns_warning() -> None:
    with pytest.warns(DataConversionWarning):
        estimator = MoleculeRegressor(**FOREST).fit(SMILES, VALUES[:, None])
    assert estimator.predict(NEW).shape == (3,)


@pytest.mark.parametrize(
    ("y", "sentence"),
    [(None, "y is None"), (np.where(VALUES > 6, np.nan, VALUES), "NaN"), (["x"] * 60, "could not convert")],
)
def test_values_that_are_none_are_refused(y: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        MoleculeRegressor(**FOREST).fit(SMILES, y)


# classes


@pytest.mark.parametrize("names", [("active", "weak"), (-1, 1), (True, False), ("1", "0")], ids=str)
def test_any_two_labels_are_classes(classifier: MoleculeClassifier, names: tuple[Any, Any]) -> None:
    labels = np.array([names[0] if label == "active" else names[1] for label in LABELS])
    estimator = MoleculeClassifier(**FOREST, cv=3).fit(SMILES, labels)
    assert estimator.classes_.tolist() == sorted(names)
    p = estimator.predict_proba(NEW)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    active = estimator.classes_.tolist().index(names[0])
    # which label is called 1 decides in which direction a forest breaks ties: not the same to the last tree
    np.testing.assert_allclose(p[:, active], classifier.predict_proba(NEW)[:, 0], atol=0.3)
    assert (estimator.predict(NEW) == estimator.classes_[p.argmax(axis=1)]).all()
    assert estimator.score(SMILES, labels) == accuracy_score(labels, estimator.predict(SMILES)) > 0.8


def test_probabilities_of_an_ensemble_have_a_spread() -> None:
    estimator = MoleculeClassifier(**FOREST, ensemble=3).fit(SMILES, LABELS)
    p, spread = estimator.predict_proba(NEW, return_std=True)
    assert p.shape == (3, 2)
    np.testing.assert_array_equal(spread, estimator.run_.predict(NEW)["y_spread"])


@pytest.mark.parametrize(
    ("y", "sentence"),
    [
        (["a"] * 60, "one class only: 'a'"),
        (["a", "b", "c"] * 20, "Only binary classification is supported"),
        (VALUES, "continuous"),
        (np.zeros((60, 2)), "1d array"),
        (None, "y is None"),
    ],
)
def test_labels_that_are_no_two_classes_are_refused(y: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        MoleculeClassifier(**FOREST).fit(SMILES, y)


def test_several_class_targets_take_an_estimator_each() -> None:
    both = np.stack([LABELS == "active", np.char.str_len(SMILES) > 50], axis=1).astype(int)
    many = MultiOutputClassifier(MoleculeClassifier(**FOREST)).fit(np.array(SMILES, dtype=object)[:, None], both)
    assert many.predict(np.array(NEW, dtype=object)[:, None]).shape == (3, 2)


# rows that cannot be read

BAD = ["C1CC", *SMILES[:40], "", None]
BAD_VALUES, BAD_LABELS = [5.0, *VALUES[:40], 6.0, 7.0], ["weak", *LABELS[:40], "weak", "weak"]


def test_unreadable_rows_are_named_at_fit() -> None:
    for estimator, y in ((MoleculeRegressor(**FOREST), BAD_VALUES), (MoleculeClassifier(**FOREST), BAD_LABELS)):
        with pytest.raises(SampleError, match=r"3 rows \(row 0, syntax: .*; row 41, empty.*; row 42, empty"):
            estimator.fit(BAD, y)


def test_unreadable_rows_are_left_out_when_asked() -> None:
    with pytest.warns(UnreadableRowsWarning, match=r"left out of training: 3 rows \(row 0, syntax"):
        estimator = MoleculeRegressor(**FOREST, on_error="drop").fit(BAD, BAD_VALUES)
    plain = MoleculeRegressor(**FOREST).fit(SMILES[:40], VALUES[:40])
    np.testing.assert_array_equal(estimator.predict(NEW), plain.predict(NEW))


def test_repeats_are_merged_without_a_word_and_ties_are_not() -> None:
    MoleculeRegressor(**FOREST).fit([*SMILES[:40], SMILES[0]], [*VALUES[:40], 5.0])
    with pytest.raises(SampleError, match=r"2 rows \(row 0, conflict"):
        MoleculeClassifier(**FOREST).fit([*SMILES[:40], SMILES[0]], [*(["a", "b"] * 20), "b"])


def test_an_unreadable_row_has_no_prediction(regressor: MoleculeRegressor, classifier: MoleculeClassifier) -> None:
    rows = [NEW[0], "not a smiles", None, NEW[1]]
    with pytest.warns(UnreadableRowsWarning, match=r"without a prediction: 2 rows \(row 1, syntax: .*; row 2, empty"):
        value, spread = regressor.predict(rows, return_std=True)
    assert np.isnan(value).tolist() == np.isnan(spread).tolist() == [False, True, True, False]
    np.testing.assert_array_equal(value[[0, 3]], regressor.predict(NEW[:2]))
    with pytest.warns(UnreadableRowsWarning):
        p = classifier.predict_proba(rows)
    assert np.isnan(p).any(axis=1).tolist() == [False, True, True, False]


def test_the_class_of_an_unreadable_row_is_the_more_frequent_one() -> None:
    for frequent, rare in (("weak", "active"), ("active", "weak")):
        labels = [frequent] * 40 + [rare] * 20
        estimator = MoleculeClassifier(**FOREST).fit(SMILES, labels)
        assert estimator.fallback_class_ == frequent
        with pytest.warns(UnreadableRowsWarning):
            assert estimator.predict(["x"])[0] == frequent


def test_predicting_may_refuse_as_well(regressor: MoleculeRegressor, classifier: MoleculeClassifier) -> None:
    for fitted in (regressor, classifier):
        strict = pickle.loads(pickle.dumps(fitted)).set_params(on_predict_error="raise")  # noqa: S301 - made here
        with pytest.raises(SampleError, match=r"1 row \(row 1, syntax"):
            strict.predict(["CCO", "x"])


def test_a_score_is_that_of_the_rows_that_can_be_read(
    regressor: MoleculeRegressor, classifier: MoleculeClassifier
) -> None:
    with pytest.warns(UnreadableRowsWarning):
        assert regressor.score([*SMILES, "x"], [*VALUES, 9.0]) == regressor.score(SMILES, VALUES)
    with pytest.warns(UnreadableRowsWarning):
        assert classifier.score([*SMILES, "x"], [*LABELS, "weak"]) == classifier.score(SMILES, LABELS)


def test_scores_take_weights(regressor: MoleculeRegressor, classifier: MoleculeClassifier) -> None:
    weight = np.arange(60) % 2
    assert regressor.score(SMILES, VALUES, weight) == pytest.approx(regressor.score(SMILES[1::2], VALUES[1::2]))
    assert classifier.score(SMILES, LABELS, weight) == pytest.approx(classifier.score(SMILES[1::2], LABELS[1::2]))


# settings


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"model": "dmpn"}, UnknownNameError, "did you mean 'dmpnn'"),
        ({"options": {"n_tree": 10}}, ConfigError, "did you mean 'n_trees'"),
        ({"on_error": "ignore"}, ConfigError, "'raise' or 'drop'"),
        ({"on_predict_error": "drop"}, ConfigError, "'nan' or 'raise'"),
        ({"ensemble": 1}, ConfigError, "2 or more"),
        ({"ensemble": 3, "cv": 5}, ConfigError, "3 members and 5 folds"),
        ({"epochs": "many"}, ConfigError, "setting train.epochs"),
        ({"train": {"lrr": 1.0}}, ConfigError, "did you mean 'lr'"),
        ({"task": "toxicity"}, ConfigError, "a regression task of molecules alone"),
        ({"task": "response"}, ConfigError, "molecule and patient"),
    ],
)
def test_a_wrong_setting_is_refused_at_fit(change: dict[str, Any], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        MoleculeRegressor(**(FOREST | change)).fit(SMILES, VALUES)


def test_settings_of_a_network_reach_it() -> None:
    estimator = MoleculeRegressor(**NETWORK, batch_size=16, lr=0.01, train={"weight_decay": 0.1}, valid=0.2, seed=3)
    config = estimator.fit(SMILES[:40], VALUES[:40]).run_.config
    assert (config.train.epochs, config.train.lr, config.train.weight_decay) == (2, 0.01, 0.1)
    assert (config.model.batch_size, config.model.encoder["width"], config.split.valid, config.seed) == (16, 16, 0.2, 3)
    assert len(estimator.run_.history) == 2


def test_nothing_is_predicted_before_fit() -> None:
    with pytest.raises(NotFittedError):
        MoleculeClassifier(**FOREST).predict(NEW)


# where scikit-learn uses them


def test_a_cross_validation_runs_in_two_processes() -> None:
    cv = KFold(3, shuffle=True, random_state=0)
    two, one = (
        cross_val_score(MoleculeRegressor(**FOREST), TABLE["smiles"], VALUES, cv=cv, n_jobs=n, error_score="raise")
        for n in (2, 1)
    )
    np.testing.assert_array_equal(two, one)


def test_fitted_networks_come_back_from_another_process() -> None:
    estimator = MoleculeClassifier(**NETWORK, ensemble=2)
    done = cross_validate(estimator, SMILES, LABELS, cv=2, n_jobs=2, return_estimator=True, error_score="raise")
    for fitted in done["estimator"]:
        np.testing.assert_allclose(fitted.predict_proba(NEW).sum(axis=1), 1)


def test_an_error_in_another_process_comes_back_as_it_is() -> None:
    estimator = MoleculeRegressor(**FOREST | {"model": "forest"})
    with pytest.raises(UnknownNameError, match="did you mean 'random_forest'"):
        cross_val_score(estimator, SMILES, VALUES, cv=2, n_jobs=2, error_score="raise")


def test_unreadable_rows_do_not_stop_a_cross_validation() -> None:
    estimator = MoleculeRegressor(**FOREST, on_error="drop")
    with pytest.warns(UnreadableRowsWarning):
        found = cross_val_score(estimator, BAD, BAD_VALUES, cv=KFold(3, shuffle=True, random_state=0))
    assert np.isfinite(found).all()


def test_a_grid_is_searched_through_a_pipeline() -> None:
    pipeline = make_pipeline(FunctionTransformer(lambda cells: [c.strip() for c in cells]), MoleculeRegressor(**FOREST))
    grid = {
        "moleculeregressor__options": [{"n_trees": 10, "jobs": 1}, {"n_trees": 20, "jobs": 1}],
        "moleculeregressor__seed": np.arange(2),
    }
    found = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit([f" {s} " for s in SMILES], VALUES)
    assert found.best_params_["moleculeregressor__options"]["n_trees"] in (10, 20)
    assert found.predict(NEW).shape == (3,)


def test_probabilities_are_cross_predicted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        p = cross_val_predict(MoleculeClassifier(**FOREST), SMILES, LABELS, cv=3, method="predict_proba")
    np.testing.assert_allclose(p.sum(axis=1), 1)
