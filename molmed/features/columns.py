"""Table columns: numbers imputed and scaled, categories one-hot, gaps marked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.results import Fault, Reason
from molmed.tunable import Int

_MISSING = frozenset({"", "na", "n/a", "nan", "none", "null", "?"})


@dataclass(frozen=True)
class ColumnsConfig:
    """`max_categories`: a text column keeps its most frequent values; the rest share one column (chosen)."""

    max_categories: Annotated[int, Int(2, 1000)] = 30


class Columns(Featurizer):
    """Cells of a row -> float32 vector. A column is numeric if every known training cell is a number.

    Numeric: (value - mean) / standard deviation of the training rows, gaps at the median, and a 0/1 column for
    gaps where training has some. Text: one column per category and one for any other value; a gap is zeros.
    The state is plain JSON, which scikit-learn's transformers are not; the arithmetic is theirs
    (SimpleImputer(strategy="median"), StandardScaler, OneHotEncoder(handle_unknown="infrequent_if_exist")).
    """

    Config = ColumnsConfig
    version = "1"
    subject = "columns"
    kind = "vector"

    def fit(self, items: Sequence[Sequence[Any]]) -> State:
        """Per column {"kind": "number", "median", "mean", "scale", "gaps"} or {"kind": "text", "categories"}."""
        return {"columns": [self._fit_column(list(cells)) for cells in zip(*items, strict=True)]}

    def _fit_column(self, cells: list[Any]) -> dict[str, Any]:
        known = [c for c in cells if not is_missing(c)]
        numbers = [number(c) for c in known]
        if all(n is not None for n in numbers):
            values = np.asarray(numbers, dtype=np.float64)
            median = float(np.median(values)) if len(values) else 0.0
            filled = np.concatenate([values, np.full(len(cells) - len(values), median)])
            spread = float(filled.std())
            return {
                "kind": "number",
                "median": median,
                "mean": float(filled.mean()),
                "scale": spread if spread > 0 else 1.0,
                "gaps": len(values) < len(cells),
            }
        texts, counts = np.unique([str(c).strip() for c in known], return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[: self.config.max_categories]
        return {"kind": "text", "categories": sorted(str(texts[i]) for i in frequent)}

    def unreadable(self, items: Sequence[Sequence[Any]], state: State) -> list[Fault | None]:
        """Per item the first cell that is text in a column of numbers, or None."""
        return [self._fault(item, state) for item in items]

    def _fault(self, item: Sequence[Any], state: State) -> Fault | None:
        for position, (cell, column) in enumerate(zip(item, state["columns"], strict=True)):
            if column["kind"] == "number" and not is_missing(cell) and number(cell) is None:
                detail = f"column {position + 1} of the slot holds {cell!r}, numbers are expected"
                return Fault("features", Reason.CELL_NOT_A_NUMBER, detail)
        return None

    def featurize(self, items: Sequence[Sequence[Any]], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed vectors; `unreadable` items must have been taken out."""
        out = np.zeros((len(items), self.dims(state)["dim"]), dtype=np.float32)
        start = 0
        for position, column in enumerate(state["columns"]):
            cells = [item[position] for item in items]
            if column["kind"] == "number":
                gaps = np.asarray([is_missing(c) for c in cells], dtype=bool)
                values = np.asarray([column["median"] if is_missing(c) else number(c) for c in cells], dtype=np.float64)
                out[:, start] = (values - column["mean"]) / column["scale"]
                if column["gaps"]:
                    out[:, start + 1] = gaps
            else:
                index = {c: i for i, c in enumerate(column["categories"])}
                for row, cell in enumerate(cells):
                    if not is_missing(cell):
                        out[row, start + index.get(str(cell).strip(), len(index))] = 1
            start += _width(column)
        return Packed("vector", {"x": out}, {}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"dim"}: columns of the vector."""
        return {"dim": sum(_width(c) for c in state["columns"])}


def _width(column: dict[str, Any]) -> int:
    return 1 + column["gaps"] if column["kind"] == "number" else len(column["categories"]) + 1


def is_missing(cell: Any) -> bool:
    """Whether a cell holds no value: None, NaN, or text that says so ("", "NA", "?", ...)."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return True
    return isinstance(cell, str) and cell.strip().lower() in _MISSING


def number(cell: Any) -> float | None:
    """The finite number in a cell, or None."""
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


ENTRY = Columns
