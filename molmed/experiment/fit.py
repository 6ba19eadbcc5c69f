"""Train: split, out-of-fold predictions, the final fit, one look at the test rows."""

import hashlib
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int64

from molmed import catalog
from molmed.chem import Molecule
from molmed.data.splits import holdout, k_fold
from molmed.data.table import Table
from molmed.errors import InputError
from molmed.experiment import build
from molmed.experiment.calibrate import Calibration, calibrate
from molmed.experiment.config import Config
from molmed.experiment.dataset import Dataset, read_dataset
from molmed.experiment.domain import remember
from molmed.experiment.ensemble import Ensemble, folds_of
from molmed.experiment.fitted import FittedModel
from molmed.experiment.forest import fit_trees
from molmed.experiment.guess import guessed
from molmed.experiment.neural import fit_network
from molmed.experiment.predictor import Predictor
from molmed.experiment.run import Run
from molmed.experiment.scores import Scores, score
from molmed.train.history import History
from molmed.train.observers import Observer

Watch = Callable[[str], Sequence[Observer]]
"""What is trained next ("fold 2 of 5") -> who watches it."""


def fit(
    table: Table,
    *,
    targets: Sequence[str] | str = (),
    smiles: str = "",
    id: str = "",
    task: str = "",
    model: str = "",
    cv: int | None = None,
    ensemble: int | None = None,
    epochs: int | None = None,
    seed: int | None = None,
    devices: int | None = None,
    store: str | Path | None = None,
    jobs: int | None = None,
    config: Config | None = None,
    watch: Watch | None = None,
) -> Run:
    """Train one model on a table.

    Args:
        table: a path, a data frame, or a dict of columns.
        targets: columns to predict.
        smiles, id: columns, where the guess would be wrong.
        task: an entry of the tasks shelf; guessed from the labels unless given (0/1: toxicity, else activity).
        model: an encoder or a tree; the task's default unless given.
        cv: folds of the out-of-fold predictions that intervals and calibrated probabilities come from; 0 = none.
        ensemble: folds whose models are kept as the members of an ensemble, in place of one more model that sees all
            rows; 0 = that one model. It makes out-of-fold predictions as `cv` does.
        epochs, devices, seed: see `TrainConfig` and `Config`.
        store: folder in which molecules and their features are kept, so that a second fit, another fold, or a search
            over settings neither reads nor featurises them again. The model is the same. A graph of ZINC's size takes
            7.4 kB there, a fingerprint of 2,048 bits 8.2 kB; it may be deleted at any time.
        jobs: processes that fill the store; 0 = one for each core.
        config: everything else; the arguments above win over it.

    Raises:
        InputError: the table cannot be read, a column is not there, or too few rows are left.
        ConfigError: a setting out of range.
    """
    base = Config() if config is None else config
    names = (targets,) if isinstance(targets, str) else tuple(targets)
    folds = base.split.folds if cv is None else cv
    if ensemble:
        folds = folds_of(ensemble, cv or 0)
    settings = replace(
        base,
        task=task or base.task,
        seed=base.seed if seed is None else seed,
        ensemble=base.ensemble if ensemble is None else bool(ensemble),
        data=replace(
            base.data,
            smiles=smiles or base.data.smiles,
            id=id or base.data.id,
            targets=names or base.data.targets,
            store=base.data.store if store is None else str(store),
            jobs=base.data.jobs if jobs is None else jobs,
        ),
        model=replace(base.model, name=model or base.model.name),
        split=replace(base.split, folds=folds),
        train=replace(
            base.train,
            epochs=base.train.epochs if epochs is None else epochs,
            devices=base.train.devices if devices is None else devices,
        ),
    )
    return fit_config(table, settings, watch=watch)


def fit_config(
    table: Table, config: Config, *, watch: Watch | None = None, folder: Path | None = None, resume: bool = False
) -> Run:
    """Train as a configuration says.

    Args:
        folder: where checkpoints go, one sub-folder per fit; None = nowhere.
        resume: go on from the checkpoints in the folder.

    Raises:
        InputError, ConfigError: see `fit`.
    """
    settings, said = guessed(table, config)
    data = read_dataset(table, settings)
    return fit_dataset(data, settings, watch=watch, folder=folder, resume=resume, said=said)


