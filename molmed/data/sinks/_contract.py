"""The contract every sink passes."""

import os
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar

import pandas as pd

from molmed.data.address import Address, name_of, place, refuse_archive, shown, upload
from molmed.data.packing import packing
from molmed.errors import InputError

Columns = Mapping[str, str]
"""Column name -> pandas dtype, in order: "int64", "Int64", "float64" or "object" (text, "" = empty)."""


class Sink(ABC):
    """One file format, written chunk by chunk in bounded memory.

    The rows go to a temporary file beside `path` that takes its name when the `with` block ends well, so that
    a half-written table is never taken for a whole one; if the block fails the temporary file is removed. For an
    fsspec address the temporary file is one of this machine and is uploaded at the end, whole.

    Raises:
        InputError: the folder cannot be written to, or the format cannot hold these columns.
    """

    extensions: ClassVar[tuple[str, ...]]
    """Lower case, with the dot, without packing: (".csv",)."""
    packed: ClassVar[bool] = True
    """Whether the whole file may be packed as well (.gz .zst .bz2 .xz)."""

    def __init__(self, path: Address, columns: Columns) -> None:
        self.path, self.columns = place(path, "writing"), dict(columns)
        refuse_archive(self.path)
        name = name_of(self.path)
        self.packing = packing(name) if self.packed else ""
        self.extension = Path(name.lower().removesuffix(self.packing)).suffix
        self.folder: Path | None = None  # of the temporary file of an fsspec address
        try:
            # the temporary name keeps its ending: a library may look at it
            if isinstance(self.path, Path):
                self.temporary = self.path.with_name(f".{os.getpid()}.{name}")
                if self.path.is_dir():
                    raise InputError(f"writing {shown(path)}", "a folder of that name", "a file", "name it otherwise")
                self.path.parent.mkdir(parents=True, exist_ok=True)
            else:
                self.folder = Path(tempfile.mkdtemp(prefix="molmed-"))
                self.temporary = self.folder / name
            self._open(self.temporary)
        except (OSError, ValueError) as error:  # a ValueError: a name that no file can have
            self._clean()
            came = f"that it cannot be written ({getattr(error, 'strerror', None) or error})"
            raise InputError(f"writing {shown(path)}", came, "a file in a folder you may write to") from None
        except BaseException:
            self._clean()
            raise

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
            if kind is not None:
                with suppress(Exception):  # the first error is the one to tell
                    self._close()
                return
            self._close()
            if isinstance(self.path, Path):
                os.replace(self.temporary, self.path)
            else:
                self._upload(self.path)
        finally:
            self._clean()

    def _upload(self, address: str) -> None:
        try:
            upload(self.temporary, address)
        except Exception as error:  # whatever a protocol raises
            came = f"that it cannot be written ({error or type(error).__name__})"
            raise InputError(f"writing {shown(address)}", came, "an address you may write to") from error

    def _clean(self) -> None:
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            with suppress(OSError, ValueError):
                self.temporary.unlink()
