"""Anything that holds rows -> chunks: files, a data frame, a dict of columns, a list of SMILES."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from molmed import catalog
from molmed.data.address import Address, files, name_of, place, shown
from molmed.data.folder import Files, refuse_strangers
from molmed.data.packing import PACKINGS, packing
from molmed.data.sources import Chunk, Source
from molmed.errors import ConfigError, InputError, nearest

Cells = Sequence[object] | np.ndarray | pd.Series
Table = str | Path | pd.DataFrame | Mapping[str, Cells] | Cells
"""A path, a folder, a pattern ("lib/*.smi.gz") or an fsspec address ("zip://a.csv::b.zip"); a data frame, a dict of
columns, or a sequence of SMILES (column "smiles")."""


def open_source(path: Address, **settings: object) -> Source:
    """The reader of a file, by its extension. `settings` are those of the format, e.g. `sheet` of .xlsx.

    Raises:
        InputError: no source reads that extension, or it has no such setting.
    """
    name = name_of(path).lower()
    ending = packing(name)
    bare = name.removesuffix(ending)
    sources = _sources(os.environ.get("MOLMED_SHELVES", ""))
    for source in sources:
        if bare.endswith(source.extensions):
            if ending and not source.packed:
                came = f"{ending} around a format that is packed inside"
                raise InputError(f"reading {shown(path)}", came, bare[bare.rfind(".") :], "unpack it")
            return _made(source, settings)
    came = f"the extension {Path(bare).suffix!r}"
    accepted = ", ".join(extension for source in sources for extension in source.extensions)
    whole = f"{accepted}, and text also packed: {' '.join(PACKINGS)}"
    raise InputError(f"reading {shown(path)}", came, whole, "rename the file")


@lru_cache
def _sources(shelves: str) -> tuple[type[Source], ...]:
    """Every source. Looking at the shelf takes 15 ms, too long for each of the files of a folder."""
    return tuple(catalog.load("sources", name) for name in catalog.names("sources"))


def column_names(table: Table, **settings: object) -> tuple[str, ...]:
    """The names of the columns.

    Raises:
        InputError: the file cannot be read, or the files of a folder have different columns.
    """
    if isinstance(table, str | Path):
        return _files(table, settings).columns()
    return tuple(str(name) for name in _frame(table).columns)


def chunks(table: Table, rows: int = 10_000, **settings: object) -> Iterator[Chunk]:
    """The rows in order, `rows` at a time; several files are one table, and no chunk holds rows of two.

    Raises:
        InputError: the file cannot be read, or the files of a folder have different columns.
    """
    if rows < 1:
        raise InputError("reading a table", f"{rows} rows at a time", "1 or more")
    if isinstance(table, str | Path):
        yield from _files(table, settings).chunks(rows)
        return
    frame = _frame(table)
    for start in range(0, len(frame), rows):
        part = frame.iloc[start : start + rows]
        columns = {str(name): _cells(part[name]) for name in part.columns}
        yield Chunk(start, columns, len(part), done=(start + len(part)) / len(frame))


def read(path: str | Path, **settings: object) -> pd.DataFrame:
    """All rows of a file (folder, pattern) in order; unreadable rows are empty and listed in `.attrs["rejected"]`.

    Cells are text, or from a typed format (.parquet, .xlsx) the objects it holds.

    Raises:
        InputError: the file cannot be read.
    """
    parts = list(_files(path, settings).chunks(10_000))
    names = column_names(path, **settings)
    frame = pd.DataFrame({name: _column([cell for part in parts for cell in part.columns[name]]) for name in names})
    frame.attrs["rejected"] = [rejected for part in parts for rejected in part.rejected]
    return frame


def _files(asked: Address, settings: Mapping[str, object]) -> Files:
    found = files(asked)
    if found == [place(asked)]:
        return Files(found[0], ((found[0], open_source(found[0], **settings)),))
    parts: list[tuple[Address, Source]] = []
    unread: list[Address] = []
    accepted = ""
    for path in found:
        try:
            parts.append((path, open_source(path, **settings)))
        except ConfigError:
            raise
        except InputError as error:
            accepted = error.accepted
            unread.append(path)
    refuse_strangers(asked, found, unread, accepted)
    return Files(asked, tuple(parts))


def _made(source: type[Source], settings: Mapping[str, object]) -> Source:
    if not settings:
        return source()
    known = tuple(f.name for f in fields(source.Config)) if source.Config is not None else ()
    for name in settings:
        if name not in known:
            near = nearest(name, known)
            asked = f"reading {source.extensions[0]} with {name}={settings[name]!r}"
            remedy = f"did you mean {near[0]!r}?" if near else "leave it out"
            raise ConfigError(asked, f"no setting {name!r}", ", ".join(known) or "no settings", remedy)
    return source(source.Config(**settings))  # type: ignore[call-arg]


def _column(cells: list[object]) -> pd.Series:
    """Of the type of its cells; whole numbers some of which are missing stay whole, which pandas would not do."""
    kinds = set(map(type, cells))
    return pd.Series(cells, dtype=object if kinds == {int, type(None)} else None)


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
