"""Table columns: numbers imputed and scaled, categories one-hot, gaps marked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from molmed.data.cells import is_missing as is_missing
from molmed.data.cells import numbers
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.results import Fault, Reason
from molmed.tunable import Int

NUMERIC_SHARE = 0.8
"""A column is numeric if at least this share of its known training cells are numbers; chosen, not studied."""


@dataclass(frozen=True)
class ColumnsConfig:
    """`max_categories`: a text column keeps its most frequent values; the rest share one column (chosen)."""

    max_categories: Annotated[int, Int(2, 1000)] = 30


class Columns(Featurizer):
    """Cells of a row -> float32 vector. A column is numeric if most of its known training cells are numbers.

    Numeric: (value - mean) / standard deviation of the training rows, gaps at the median, and a 0/1 column for
    gaps where training has some; text is unreadable there, and `fit` passes over it. Text: one column per category
    and one for any other value; a gap is zeros.
    The state is plain JSON, which scikit-learn's transformers are not; the arithmetic is theirs
    (SimpleImputer(strategy="median"), StandardScaler, OneHotEncoder(handle_unknown="infrequent_if_exist")).
    """

    Config = ColumnsConfig
    version = "1"
    subject = "columns"
    kind = "vector"

    def fit(self, items: Sequence[Sequence[Any]]) -> State:
        """Per column {"kind": "number", "median", "mean", "scale", "gaps"} or {"kind": "text", "categories"}."""
        return {"columns": [self._fit_column(cells) for cells in zip(*items, strict=True)]}

    def _fit_column(self, cells: tuple[Any, ...]) -> dict[str, Any]:
        values, wrong = numbers(cells)
        numeric = ~np.isnan(values)
        if numeric.sum() < NUMERIC_SHARE * (numeric.sum() + wrong.sum()):
            return self._fit_categories(cells)
        known, n_gaps = values[numeric], int((~numeric & ~wrong).sum())
        median = float(np.median(known)) if len(known) else 0.0
        filled = np.concatenate([known, np.full(n_gaps, median)])
        spread = float(filled.std())
        return {
            "kind": "number",
            "median": median,
            "mean": float(filled.mean()),
            "scale": spread if spread > 0 else 1.0,
            "gaps": n_gaps > 0,
        }

    def _fit_categories(self, cells: tuple[Any, ...]) -> dict[str, Any]:
        counts = Counter(str(c).strip() for c in cells if not is_missing(c))
        frequent = sorted(counts, key=lambda text: (-counts[text], text))[: self.config.max_categories]
        return {"kind": "text", "categories": sorted(frequent)}

    def unreadable(self, items: Sequence[Sequence[Any]], state: State) -> list[Fault | None]:
        """Per item the first cell that is text in a column of numbers, or None."""
        faults: list[Fault | None] = [None] * len(items)
        for position, column in enumerate(state["columns"]):
            if column["kind"] == "number":
                cells = [item[position] for item in items]
                for row in np.flatnonzero(numbers(cells)[1]):
                    detail = f"column {position + 1} of the slot holds {cells[row]!r:.60}, numbers are expected"
                    faults[row] = faults[row] or Fault("features", Reason.CELL_NOT_A_NUMBER, detail)
        return faults

    def featurize(self, items: Sequence[Sequence[Any]], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed vectors; `unreadable` items must have been taken out."""
        out = np.zeros((len(items), self.dims(state)["dim"]), dtype=np.float32)
        start = 0
        for position, column in enumerate(state["columns"]):
            cells = [item[position] for item in items]
            if column["kind"] == "number":
                values, _ = numbers(cells)
                gaps = np.isnan(values)
                values[gaps] = column["median"]
                out[:, start] = (values - column["mean"]) / column["scale"]
                if column["gaps"]:
                    out[:, start + 1] = gaps
            else:
                index = {c: i for i, c in enumerate(column["categories"])}
                chosen = [-1 if is_missing(c) else index.get(str(c).strip(), len(index)) for c in cells]
                known = [row for row, category in enumerate(chosen) if category >= 0]
                out[known, start + np.asarray(chosen, dtype=np.int64)[known]] = 1
            start += _width(column)
        return Packed("vector", {"x": out}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: columns of the vector."""
        return {"dim": sum(_width(c) for c in state["columns"])}


def _width(column: dict[str, Any]) -> int:
    return 1 + column["gaps"] if column["kind"] == "number" else len(column["categories"]) + 1


ENTRY = Columns
