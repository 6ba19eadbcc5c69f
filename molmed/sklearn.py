"""Estimators for scikit-learn: lists of SMILES in, arrays out."""

import warnings
from collections.abc import Mapping
from typing import Any, no_type_check

import numpy as np
import pandas as pd
from jaxtyping import Float
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import assert_all_finite, check_array, check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted

from molmed.errors import ConfigError, InputError
from molmed.experiment import build
from molmed.experiment.config import Config, structure
from molmed.experiment.dataset import Dataset, read_dataset
from molmed.experiment.ensemble import folds_of
from molmed.experiment.fit import fit_dataset
from molmed.experiment.predict import predict
from molmed.experiment.run import Run
from molmed.results import Reason
from molmed.targets import Kind

_SMILES, _NAMED = "smiles", 10
"""Column of the structures; rows named in a message before it only counts them."""

_TASKS: dict[Kind, str] = {"regression": "activity", "binary": "toxicity"}

_CHOICES = {"on_error": ("raise", "drop"), "on_predict_error": ("nan", "raise")}


class UnreadableRowsWarning(UserWarning):
    """Rows were left out of training, or have no prediction; the message names them."""


class SampleError(InputError, ValueError):
    """X cannot be learnt from or predicted: an `InputError` and, as scikit-learn's habit is, a `ValueError`."""


