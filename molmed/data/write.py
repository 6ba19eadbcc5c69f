"""A table -> a file, in the format of its extension."""

from pathlib import Path

import pandas as pd

from molmed import catalog
from molmed.data.sinks import Columns, Sink
from molmed.errors import InputError


def open_sink(path: str | Path, columns: Columns) -> Sink:
    """The writer of a file, to be used in a `with` block.

    Raises:
        InputError: no sink writes that extension, or the folder cannot be written to.
    """
    path = Path(path)
    accepted: list[str] = []
    for entry in catalog.names("sinks"):
        sink = catalog.load("sinks", entry)
        if path.name.lower().endswith(sink.extensions):
            made: Sink = sink(path, columns)
            return made
        accepted += sink.extensions
    raise InputError(f"writing {path}", f"the extension {path.suffix!r}", ", ".join(sorted(accepted)), "rename it")


def write(path: str | Path, frame: pd.DataFrame) -> None:
    """Write a whole data frame.

    Raises:
        InputError: see `open_sink`.
    """
    kinds = {str(name): dtype.name if dtype.name in _KINDS else "object" for name, dtype in frame.dtypes.items()}
    with open_sink(path, kinds) as sink:
        sink.write(frame)


_KINDS = ("int64", "Int64", "float64")
