"""The contract every source passes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from molmed.data.address import Address
from molmed.results import Rejected


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a table, column by column.

    Args:
        start: number of the first row (0-based, header not counted).
        columns: column name -> one cell a row: the text as it stands, None for an unread cell; from a typed file or
            a table in memory the objects it holds, None for whatever is missing there.
        n: number of rows, unreadable ones included (their cells are None, except what could be read of them).
        rejected: the unreadable rows among them.
        source: the file the rows come from, "" for a table in memory.
        done: share of the whole input read with this chunk, in [0, 1]: of the stored bytes of files, of the rows of
            a table in memory; never falls, 1 with the last chunk, nan where the size is unknown.
    """

    start: int
    columns: dict[str, list[object]]
    n: int
    rejected: tuple[Rejected, ...] = field(default=())
    source: str = ""
    done: float = math.nan


class Source(ABC):
    """One file format.

    Every row of the file comes out once, in file order, numbered without gaps; what cannot be read is a
    `Rejected` row, never an exception. Text is UTF-8 with or without BOM, else Latin-1, line by line.
    A format with settings names their frozen dataclass `Config` and takes one.
    """

    extensions: ClassVar[tuple[str, ...]]
    """Lower case, with the dot, without packing: (".csv",)."""
    packed: ClassVar[bool] = True
    """Whether the whole file may be packed as well (.gz .zst .bz2 .xz); not if the format is packed inside."""
    optional: ClassVar[bool] = False
    """Whether a row may lack a column: the files of a folder then need not have the same ones."""
    Config: ClassVar[Any] = None

    @abstractmethod
    def columns(self, path: Address) -> tuple[str, ...]:
        """The column names.

        Raises:
            InputError: the file is missing, has no rows at all, or is not of this format.
        """

    @abstractmethod
    def chunks(self, path: Address, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time.

        A file that ends in the middle (a gzip cut short) yields what was read, then one row rejected with
        `Reason.FILE_TRUNCATED`.
        """
