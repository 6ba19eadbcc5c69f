"""Predicted against measured: scores with bootstrap intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from molmed.chem import Molecule, read
from molmed.data import labels
from molmed.data.table import Table, column_names
from molmed.errors import InputError
from molmed.experiment.run import Run
from molmed.experiment.scores import Scores, score
from molmed.results import Rejected


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
    columns = dict(zip(own, targets or own, strict=True))
    names = column_names(table)
    if missing := [c for c in columns.values() if c not in names]:
        came = "no column " + ", ".join(map(repr, missing))
        raise InputError(asked, came, "the columns " + ", ".join(names), "name it with --target")
    frame = run.predict(table, smiles=smiles, id=id, keep=tuple(dict.fromkeys(columns.values())))
    rejected: list[Rejected] = []
    y = np.full((len(frame), len(columns)), np.nan)
    for position, target in enumerate(run.targets):
        column = columns[target.name]
        y[:, position], faults = labels.parse(frame[f"in_{column}"].tolist(), target.kind, column)
        rejected += [f.at(int(frame["row"][i]), str(frame["id"][i])) for i, f in enumerate(faults) if f is not None]
        frame[f"{target.name}_measured"] = y[:, position]
    frame = frame.drop(columns=[f"in_{c}" for c in dict.fromkeys(columns.values())])
    predicted = frame[[t.name for t in run.targets]].to_numpy(dtype=np.float64)
    scored = ~np.isnan(y) & ~np.isnan(predicted)
    if not scored.any():
        raise InputError(asked, f"{len(frame)} rows, none with a label and a prediction", "at least one")
    scores = score(run.targets, np.where(scored, y, np.nan), predicted, run.task.metric)
    n = {t.name: int(scored[:, i].sum()) for i, t in enumerate(run.targets)}
    return Evaluation(scores, frame, n, _in_training(run, frame, scored), tuple(rejected))


def _in_training(run: Run, frame: pd.DataFrame, scored: Bool[np.ndarray, "rows targets"]) -> int:
    domain = run.predictor.domain
    if domain is None:
        return 0
    known = set(domain.compounds["smiles"])
    rows = frame[scored.any(axis=1)]
    # the parent is only written where it is another structure than the given one
    found = (
        read(parent or given, standardise=False) for parent, given in zip(rows["parent"], rows["smiles"], strict=True)
    )
    return sum(m.smiles in known for m in found if isinstance(m, Molecule))
