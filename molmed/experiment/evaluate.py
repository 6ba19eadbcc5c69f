"""Predicted against measured: scores with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from molmed.chem import Molecule, read
from molmed.data import labels
from molmed.data.table import Table, column_names
from molmed.errors import InputError
from molmed.experiment.run import Run
from molmed.experiment.scores import Scores, score
from molmed.results import Rejected
from molmed.targets import Target


@dataclass(frozen=True)
class Evaluation:
    """What came out of an evaluation.

    Args:
        scores: target -> metric -> value with its interval.
        predictions: one row per input row; the measured value stands in `<target>_measured`.
        n: target -> rows that were scored.
        in_training: scored rows whose standardised structure the model was trained on; their errors flatter it.
        rejected: label cells that could not be read.
    """

    scores: Scores
    predictions: pd.DataFrame
    n: dict[str, int]
    in_training: int
    rejected: tuple[Rejected, ...]

    def frame(self) -> pd.DataFrame:
        """One row per target and metric: target, metric, value, low, high, level, rows."""
        rows = [
            {"target": target, "metric": name, **asdict(interval), "rows": self.n[target]}
            for target, by_metric in self.scores.items()
            for name, interval in by_metric.items()
        ]
        return pd.DataFrame(rows)


@dataclass(frozen=True)
class Measured:
    """The rows of a table beside what was measured of them.

    Args:
        predictions: one row per input row, with the columns of a prediction and `<target>_measured`.
        y: the measured values, nan = unknown.
        predicted: the predicted values, nan = no prediction.
        rejected: label cells that could not be read.
    """

    predictions: pd.DataFrame
    y: Float[np.ndarray, "rows targets"]
    predicted: Float[np.ndarray, "rows targets"]
    rejected: tuple[Rejected, ...]


def measure(
    run: Run,
    table: Table,
    targets: Sequence[Target],
    columns: Sequence[str],
    *,
    smiles: str = "",
    id: str = "",
    asked: str = "evaluating a model against measured values",
) -> Measured:
    """Predict every row of a table and read the measured values of some of the model's targets beside it.

    Args:
        columns: of the measured values, one for each target.

    Raises:
        InputError: a column is not there.
    """
    names = column_names(table)
    if missing := [c for c in columns if c not in names]:
        came = "no column " + ", ".join(map(repr, missing))
        raise InputError(asked, came, "the columns " + ", ".join(names), "name it with --target")
    frame = run.predict(table, smiles=smiles, id=id, keep=tuple(dict.fromkeys(columns)))
    rejected: list[Rejected] = []
    y = np.full((len(frame), len(targets)), np.nan)
    for position, (target, column) in enumerate(zip(targets, columns, strict=True)):
        y[:, position], faults = labels.parse(frame[f"in_{column}"].tolist(), target.kind, column)
        rejected += [f.at(int(frame["row"][i]), str(frame["id"][i])) for i, f in enumerate(faults) if f is not None]
        frame[f"{target.name}_measured"] = y[:, position]
    frame = frame.drop(columns=[f"in_{c}" for c in dict.fromkeys(columns)])
    predicted = frame[[t.name for t in targets]].to_numpy(dtype=np.float64)
    return Measured(frame, y, predicted, tuple(rejected))


def evaluate(run: Run, table: Table, *, smiles: str = "", id: str = "", targets: Sequence[str] = ()) -> Evaluation:
    """Predict every row of a table and score the predictions against its target columns.

    Args:
        targets: columns of the measured values, in the order of the model's targets; empty = the same names.

    Raises:
        InputError: a target column is not there, or no row has both a label and a prediction.
    """
    asked = "evaluating a model against measured values"
    own = [t.name for t in run.targets]
    if targets and len(targets) != len(own):
        raise InputError(asked, f"{len(targets)} target columns", f"{len(own)}, one for each of {', '.join(own)}")
    found = measure(run, table, run.targets, targets or own, smiles=smiles, id=id, asked=asked)
    scored = ~np.isnan(found.y) & ~np.isnan(found.predicted)
    if not scored.any():
        raise InputError(asked, f"{len(found.y)} rows, none with a label and a prediction", "at least one")
    scores = score(run.targets, np.where(scored, found.y, np.nan), found.predicted, run.task.metric)
    n = {t.name: int(scored[:, i].sum()) for i, t in enumerate(run.targets)}
    seen = int(trained_on(run, found.predictions, scored.any(axis=1)).sum())
    return Evaluation(scores, found.predictions, n, seen, found.rejected)


def trained_on(
    run: Run, frame: pd.DataFrame, among: Bool[np.ndarray, " rows"], read_before: dict[str, str] | None = None
) -> Bool[np.ndarray, " rows"]:
    """Which of some rows of its predictions are structures that the model was trained on; False where not asked.

    Args:
        read_before: text -> canonical SMILES, filled on the way; saves reading a text again for another model.
    """
    out = np.zeros(len(frame), dtype=bool)
    domain = run.predictor.domain
    if domain is None:
        return out
    known = set(domain.compounds["smiles"])
    canonical = {} if read_before is None else read_before
    # the parent is only written where it is another structure than the given one
    texts = [str(parent or given) for parent, given in zip(frame["parent"], frame["smiles"], strict=True)]
    for i in np.flatnonzero(among).tolist():
        text = texts[i]
        if text not in canonical:
            molecule = read(text, standardise=False)
            canonical[text] = molecule.smiles if isinstance(molecule, Molecule) else ""
        out[i] = canonical[text] in known
    return out
