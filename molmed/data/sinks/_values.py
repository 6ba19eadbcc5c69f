"""Values as texts: numbers in the shortest form that reads back to the same float32."""

import numpy as np
import pandas as pd


def rounded(column: pd.Series) -> pd.Series:
    """A float64 column as float32, or as it is where that would lose more than digits (1e-50 would become 0)."""
    values = column.to_numpy(dtype=np.float64)
    sizes = np.abs(values[np.isfinite(values) & (values != 0)])
    limits = np.finfo(np.float32)
    fits = not len(sizes) or (sizes.min() >= limits.tiny and sizes.max() <= limits.max)
    return column.astype("float32") if fits else column


def texts(column: pd.Series, kind: str) -> list[str]:
    """The cells of a column as text, "" for an unknown one. `kind`: its dtype in `Columns`."""
    if kind == "float64":
        values = rounded(column).to_numpy()
        return ["" if value != value else str(value) for value in values]
    missing = column.isna()
    return ["" if m else str(cell) for cell, m in zip(column.tolist(), missing, strict=True)]