class _MoleculeEstimator(BaseEstimator):
    """What both estimators share.

    X is a list, a tuple, a 1-D array or a Series of SMILES, or a frame or 2-D array with one column of them. Rows of
    the same structure are learnt from once, with the median of their values or their more frequent class.
    """

    on_error: str
    on_predict_error: str

    @no_type_check  # scikit-learn asks that a constructor takes whatever it is given; `fit` is where it is looked at
    def __init__(
        self,
        model: str = "dmpnn",
        *,
        options: Mapping[str, Any] | None = None,
        features: str = "",
        featurizer: Mapping[str, Any] | None = None,
        epochs: int = 50,
        batch_size: int = 64,
        lr: float = 1e-3,
        patience: int = 0,
        train: Mapping[str, Any] | None = None,
        cv: int = 0,
        ensemble: int = 0,
        valid: float = 0.1,
        split: str = "scaffold",
        task: str = "",
        standardise: bool = True,
        device: str = "auto",
        threads: int = 0,
        seed: int = 0,
        on_error: str = "raise",
        on_predict_error: str = "nan",
    ) -> None:
        """Keep the settings as they are.

        Args:
            model: an encoder or a tree of the catalogue ("dmpnn", "gin", "gru", "random_forest", ...).
            options: settings of that model, e.g. {"width": 300} or {"n_trees": 500}. A grid searches over whole dicts.
            features, featurizer: another featurizer than the model's first, and its settings.
            epochs, batch_size, lr, patience, device, threads: of a network's training; trees do not look at them.
            train: further settings of the training, as in `molmed.train.config.TrainConfig`.
            cv: folds of out-of-fold predictions inside `fit`, which calibrate probabilities; 0 = none.
            ensemble: folds whose models are kept as members; 0 = one model.
            valid: fraction of the rows that chooses a network's epoch.
            split: how the folds of `cv` and `ensemble` are cut.
            task: entry of the tasks shelf; "activity" for numbers and "toxicity" for classes unless given.
            standardise: whether salts are stripped, charges balanced, and so on.
            seed: of everything that is drawn; the same seed gives the same model.
            on_error: "raise" names the rows that `fit` cannot use; "drop" leaves them out, with a warning that does.
            on_predict_error: "nan" answers nan for a row that cannot be read, with a warning; "raise" refuses.
        """
        self.model = model
        self.options = options
        self.features = features
        self.featurizer = featurizer
        self.epochs = epochs
        self.batch_size = batch_size
        self.lr = lr
        self.patience = patience
        self.train = train
        self.cv = cv
        self.ensemble = ensemble
        self.valid = valid
        self.split = split
        self.task = task
        self.standardise = standardise
        self.device = device
        self.threads = threads
        self.seed = seed
        self.on_error = on_error
        self.on_predict_error = on_predict_error

    def _fit(self, X: Any, y: Float[np.ndarray, "rows targets"], kind: Kind) -> Dataset:
        """Train on labels in our own shape; the rows trained on are returned."""
        smiles = _structures(X)
        check_consistent_length(smiles, y)
        if len(smiles) < 2:
            raise SampleError("fitting on molecules", "1 sample", "at least two")
        names = ["y"] if y.shape[1] == 1 else [f"y{i}" for i in range(y.shape[1])]
        config = self._config(tuple(names), kind)
        columns = {name: y[:, i].tolist() for i, name in enumerate(names)}
        data = read_dataset({_SMILES: smiles, **columns}, config)
        self._say_what_is_left_out(data)
        self.run_: Run = fit_dataset(data, config)
        return data

    def _config(self, targets: tuple[str, ...], kind: Kind) -> Config:
        """The settings as a configuration.

        Raises:
            ConfigError: one of them is wrong.
        """
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"setting {name}", repr(getattr(self, name)), " or ".join(map(repr, choices)))
        given = {name: _plain(value) for name, value in self.get_params(deep=False).items()}
        folds = folds_of(given["ensemble"], given["cv"]) if given["ensemble"] else given["cv"]
        train = {name: given[name] for name in ("epochs", "lr", "patience", "device", "threads")}
        values = {
            "task": given["task"] or _TASKS[kind],
            "seed": given["seed"],
            "ensemble": bool(given["ensemble"]),
            "data": {"smiles": _SMILES, "targets": targets, "standardise": given["standardise"]},
            "split": {"name": given["split"], "test": 0.0, "folds": folds, "valid": given["valid"]},
            "model": {
                "name": given["model"],
                "features": given["features"],
                "encoder": given["options"] or {},
                "featurizer": given["featurizer"] or {},
                "batch_size": given["batch_size"],
            },
            "train": (given["train"] or {}) | train,
        }
        config = structure(Config, values)
        task = build.task(config)
        if task.kind != kind or [s.subject for s in task.slots] != ["molecule"]:
            came = f"{config.task!r} ({task.kind}, of {' and '.join(s.name for s in task.slots)})"
            raise ConfigError("setting task", came, f"a {kind} task of molecules alone")
        return config

    def _say_what_is_left_out(self, data: Dataset) -> None:
        """Refuse or warn of rows that cannot be learnt from; a row merged into its equal is no such row.

        Raises:
            SampleError: there are some, and `on_error` says so.
        """
        left_out = {r.row: f"{r.reason}: {r.detail}" for r in data.rejected if r.reason != Reason.MERGED}
        if left_out and self.on_error == "raise":
            remedy = "mend or remove them, or pass on_error='drop'"
            raise SampleError("fitting on molecules", _named(left_out), "rows that can be learnt from", remedy)
        if left_out:
            warnings.warn(f"left out of training: {_named(left_out)}", UnreadableRowsWarning, stacklevel=4)

    def _predictions(self, X: Any) -> pd.DataFrame:
        """One row per molecule; nan where there is none, unless that is refused.

        Raises:
            SampleError: `on_predict_error` is "raise" and a row cannot be read.
        """
        check_is_fitted(self, "run_")
        table = {_SMILES: _structures(X)}
        frame = pd.concat(predict(self.run_.predictor, table, smiles=_SMILES, trust=False), ignore_index=True)
        bad = frame[frame["status"] == "rejected"]
        unread = {int(row): f"{r}: {d}" for row, r, d in zip(bad["row"], bad["reason"], bad["detail"], strict=True)}
        if unread and self.on_predict_error == "raise":
            remedy = "remove them, or pass on_predict_error='nan'"
            raise SampleError("predicting molecules", _named(unread), "structures that can be read", remedy)
        if unread:
            warnings.warn(f"without a prediction: {_named(unread)}", UnreadableRowsWarning, stacklevel=4)
        return frame

    def _spread(self, frame: pd.DataFrame) -> Float[np.ndarray, "rows targets"]:
        names = [f"{t.name}_spread" for t in self.run_.targets]
        if not set(names) <= set(frame.columns):
            asked, remedy = "predicting with return_std=True", "fit with ensemble=5"
            raise InputError(asked, "one model, which does not say how sure it is", "an ensemble", remedy)
        return frame[names].to_numpy(dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False  # a single column is taken as the 1-D array it holds
        tags.input_tags.string = True
        return tags


class MoleculeRegressor(RegressorMixin, _MoleculeEstimator):
    """Numbers for molecules, from one target or several.

    >>> from molmed.data.bundled import nav17
    >>> table = nav17().iloc[::10]
    >>> model = MoleculeRegressor("random_forest", options={"n_trees": 20, "jobs": 1}, ensemble=3)
    >>> model = model.fit(table["smiles"], table["pAct"])
    >>> value, spread = model.predict(["O=S(=O)(Nc1nccs1)c1ccccc1", "CCO"], return_std=True)
    >>> value.shape, bool((spread > 0).all())
    ((2,), True)

    y is 1-D, or 2-D with one column per target, where nan stands for what was not measured.

    Attributes:
        run_: the `molmed` run behind it: `run_.predict` has intervals, domain and neighbours, `run_.save` stores it.
    """

    def fit(self, X: Any, y: Any) -> "MoleculeRegressor":
        """Train.

        Raises:
            ValueError: y is not what is described above.
            SampleError: a row cannot be used (see `on_error`), or X is not of one column.
            InputError: a setting is wrong, or too few rows are left.
        """
        values = _numbers(y)
        self._fit(X, values[:, None] if values.ndim == 1 else values, "regression")
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The predicted values, (rows,) or (rows, targets); nan where a row cannot be read.

        Args:
            return_std: a pair comes back: the values, and the standard deviation over the members of the ensemble.

        Raises:
            InputError: `return_std` without an ensemble.
            SampleError: a row cannot be read (see `on_predict_error`), or X is not of one column.
        """
        frame = self._predictions(X)
        values = _narrow(frame[[t.name for t in self.run_.targets]].to_numpy(dtype=np.float64))
        return (values, _narrow(self._spread(frame))) if return_std else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R² over the rows that have both a prediction and a value, the mean over the targets."""
        predicted, measured = self.predict(X), _numbers(y)
        columns = zip(np.atleast_2d(measured.T), np.atleast_2d(predicted.T), strict=True)
        weight = np.ones(len(measured)) if sample_weight is None else np.asarray(sample_weight)
        found = []
        for truth, value in columns:
            known = ~np.isnan(truth) & ~np.isnan(value)
            found.append(r2_score(truth[known], value[known], sample_weight=weight[known]))
        return float(np.mean(found))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class MoleculeClassifier(ClassifierMixin, _MoleculeEstimator):
    """One of two classes for molecules, with its probability.

    >>> from molmed.data.bundled import nav17
    >>> table = nav17().iloc[::10]
    >>> model = MoleculeClassifier("random_forest", options={"n_trees": 20, "jobs": 1})
    >>> model = model.fit(table["smiles"], np.where(table["pAct"] > 6, "active", "weak"))
    >>> model.predict_proba(["O=S(=O)(Nc1nccs1)c1ccccc1"]).sum(axis=1).tolist()
    [1.0]

    y is 1-D and holds two different labels of any type; several targets need an estimator each.

    Attributes:
        classes_: both labels, sorted.
        fallback_class_: the more frequent one among the rows trained on; what `predict` answers for a row that
            cannot be read, whose probabilities are nan.
        run_: the `molmed` run behind it: `run_.predict` has label sets, domain and neighbours, `run_.save` stores it.
    """

    def fit(self, X: Any, y: Any) -> "MoleculeClassifier":
        """Train.

        Raises:
            ValueError: y is not what is described above.
            SampleError: a row cannot be used (see `on_error`), or X is not of one column.
            InputError: a setting is wrong, or too few rows are left.
        """
        if y is None:
            raise ValueError(_NO_TARGET)
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        kind = type_of_target(labels, input_name="y", raise_unknown=True)
        check_classification_targets(labels)
        self.classes_, positive = np.unique(labels, return_inverse=True)
        if kind != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        if len(self.classes_) < 2:
            raise ValueError(
                f"Both classes are needed to train, and y holds one class only: {self.classes_.tolist()[0]!r}."
            )
        data = self._fit(X, positive[:, None].astype(np.float64), "binary")
        self.fallback_class_ = self.classes_[int(data.y.mean() > 0.5)]
        return self

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """The probabilities of `classes_`, (rows, 2), each row adding up to 1; nan where a row cannot be read.

        Args:
            return_std: a pair comes back: the probabilities, and their standard deviation over the members of the
                ensemble, (rows,).

        Raises:
            InputError: `return_std` without an ensemble.
            SampleError: a row cannot be read (see `on_predict_error`), or X is not of one column.
        """
        return self._probabilities(X, return_std)

    def predict(self, X: Any) -> np.ndarray:
        """The likelier class of every row, of two equally likely ones the first; `fallback_class_` for unread rows.

        Raises:
            SampleError: a row cannot be read (see `on_predict_error`), or X is not of one column.
        """
        p_second = self._probabilities(X, False)[:, 1]
        likelier = self.classes_[(p_second > 0.5).astype(int)]
        return np.where(np.isnan(p_second), self.fallback_class_, likelier)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Accuracy over the rows that can be read."""
        p_second = self._probabilities(X, False)[:, 1]
        read = ~np.isnan(p_second)
        likelier = self.classes_[(p_second > 0.5).astype(int)]
        weight = None if sample_weight is None else np.asarray(sample_weight)[read]
        return float(accuracy_score(column_or_1d(y)[read], likelier[read], sample_weight=weight))

    def _probabilities(self, X: Any, return_std: bool) -> Any:
        frame = self._predictions(X)
        p_second = frame["y"].to_numpy(dtype=np.float64)
        both = np.stack([1 - p_second, p_second], axis=1)
        return (both, self._spread(frame)[:, 0]) if return_std else both

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


_NO_TARGET = "This estimator requires y to be passed, but the target y is None."


def _structures(X: Any) -> list[Any]:
    """The SMILES as a list, whatever they came in.

    Raises:
        SampleError: one text, no row, or several columns.
    """
    asked, accepted = "reading molecules", "a list, 1-D array, Series or single column of SMILES"
    if isinstance(X, str):
        raise SampleError(asked, f"one text ({X[:30]!r})", accepted, "put it into a list")
    if isinstance(X, list | tuple):
        cells = list(X)
    else:
        shape = np.shape(X)
        if len(shape) not in (1, 2) or (len(shape) == 2 and shape[1] != 1):
            raise SampleError(asked, f"{type(X).__name__} of shape {shape}", accepted, "pass the column of SMILES")
        cells = np.asarray(X, dtype=object).ravel().tolist()
    if not cells:
        raise SampleError(asked, "no row", "at least one")
    return cells


def _numbers(y: Any) -> np.ndarray:
    """Measured values as float64, 1-D, or 2-D for several targets; nan = unknown, in 2-D only.

    Raises:
        ValueError: none, not numbers, infinite, or nan in 1-D.
    """
    if y is None:
        raise ValueError(_NO_TARGET)
    values = check_array(y, ensure_2d=False, dtype=np.float64, ensure_all_finite="allow-nan", input_name="y")
    if values.ndim == 2 and values.shape[1] > 1:
        return values
    return check_array(column_or_1d(values, warn=True), ensure_2d=False, input_name="y")


def _narrow(values: Float[np.ndarray, "rows targets"]) -> np.ndarray:
    """(rows,) for one target, as y came."""
    return values[:, 0] if values.shape[1] == 1 else values


def _plain(value: Any) -> Any:
    """Without numpy's scalars, which a grid is often made of."""
    if isinstance(value, Mapping):
        return {name: _plain(v) for name, v in value.items()}
    return value.item() if isinstance(value, np.generic) else value


def _named(rows: Mapping[int, str]) -> str:
    """Rows with the reason of each: "2 rows (row 3, syntax: ...; row 8, empty: ...)"."""
    shown = "; ".join(f"row {row}, {why}" for row, why in list(rows.items())[:_NAMED])
    more = f"; and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'} ({shown}{more})"
