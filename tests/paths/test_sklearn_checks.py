"""scikit-learn's own checks of estimators.

`check_estimator` makes tables of numbers, and skips an estimator whose tags say that it takes no such tables. So its
checks run twice here: those that need no data on the estimators as they are, and all of them on a pipeline whose first
step spells a row of numbers as a molecule.
"""

from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import SkipTestWarning
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from molmed.sklearn import MoleculeClassifier, MoleculeRegressor

FOREST: dict[str, Any] = {"model": "random_forest", "options": {"n_trees": 10, "jobs": 1}}
ESTIMATORS = (MoleculeClassifier(**FOREST), MoleculeRegressor(**FOREST))

WITHOUT_DATA = (
    "check_estimator_cloneable",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_mixin_order",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimators_unfitted",
    "check_estimators_partial_fit_n_features",
    "check_non_transformer_estimators_n_iter",
)

DO_NOT_APPLY = {
    "check_dont_overwrite_parameters": "a Pipeline puts its fitted steps in the place of the given ones",
    "check_estimators_overwrite_params": "a Pipeline puts its fitted steps in the place of the given ones",
    "check_array_api_input": "asks for the environment variable SCIPY_ARRAY_API before scipy is imported",
}
"""Check -> why it says nothing about our estimators; a Pipeline of StandardScaler and Ridge fails these two as well."""

_BASE = 4


class Spell(TransformerMixin, BaseEstimator):
    """A row of numbers -> one molecule that shows them: a chain with as many branches of one kind as a digit says."""

    _KINDS = ("F", "Cl", "Br", "I", "O", "S", "N", "C#N", "C=O", "P", "[SiH3]", "B", "C=C", "C#C", "[SeH]", "N=O",
              "S(C)", "OC", "NC", "C(F)F")  # fmt: skip

    def fit(self, X: Any, y: Any = None) -> "Spell":
        """Learn the range of each column."""
        values = validate_data(self, X, dtype=np.float64)
        self.mean_, self.scale_ = values.mean(axis=0), values.std(axis=0) + 1e-9
        return self

    def transform(self, X: Any) -> Any:
        """SMILES, one per row."""
        check_is_fitted(self)
        values = validate_data(self, X, reset=False, dtype=np.float64)
        return [self._spelled(row) for row in (values - self.mean_) / self.scale_]

    def _spelled(self, row: np.ndarray) -> str:
        text, places = "C", 7 if len(row) < 3 else 2
        for column, value in enumerate(row):
            level = int((1 + np.tanh(value / 2)) / 2 * (_BASE**places - 1))
            for place, digit in enumerate(np.base_repr(level, _BASE).zfill(places)):
                text += f"C({self._KINDS[(places * column + place) % len(self._KINDS)]})" * int(digit)
        return text


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("check", WITHOUT_DATA)
def test_a_check_without_data_passes(check: str, estimator: Any) -> None:
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_the_runner_skips_what_takes_no_table_of_numbers(estimator: Any) -> None:
    with pytest.warns(SkipTestWarning, match="requires input"):
        estimator_checks.check_estimator(clone(estimator), on_skip=None)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_every_check_passes_behind_a_step_that_spells_numbers(estimator: Any) -> None:
    pipeline = make_pipeline(Spell(), clone(estimator))
    done = estimator_checks.check_estimator(pipeline, on_fail=None, on_skip=None)
    failed = {r["check_name"]: r["exception"] for r in done if r["status"] != "passed"}
    assert set(failed) == set(DO_NOT_APPLY), failed
    assert len(done) > 40


def test_the_tags_say_what_is_taken() -> None:
    for estimator in ESTIMATORS:
        tags = get_tags(estimator)
        assert (tags.input_tags.one_d_array, tags.input_tags.two_d_array, tags.input_tags.string) == (True, False, True)
        assert tags.target_tags.required
    classifier, regressor = map(get_tags, ESTIMATORS)
    assert (classifier.estimator_type, regressor.estimator_type) == ("classifier", "regressor")
    assert not classifier.classifier_tags.multi_class
    assert (classifier.target_tags.multi_output, regressor.target_tags.multi_output) == (False, True)
