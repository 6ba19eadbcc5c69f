"""The contract every source passes."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from molmed.results import Rejected


@dataclass(frozen=True)
class Chunk:
    """Consecutive rows of a file, column by column.

    Args:
        start: number of the first row (0-based, header not counted).
        columns: column name -> one cell a row: the text as it stands, None for an unread cell; from a table in
            memory the objects it holds, None for whatever pandas calls missing.
        n: number of rows, unreadable ones included (their cells are None).
        rejected: the unreadable rows among them.
    """

    start: int
    columns: dict[str, list[object]]
    n: int
    rejected: tuple[Rejected, ...] = field(default=())


class Source(ABC):
    """One file format.

    Every row of the file comes out once, in file order, numbered without gaps; what cannot be read is a
    `Rejected` row, never an exception. Encoding: UTF-8 with or without BOM, else Latin-1, line by line.
    """

    extensions: ClassVar[tuple[str, ...]]
    """Lower case, with the dot, without compression: (".csv",). `.gz` of each is read as well."""

    @abstractmethod
    def columns(self, path: Path) -> tuple[str, ...]:
        """The column names.

        Raises:
            InputError: the file is missing, has no rows at all, or is not of this format.
        """

    @abstractmethod
    def chunks(self, path: Path, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time.

        A file that ends in the middle (a gzip cut short) yields what was read, then one row rejected with
        `Reason.FILE_TRUNCATED`.
        """
