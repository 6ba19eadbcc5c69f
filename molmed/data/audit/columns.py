"""The other columns of a table without structures: text among numbers, one value only, empty cells, odd zeros."""

from collections.abc import Iterator

import numpy as np

from molmed.data.audit.findings import Finding, Severity, finding
from molmed.data.audit.rows import Rows
from molmed.data.audit.settings import AuditConfig
from molmed.data.audit.words import count, listed, share, verb
from molmed.data.cells import is_missing, numbers

_EMPTY = 0.2
"""Share of empty cells from which a column is told of; chosen."""

_ODD_ZERO = 3.0
"""Robust standard deviations between 0 and the middle of a column in which a zero is odd; chosen."""


def columns(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Every column that is neither structure, id, fold nor target."""
    for name, cells in rows.cells.items():
        values, wrong = numbers(cells)
        known = ~np.isnan(values)
        texts = [i for i in np.flatnonzero(wrong).tolist() if not is_missing(cells[i])]
        empty = [i for i, cell in enumerate(cells) if is_missing(cell)]
        filled = len(cells) - len(empty)
        if texts and len(texts) <= 0.2 * filled:
            n = len(texts)
            examples = listed(sorted({repr(str(cells[i])[:30]) for i in texts}), 3)
            sentence = f"{count(n, 'cell')} of {name} {verb(n, 'is', 'are')} not a number: {examples}"
            yield finding("column_text", Severity.WARNING, sentence, np.asarray(texts), about=name)
        if filled and len({str(c).strip() for c in cells if not is_missing(c)}) == 1 and filled > 1:
            sentence = f"every cell of {name} that is filled says the same"
            yield finding("column_constant", Severity.NOTE, sentence, [], about=name)
        if len(empty) >= _EMPTY * len(cells):
            sentence = f"{name} is empty in {count(len(empty), 'row')} ({share(len(empty), len(cells))})"
            yield finding("column_missing", Severity.NOTE, sentence, np.asarray(empty), about=name)
        yield from _zeros(name, values, known)


def _zeros(name: str, values: np.ndarray, known: np.ndarray) -> Iterator[Finding]:
    """Zeros in a column of positive numbers that stays well away from 0: a blood pressure, a code that begins at 3.

    Well away: compared with how far its values lie apart. A count from 0 upwards is no such column.
    """
    zero = known & (values == 0)
    others = values[known & ~zero]
    if not zero.any() or len(others) < 10 or others.min() <= 0 or zero.sum() > 0.5 * known.sum():
        return
    middle = float(np.median(others))
    spread = max(1.4826 * float(np.median(np.abs(others - middle))), float(others.std()) / 2)
    distinct = np.unique(others)
    far = middle >= _ODD_ZERO * spread or others.min() >= 10 * float(np.median(np.diff(distinct)))
    if others.min() >= 0.15 * middle and far and len(distinct) > 2:
        n = int(zero.sum())
        sentence = (
            f"{count(n, 'zero')} in {name}, whose other values begin at {others.min():.4g}: may stand for unknown"
        )
        yield finding("column_zero", Severity.WARNING, sentence, np.flatnonzero(zero), about=name)
