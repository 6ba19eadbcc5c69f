"""Label cells -> numbers, nan = unknown. What cannot be read is a fault, never a guess."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from molmed.data.cells import is_missing, number
from molmed.results import Fault, Reason
from molmed.targets import Kind

_CLASSES = {
    "false": 0.0, "inactive": 0.0, "no": 0.0, "negative": 0.0,
    "true": 1.0, "active": 1.0, "yes": 1.0, "positive": 1.0,
}  # fmt: skip


def parse(cells: Sequence[object], kind: Kind, name: str) -> tuple[Float[np.ndarray, " rows"], list[Fault | None]]:
    """(values, faults): nan with a fault where a cell cannot be read, nan without one where it is empty."""
    values = np.full(len(cells), np.nan)
    faults: list[Fault | None] = [None] * len(cells)
    for row, cell in enumerate(cells):
        if is_missing(cell):
            continue
        value = number(cell) if kind == "regression" else class_of(cell)
        if value is None:
            reason = Reason.TARGET_NOT_A_NUMBER if kind == "regression" else Reason.TARGET_NOT_A_CLASS
            wanted = "a finite number" if kind == "regression" else "0/1, false/true, inactive/active or no/yes"
            faults[row] = Fault("label", reason, f"{name} is {str(cell)[:40]!r}, {wanted} is expected")
        else:
            values[row] = value
    return values, faults


def class_of(cell: object) -> float | None:
    """The class in a cell: 0.0 or 1.0, or None."""
    value = number(cell)
    return value if value in (0.0, 1.0) else _CLASSES.get(str(cell).strip().lower())