def fit_dataset(
    data: Dataset,
    config: Config,
    *,
    watch: Watch | None = None,
    folder: Path | None = None,
    resume: bool = False,
    said: Sequence[str] = (),
) -> Run:
    """Train on rows already read; `config.task` must be named.

    The test rows are held out first and looked at once, at the end, by the final model. The out-of-fold
    predictions are made inside the rest, each fold's epoch chosen on a slice of its own training rows. The final
    model sees all of the rest: with folds for the median of their best epochs, without on all but such a slice.
    An ensemble is the models of the folds as they are.

    Raises:
        InputError: too few rows, or a target with nothing to learn.
        ConfigError: an ensemble of fewer than two folds.
    """
    if config.ensemble:
        folds_of(config.split.folds)
    # where features came from is no part of the model
    config = replace(config, data=replace(config.data, store="", jobs=1))
    began = time.perf_counter()
    fitting = _Fitting(config, watch, folder, resume)
    train, test = _held_out(data, config)
    learnable(data.take(train), config)
    left_out = fitting.out_of_fold(data.take(train))
    folds, out_of_fold = left_out.folds, left_out.values
    model: FittedModel
    if config.ensemble:
        model, history = Ensemble(tuple(left_out.models)), pd.DataFrame()
    else:
        model, history = fitting.final(data.take(train), left_out.epochs)
    calibration = Calibration(data.targets)
    scores: dict[str, Scores] = {}
    parts = []
    metric = build.task(config).metric
    if len(folds):
        calibration = calibrate(data.targets, data.y[train], out_of_fold)
        honest = calibration.values(out_of_fold)
        scores["out_of_fold"] = score(data.targets, data.y[train], honest, metric)
        parts.append(_predictions("out_of_fold", data.take(train), folds, honest))
    if len(test):
        rows = data.take(test)
        found = calibration.apply_members(model.predict_members(rows.items, rows.kept))
        predicted = np.stack([found[t.name] for t in data.targets], axis=1)
        scores["test"] = score(data.targets, rows.y, predicted, metric)
        parts.append(_predictions("test", rows, np.full(len(test), -1), predicted, found))
    facts = _facts(data, train, test, folds) | {
        "said": [*data.layout.said, *said],
        "epochs": int(np.median(left_out.epochs or [0])) if config.ensemble else len(history),
        "seconds": round(time.perf_counter() - began, 1),
    }
    return Run(
        Predictor(data.layout.slots, config.data.standardise, model, calibration, _domain(data.take(train))),
        config,
        build.task(config),
        scores,
        history,
        pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(),
        data.rejected_frame(),
        facts,
        left_out.history,
    )


@dataclass(frozen=True)
class _OutOfFold:
    """What fitting without one fold after the other gave.

    Args:
        folds: fold of each row; empty without folds.
        values: of each row by the model that did not see it.
        epochs: best epoch count per fold; empty for trees.
        models: per fold, where they are kept.
        history: one row per epoch of every model, with its `fold`.
    """

    folds: Int64[np.ndarray, " rows"]
    values: Float[np.ndarray, "rows targets"]
    epochs: list[int]
    models: list[FittedModel]
    history: pd.DataFrame


@dataclass(frozen=True)
class _Fitting:
    """Fits the configured model to some rows, as often as it is asked to."""

    config: Config
    watch: Watch | None
    folder: Path | None
    resume: bool

    def out_of_fold(self, data: Dataset) -> _OutOfFold:
        """Every row predicted by a model that did not see it."""
        k = self.config.split.folds
        if k == 0:
            return _OutOfFold(np.empty(0, dtype=np.int64), np.empty((0, len(data.targets))), [], [], pd.DataFrame())
        folds = k_fold(build.split(self.config), data.subjects(), k, self.config.split.seed)
        values = np.full(data.y.shape, np.nan)
        epochs: list[int] = []
        models: list[FittedModel] = []
        histories: list[pd.DataFrame] = []
        for fold in range(k):
            seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            learnable(data.take(seen), self.config, f" (fold {fold + 1} of {k})")
            model, history = self._fit(data.take(seen), f"fold {fold + 1} of {k}", stop=True)
            values[unseen] = model.predict(data.take(unseen).items, data.kept)
            epochs += [history.best.epoch + 1] if history.epochs else []
            models += [model] if self.config.ensemble else []
            histories += [pd.DataFrame(history.rows()).assign(fold=fold)] if history.epochs else []
        return _OutOfFold(
            folds, values, epochs, models, pd.concat(histories, ignore_index=True) if histories else pd.DataFrame()
        )

    def final(self, data: Dataset, epochs: Sequence[int]) -> tuple[FittedModel, pd.DataFrame]:
        """The model that is kept, with its history; `epochs` of the folds, or none."""
        fitting, stop = self, not epochs
        if epochs:
            train = replace(self.config.train, epochs=int(np.median(epochs)), patience=0)
            fitting = replace(self, config=replace(self.config, train=train))
        model, history = fitting._fit(data, "final fit", stop=stop)
        return model, pd.DataFrame(history.rows())

    def _fit(self, data: Dataset, label: str, *, stop: bool) -> tuple[FittedModel, History]:
        """Fit to all rows, or (`stop`) to all but a random slice that chooses the epoch."""
        weight = np.ones(data.y.shape)
        observers = self.watch(label) if self.watch is not None else ()
        if build.is_tree(self.config):
            return _watched_trees(observers, lambda: self._trees(data, weight)), History()
        valid = np.empty(0, dtype=np.int64)
        if stop and self.config.split.valid > 0:
            random = catalog.load("splits", "random")()
            valid = holdout(random, data.subjects(), self.config.split.valid, self.config.split.seed)
        return fit_network(
            self.config,
            data.items,
            data.y,
            weight,
            valid,
            observers=observers,
            folder=self.folder / label.replace(" ", "-") if self.folder is not None else None,
            resume=self.resume,
            kept=data.kept,
        )

    def _trees(self, data: Dataset, weight: np.ndarray) -> FittedModel:
        return fit_trees(self.config, data.items, data.y, weight, data.kept)


