"""A table -> a file, in the format of its extension."""

import os
from functools import lru_cache
from pathlib import Path

import pandas as pd

from molmed import catalog
from molmed.data.address import name_of, place, shown
from molmed.data.packing import PACKINGS, packing
from molmed.data.sinks import Columns, Sink
from molmed.errors import InputError


def open_sink(path: str | Path, columns: Columns) -> Sink:
    """The writer of a file or an fsspec address, to be used in a `with` block.

    Raises:
        InputError: no sink writes that extension, or the folder cannot be written to.
    """
    name = name_of(place(path, "writing")).lower()
    ending = packing(name)
    bare = name.removesuffix(ending)
    sinks = _sinks(os.environ.get("MOLMED_SHELVES", ""))
    for sink in sinks:
        if bare.endswith(sink.extensions) and (sink.packed or not ending):
            return sink(path, columns)
    came = f"the extension {Path(bare).suffix + ending!r}"
    accepted = ", ".join(sorted(extension for sink in sinks for extension in sink.extensions))
    whole = f"{accepted}, and text also packed: {' '.join(PACKINGS)}"
    raise InputError(f"writing {shown(path)}", came, whole, "rename it")


@lru_cache
def _sinks(shelves: str) -> tuple[type[Sink], ...]:
    """Every sink; looking at the shelf takes longer than writing a small table."""
    return tuple(catalog.load("sinks", name) for name in catalog.names("sinks"))


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a whole data frame; what is neither a number nor text is written as its text.

    Raises:
        InputError: see `open_sink`.
    """
    if not frame.columns.map(str).is_unique:
        raise InputError(f"writing {shown(path)}", f"the columns {', '.join(map(str, frame))}", "different names")
    made = {str(name): _plain(frame.iloc[:, i]) for i, name in enumerate(frame.columns)}
    with open_sink(path, {name: column.dtype.name for name, column in made.items()}) as sink:
        sink.write(pd.DataFrame(made))


def _plain(column: pd.Series) -> pd.Series:
    """The column in one of the dtypes of `Columns`."""
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype(object)
    if pd.api.types.is_integer_dtype(column.dtype) and column.dtype != "uint64":
        return column.astype("Int64" if pd.api.types.is_extension_array_dtype(column.dtype) else "int64")
    if pd.api.types.is_float_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=float("nan")), index=column.index)
    missing = column.isna()
    texts = ["" if m else str(cell) for cell, m in zip(column.tolist(), missing, strict=True)]
    return pd.Series(texts, index=column.index, dtype=object)
