"""Cells of a table: missing, a number, or text."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

_MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "+nan", "none", "null", "?"})
_SPELLED = _MISSING | {w.upper() for w in _MISSING} | {w.capitalize() for w in _MISSING} | {"NaN"}
"""The usual spellings, looked up first: an exception costs as much as ten numbers."""


def is_missing(cell: object) -> bool:
    """Whether a cell holds no value: None, NaN, or text that says so ("", "NA", "?", ...)."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return cell.strip().lower() in _MISSING
    return isinstance(cell, float | np.floating) and math.isnan(cell)


def number(cell: object) -> float | None:
    """The finite number in a cell, or None. True and False are classes, "1_000" is text."""
    if isinstance(cell, bool | np.bool_) or (isinstance(cell, str) and "_" in cell):
        return None
    try:
        value = float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def numbers(cells: Sequence[object]) -> tuple[Float[np.ndarray, " cells"], Bool[np.ndarray, " cells"]]:
    """(values, wrong): `number` of every cell; `wrong` marks those that are neither missing nor a number.

    Missing and wrong cells are nan.
    """
    kinds = set(map(type, cells))
    if kinds == {str} and "_" not in "".join(cells):  # type: ignore[arg-type]
        values: np.ndarray = np.asarray(_texts(cells))  # type: ignore[arg-type]
    elif kinds <= {float, type(None)}:
        values = np.asarray(cells, dtype=np.float64)
    else:
        values = np.asarray([_or_inf(cell) for cell in cells], dtype=np.float64)
    wrong = np.isinf(values)
    values[wrong] = np.nan
    return values, wrong


def _texts(cells: Sequence[str]) -> list[float]:
    """`_or_inf` of every cell, by the shortest way that works."""
    try:
        return list(map(float, cells))
    except ValueError:
        pass
    distinct = set(cells)
    if 4 * len(distinct) < len(cells):
        known = {cell: _or_inf(cell) for cell in distinct}
        return [known[cell] for cell in cells]
    values: list[float] = []
    for cell in cells:
        if cell in _SPELLED:
            values.append(math.nan)
            continue
        try:
            values.append(float(cell))
        except ValueError:
            values.append(_or_inf(cell))
    return values


def _or_inf(cell: object) -> float:
    """The number, nan for a missing cell, infinity for a wrong one."""
    value = number(cell)
    return value if value is not None else math.nan if is_missing(cell) else math.inf
