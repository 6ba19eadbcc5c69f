"""The rows of a run that were predicted by a model which had not seen them: what every plot and table is made of."""

import numpy as np
import pandas as pd
from jaxtyping import Float

from molmed.experiment.run import Run
from molmed.targets import Target

PARTS = {"out_of_fold": "out-of-fold", "test": "test"}
"""Part of a run's predictions -> how it is called in a text."""

Values = tuple[np.ndarray, np.ndarray]
"""(measured, predicted)."""


def honest(run: Run, target: Target) -> pd.DataFrame:
    """The rows with a prediction and a measurement of one target, out-of-fold ones first.

    Columns: part (as in a text), row, id, measured, predicted, error (predicted less measured), and where there is
    one smiles, and spread.
    """
    frame = run.predictions
    if frame.empty:
        return pd.DataFrame(columns=["part", "row", "id", "measured", "predicted", "error"])
    made = pd.DataFrame(
        {
            "part": [PARTS.get(str(p), str(p)) for p in frame["part"]],
            "row": frame["row"],
            "id": frame["id"],
            "measured": frame[f"{target.name}_measured"].astype("float64"),
            "predicted": frame[target.name].astype("float64"),
        }
    )
    made["error"] = made["predicted"] - made["measured"]
    if "smiles" in frame:
        made["smiles"] = frame["smiles"]
    if f"{target.name}_spread" in frame:
        made["spread"] = frame[f"{target.name}_spread"].astype("float64")
    return made[np.isfinite(made["error"].to_numpy())].reset_index(drop=True)


def by_part(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Part -> its rows, out-of-fold first and test last, as far as there are any."""
    order = sorted(dict.fromkeys(rows["part"]), key=lambda part: (part == PARTS["test"], part))
    return {part: rows[rows["part"] == part] for part in order}


def judged(rows: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The part that a model is judged by: the test rows, or without any the out-of-fold ones."""
    parts = by_part(rows)
    part = list(parts)[-1]
    return part, parts[part]


def values(rows: pd.DataFrame, column: str) -> Float[np.ndarray, " rows"]:
    """A column as numbers."""
    return rows[column].to_numpy(dtype=np.float64)
