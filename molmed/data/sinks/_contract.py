"""The contract every sink passes."""

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar

import pandas as pd

from molmed.errors import InputError

Columns = Mapping[str, str]
"""Column name -> pandas dtype, in order: "int64", "Int64", "float64" or "object" (text, "" = empty)."""


class Sink(ABC):
    """One file format, written chunk by chunk in bounded memory.

    The rows go to a temporary file beside `path` that takes its name when the `with` block ends well, so that
    a half-written table is never taken for a whole one; if the block fails the temporary file is removed.

    Raises:
        InputError: the folder cannot be written to.
    """

    extensions: ClassVar[tuple[str, ...]]
    """Lower case, with the dot: (".csv", ".csv.gz")."""

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path, self.columns = path, dict(columns)
        # the name keeps its ending: a library may look at it
        self.temporary = path.with_name(f".{os.getpid()}.{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open(self.temporary)
        except OSError as error:
            came = f"that it cannot be written ({error.strerror or error})"
            raise InputError(f"writing {path}", came, "a file in a folder you may write to") from None

    @abstractmethod
    def _open(self, path: Path) -> None:
        """Open the temporary file and write what stands before the first row."""

    @abstractmethod
    def write(self, frame: pd.DataFrame) -> None:
        """Append rows; the frame has the sink's columns in their order and dtypes."""

    @abstractmethod
    def _close(self) -> None:
        """Write what stands after the last row and close the file; also called when the block fails."""

    def __enter__(self) -> "Sink":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
            if kind is None:
                os.replace(self.temporary, self.path)
        finally:
            self.temporary.unlink(missing_ok=True)
