"""Several models on the same rows: which is better than which, and where no difference can be detected."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from molmed.data.table import Table
from molmed.errors import InputError, UnknownNameError
from molmed.experiment.comparison import Comparison
from molmed.experiment.evaluate import Measured, measure, trained_on
from molmed.experiment.run import Run
from molmed.experiment.trial import ASKED, Trial
from molmed.metrics import Metric, metric
from molmed.targets import Target

Part = Literal["out_of_fold", "test"]

RESAMPLES = 10_000
"""Rounds 2 / (resamples + 1) = 0.0002, the smallest p-value, far enough down for 60 comparisons. Chosen."""


def compare(
    runs: Mapping[str, Run],
    table: Table,
    *,
    targets: Sequence[str] = (),
    smiles: str = "",
    id: str = "",
    metric: str = "",
    against: str = "",
    leave_out_trained: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Predict the rows of a table of measured values by every model, and compare them on the rows all can predict.

    Args:
        runs: name -> model; at least two, with a target in common. What is compared are the targets all have.
        targets: columns of the measured values, one for each common target in the first model's order; empty = the
            same names.
        metric: what they are compared by; empty = that of the first model's task.
        against: one of the names: compare every other model with it only. Fewer comparisons detect more.
        leave_out_trained: leave out, for all, the rows whose structure some model was trained on.
        level: of the intervals; see `Comparison`.

    Raises:
        InputError: fewer than two models, no common target, a column that is not there, or no row to compare.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    common = _common(runs, metric, against)
    if targets and len(targets) != len(common):
        came = f"{len(targets)} target columns"
        raise InputError(ASKED, came, f"{len(common)}, one for each of {', '.join(t.name for t in common)}")
    columns = tuple(targets) or tuple(t.name for t in common)
    found = {n: measure(r, table, common, columns, smiles=smiles, id=id, asked=ASKED) for n, r in runs.items()}
    first = next(iter(found.values()))
    y = first.y
    predicted = np.stack([m.predicted for m in found.values()])
    trained = _trained(runs, found, (~np.isnan(y)).any(axis=1) & ~np.isnan(predicted).all(axis=(0, 2)))
    frame = first.predictions
    rows = frame[["row", "id", *(["smiles"] if "smiles" in frame else [])]].copy()
    rejected = tuple(f"row {r.row} ({r.id}): {r.detail}" for r in first.rejected)
    name = metric or next(iter(runs.values())).task.metric
    trial = Trial(tuple(runs), common, _deciding(name, common, bool(metric)), against, level, resamples, seed)
    return trial.compared(rows, y, predicted, trained, leave_out_trained, rejected=rejected)


def compare_stored(
    runs: Mapping[str, Run],
    *,
    part: Part = "out_of_fold",
    metric: str = "",
    against: str = "",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare models by the predictions they were stored with: of rows that they had not seen when they made them.

    The rows that all models hold are compared: the same structures (or, without structures, the same rows of the same
    data). Out-of-fold predictions are compared only where the folds are the same, since each fold's model learnt from
    the others. Rows for which the models hold other measured values are left out and counted.

    Raises:
        InputError: fewer than two models, no common target, a model without such predictions, no common rows, or
            other folds.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    common = _common(runs, metric, against)
    frames = {name: _stored(name, run, part) for name, run in runs.items()}
    names = [t.name for t in common]
    rows, chosen = _joined(runs, frames)
    _refuse_other_folds({name: frames[name]["fold"].to_numpy()[chosen[name]] for name in runs})
    y_of = [frames[n][[f"{t}_measured" for t in names]].to_numpy(dtype=np.float64)[chosen[n]] for n in runs]
    predicted = np.stack([frames[n][names].to_numpy(dtype=np.float64)[chosen[n]] for n in runs])
    disagree = np.zeros(y_of[0].shape, dtype=bool)
    for other in y_of[1:]:
        disagree |= ~np.isclose(y_of[0], other, rtol=1e-9, atol=0, equal_nan=True)
    name = metric or next(iter(runs.values())).task.metric
    trial = Trial(tuple(runs), common, _deciding(name, common, bool(metric)), against, level, resamples, seed)
    nobody: list[np.ndarray | None] = [np.zeros(len(rows), dtype=bool)] * len(runs)
    sizes = {name: len(frame) for name, frame in frames.items()}
    said = [f"{name}: {n - len(rows):,} of its {n:,} rows are not in all models" for name, n in sizes.items()]
    said = [s for s, n in zip(said, sizes.values(), strict=True) if n > len(rows)]
    made = trial.compared(rows, y_of[0], predicted, nobody, False, disagree)
    return replace(made, part=part, said=(*said, *made.said))


def compare_predictions(
    predictions: Mapping[str, Float[np.ndarray, "own_rows own_targets"]],
    measured: Float[np.ndarray, "rows targets"],
    targets: Sequence[Target],
    *,
    metric: str,
    against: str = "",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    beside: bool = True,
) -> Comparison:
    """Compare predictions of the same rows wherever they come from, such as another package's; nan = unknown.

    Args:
        beside: whether the metrics that are usually shown beside the deciding one are scored as well.

    Raises:
        InputError: fewer than two models, arrays of other shapes, or no row to compare.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    _refuse_wrong_names(predictions, metric, against)
    shapes = {name: values.shape for name, values in predictions.items()} | {"measured": measured.shape}
    if set(shapes.values()) != {(len(measured), len(targets))}:
        raise InputError(ASKED, f"arrays of the shapes {shapes}", "one row per row, one column per target, in each")
    rows = pd.DataFrame({"row": np.arange(len(measured)), "id": [str(i) for i in range(len(measured))]})
    deciding = _deciding(metric, targets, named=True)
    trial = Trial(tuple(predictions), tuple(targets), deciding, against, level, resamples, seed, beside)
    nobody: list[np.ndarray | None] = [np.zeros(len(rows), dtype=bool)] * len(predictions)
    return trial.compared(rows, measured, np.stack(list(predictions.values())), nobody, False)


