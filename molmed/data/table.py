"""Anything that holds rows -> chunks: a file, a data frame, a dict of columns, a list of SMILES."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from molmed import catalog
from molmed.data.sources import Chunk, Source
from molmed.errors import InputError

Cells = Sequence[object] | np.ndarray | pd.Series
Table = str | Path | pd.DataFrame | Mapping[str, Cells] | Cells
"""A path, a data frame, a dict of columns, or a sequence of SMILES (column "smiles")."""


def open_source(path: Path) -> Source:
    """The reader of a file, by its extension.

    Raises:
        InputError: no source reads that extension.
    """
    accepted = []
    name = path.name.lower().removesuffix(".gz")
    for entry in catalog.names("sources"):
        source = catalog.load("sources", entry)
        if name.endswith(source.extensions):
            made: Source = source()
            return made
        accepted += source.extensions
    came = f"the extension {Path(name).suffix!r}"
    raise InputError(f"reading {path}", came, ", ".join(accepted) + " and .gz of each", "rename the file")


def column_names(table: Table) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(table, str | Path):
        return open_source(Path(table)).columns(Path(table))
    return tuple(str(name) for name in _frame(table).columns)


def chunks(table: Table, rows: int = 10_000) -> Iterator[Chunk]:
    """The rows in order, `rows` at a time.

    Raises:
        InputError: the file cannot be read.
    """
    if isinstance(table, str | Path):
        yield from open_source(Path(table)).chunks(Path(table), rows)
        return
    frame = _frame(table)
    for start in range(0, len(frame), rows):
        part = frame.iloc[start : start + rows]
        yield Chunk(start, {str(name): _cells(part[name]) for name in part.columns}, len(part))


def read(path: str | Path) -> pd.DataFrame:
    """All rows of a file in order, cells as text; unreadable rows are empty and listed in `.attrs["rejected"]`.

    Raises:
        InputError: the file cannot be read.
    """
    parts = list(chunks(path))
    names = column_names(path)
    frame = pd.DataFrame({name: [cell for part in parts for cell in part.columns[name]] for name in names})
    frame.attrs["rejected"] = [rejected for part in parts for rejected in part.rejected]
    return frame


def _cells(column: pd.Series) -> list[object]:
    """Its objects, None for NaN, NaT and pandas' NA."""
    missing = column.isna()
    return [None if m else cell for cell, m in zip(column.tolist(), missing, strict=True)]


def _frame(table: object) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        names = [str(name) for name in table.columns]
        if len(set(names)) < len(names):
            raise InputError("reading a data frame", f"the columns {', '.join(names)}", "different names")
        return table
    if isinstance(table, Mapping):
        columns = {name: _listed(cells, f"reading column {name!r}") for name, cells in table.items()}
        lengths = {name: len(cells) for name, cells in columns.items()}
        if len(set(lengths.values())) > 1:
            raise InputError("reading a dict of columns", f"the lengths {lengths}", "equally many cells in each")
        return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    return pd.DataFrame({"smiles": pd.Series(_listed(table, "reading rows"), dtype=object)})


def _listed(cells: object, asked: str) -> list[object]:
    if isinstance(cells, str | bytes) or not isinstance(cells, pd.Series | np.ndarray | Sequence):
        accepted = "a path, a data frame, a dict of columns or a list of SMILES"
        raise InputError(asked, f"a value of type {type(cells).__name__}", accepted)
    return list(cells)