def _watched_trees(observers: Sequence[Observer], work: Callable[[], FittedModel]) -> FittedModel:
    """Trees have no epochs: their observers see one step."""
    for observer in observers:
        observer.on_start(1, 1)
    try:
        model = work()
        for observer in observers:
            observer.on_batch(0, float("nan"))
        return model
    finally:
        for observer in observers:
            observer.on_end()


def _held_out(data: Dataset, config: Config) -> tuple[Int64[np.ndarray, " train"], Int64[np.ndarray, " test"]]:
    """(rows to learn from, rows of the test part), both ascending."""
    everything = np.arange(len(data), dtype=np.int64)
    if config.split.test == 0:
        return everything, np.empty(0, dtype=np.int64)
    test = holdout(build.split(config), data.subjects(), config.split.test, config.split.seed)
    return np.setdiff1d(everything, test), test


def learnable(data: Dataset, config: Config, where: str = "") -> None:
    """Refuse training rows from which some target cannot be learnt.

    Raises:
        InputError: a target with fewer than two known values, or a class target with one class only.
    """
    for i, target in enumerate(data.targets):
        known = data.y[~np.isnan(data.y[:, i]), i]
        if len(known) < 2:
            came, accepted = f"{len(known)} training rows with a known value", "at least two"
        elif target.kind == "binary" and len(np.unique(known)) < 2:
            came, accepted = f"one class only ({known[0]:g}) in {len(known)} training rows", "rows of both classes"
        else:
            continue
        raise InputError(
            f"learning {target.name!r}{where}", came, accepted, "add rows, leave this target out or split otherwise"
        )


def _predictions(
    part: str,
    data: Dataset,
    folds: np.ndarray,
    values: np.ndarray,
    more: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> pd.DataFrame:
    columns: dict[str, object] = {"part": [part] * len(data), "fold": folds, "row": data.rows, "id": data.ids}
    if data.layout.structure:
        columns["smiles"] = data.structures
    for i, target in enumerate(data.targets):
        columns |= {target.name: values[:, i], f"{target.name}_measured": data.y[:, i]}
        spread = f"{target.name}_spread"
        columns |= {spread: more[spread]} if spread in more else {}
    return pd.DataFrame(columns)


def _domain(data: Dataset) -> Any:
    slot = data.layout.structure
    return None if slot is None else remember(data.items[slot.name], data.ids, data.y, data.targets, data.kept)


_LIBRARIES = ("molmed", "rdkit", "torch", "numpy", "scikit-learn")
"""What a model may depend on, for its card."""


def _facts(data: Dataset, train: np.ndarray, test: np.ndarray, folds: np.ndarray) -> dict[str, Any]:
    content = hashlib.sha256()
    for i, labels in enumerate(data.y.tolist()):
        items = [item.smiles if isinstance(item := values[i], Molecule) else item for values in data.items.values()]
        content.update(f"{items}\t{labels}\n".encode())
    split = hashlib.sha256(np.concatenate([data.rows[test], [-1], folds]).astype("<i8").tobytes())
    reasons = pd.Series([str(r.reason) for r in data.rejected], dtype=object).value_counts()
    return {
        "rows_read": data.n_read,
        "rows_used": len(data),
        "rows_train": len(train),
        "rows_test": len(test),
        "rejected": {str(reason): int(n) for reason, n in reasons.items()},
        "data_sha256": content.hexdigest(),
        "split_sha256": split.hexdigest(),
        "date": time.strftime("%Y-%m-%d"),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}},
    }