def _refuse_wrong_names(models: Mapping[str, object], name: str, against: str) -> None:
    if len(models) < 2:
        raise InputError(ASKED, "one model" if models else "no model", "at least two")
    if name:
        metric(name)
    if against and against not in models:
        raise UnknownNameError("choosing the model that others are compared with", against, models)


def _common(runs: Mapping[str, Run], name: str, against: str) -> tuple[Target, ...]:
    """The targets that all models have, in the order of the first."""
    _refuse_wrong_names(runs, name, against)
    kinds = {n: {t.name: t.kind for t in run.targets} for n, run in runs.items()}
    first = next(iter(runs.values()))
    found = tuple(t for t in first.targets if all(k.get(t.name) == t.kind for k in kinds.values()))
    if not found:
        came = "; ".join(f"{n} predicts {', '.join(k)}" for n, k in kinds.items())
        raise InputError(ASKED, came, "models with a target in common", "compare models of one task")
    return found


def _deciding(name: str, targets: Sequence[Target], named: bool) -> dict[str, Metric]:
    """Target -> the metric of that name, or where it does not fit the target's kind the usual one.

    Args:
        named: whether the user asked for it; then it must fit some target.
    """
    wanted = metric(name)
    if named and all(wanted.kind != t.kind for t in targets):
        kinds = ", ".join(sorted({t.kind for t in targets}))
        raise InputError(f"comparing models by {name}", f"targets of kind {kinds}", f"a target of kind {wanted.kind}")
    return {t.name: wanted if wanted.kind == t.kind else _usual(t) for t in targets}


def _usual(target: Target) -> Metric:
    first = {"regression": "rmse", "binary": "auroc"}.get(target.kind)
    if first is None:
        raise InputError(ASKED, f"{target.name!r} of kind {target.kind}", "targets of kind regression or binary")
    return metric(first)


def _trained(
    runs: Mapping[str, Run], found: Mapping[str, Measured], among: Bool[np.ndarray, " rows"]
) -> list[np.ndarray | None]:
    """Per model which rows it was trained on; None where it does not remember its training rows."""
    read_before: dict[str, str] = {}
    return [
        None if run.predictor.domain is None else trained_on(run, found[name].predictions, among, read_before)
        for name, run in runs.items()
    ]


def _stored(name: str, run: Run, part: Part) -> pd.DataFrame:
    frame = run.predictions
    own = frame[frame["part"] == part] if len(frame) else frame
    if len(own) == 0:
        kinds = part.replace("_", "-")
        remedy = "train it with --cv 5" if part == "out_of_fold" else "train it with a test part"
        raise InputError(f"comparing stored {kinds} predictions", f"none in {name}", "models that hold some", remedy)
    return own.reset_index(drop=True)


def _joined(runs: Mapping[str, Run], frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """(row, id and structure of the common rows, their positions in each model's frame)."""
    first = next(iter(frames.values()))
    by_structure = all("smiles" in f and f["smiles"].is_unique for f in frames.values())
    hashes = {str(run.facts.get("data_sha256")) for run in runs.values()}
    if not by_structure and len(hashes) > 1:
        raise InputError(
            "comparing stored predictions",
            "models of other data, with rows that no structure tells apart",
            "models trained on the same file",
            "compare them on a file instead",
        )
    key = "smiles" if by_structure else "row"
    place = {name: {k: i for i, k in enumerate(frame[key])} for name, frame in frames.items()}
    keys = [k for k in first[key] if all(k in p for p in place.values())]
    if not keys:
        raise InputError("comparing stored predictions", "no row that all models hold", "models of the same data")
    chosen = {name: np.asarray([p[k] for k in keys], dtype=np.int64) for name, p in place.items()}
    told = ["row", "id", *(["smiles"] if "smiles" in first else [])]
    return first[told].iloc[next(iter(chosen.values()))].reset_index(drop=True), chosen


def _refuse_other_folds(folds: Mapping[str, np.ndarray]) -> None:
    """Refuse unless the rows are parted in the same way by all models, whatever the folds are called."""
    (name, own), *others = folds.items()
    for other, theirs in others:
        pairs = set(zip(own.tolist(), theirs.tolist(), strict=True))
        if len(pairs) > len(set(own.tolist())) or len(pairs) > len(set(theirs.tolist())):
            raise InputError(
                "comparing out-of-fold predictions",
                f"other folds in {other} than in {name}",
                "models trained with the same split, folds and seed on the same rows",
                "train them alike, or compare them on a file",
            )
