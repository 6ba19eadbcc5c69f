"""Delimited text (.csv .tsv .txt): comma, semicolon or tab, quoted cells, with or without a header."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from molmed.data.address import Address, shown
from molmed.data.columns import SAMPLE, is_header, unique
from molmed.data.sources._contract import Chunk, Source
from molmed.data.sources._cut import cut
from molmed.data.text import Truncated, blocks, lines
from molmed.errors import InputError
from molmed.results import Fault, Reason

csv.field_size_limit(10_000_000)  # csv's default of 131,072 characters would refuse a legal peptide column

_MAX_LINES = 10_000
"""A quoted cell may run over so many lines (chosen: a molblock of 2,000 atoms has half of them)."""


@dataclass(frozen=True)
class CSVConfig:
    """`header` and `delimiter` are found out unless given."""

    header: bool | None = None
    delimiter: str | None = None


class CSV(Source):
    """One row per record; a blank line is no row, as in every CSV reader, but a line of delimiters is.

    The first line is a header unless it holds a number, or a SMILES above SMILES, or what can only be a SMILES; a
    usual name of a structure or id column settles it. Columns of a file without header are called "0", "1", ...
    """

    extensions = (".csv", ".tsv", ".txt")
    Config = CSVConfig

    def __init__(self, config: CSVConfig | None = None) -> None:
        self.config = CSVConfig() if config is None else config

    def columns(self, path: Address) -> tuple[str, ...]:
        """The header's names, or "0", "1", ... ."""
        return self._layout(path)[0]

    def _layout(self, path: Address) -> tuple[tuple[str, ...], bool, str]:
        """(names, whether the first line is a header, delimiter)."""
        try:
            line = next((line for line in lines(path) if line.strip()), None)
        except Truncated:
            line = None
        if line is None:
            raise InputError(f"reading {shown(path)}", "no whole line", "a header line or rows", "check the export")
        delimiter = self.config.delimiter or _delimiter(line)
        records = (record for batch, _ in _records(path, delimiter) for record in batch)
        first, *rest = islice(records, 1 + SAMPLE)
        if isinstance(first, Fault):
            raise InputError(f"reading the first line of {shown(path)}", first.detail, "a header line or a row")
        cells = [c.strip() for c in _cells(first, delimiter)]
        header = self.config.header
        if header is None:
            header = is_header(cells, [_cells(r, delimiter) for r in rest if not isinstance(r, Fault)])
        return unique(cells) if header else tuple(str(i) for i in range(len(cells))), header, delimiter

    def chunks(self, path: Address, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        names, header, delimiter = self._layout(path)
        records = _records(path, delimiter)
        start = 0
        for batch, done in cut(_without_first(records) if header else records, rows):
            yield _chunk(start, names, batch, delimiter, done)
            start += len(batch)


_Record = str | list[str] | Fault
"""A line without quotes, of the right number of cells, not yet cut; or its cells; or why there are none.

Lines are cut by the thousand when a chunk is made of them: a list per row costs more time, most of it in the garbage
collector, than everything else together (100,000 rows of 3 cells: 0.10 s against 0.05 s).
"""
_Records = Iterator[tuple[list[_Record], float]]
"""Some records and the share of the file read so far."""


def _without_first(batches: _Records) -> _Records:
    for batch, done in batches:
        if batch:
            yield batch[1:], done
            break
    yield from batches


def _records(path: Address, delimiter: str) -> _Records:
    """Cells of each record, or why it cannot be read.

    A quote that is never closed would swallow the rest of the file as one cell. So if the file ends inside quotes,
    or if a record of several lines has another number of cells than the first one, only its first line is given up
    and reading goes on with the next. The last record of a compressed file that is cut short stands for the cut.
    Lines between which no quote stands are cut at the delimiters, all others go through the csv module.
    """
    file = _Ahead(path)
    width = 0
    while file.fill():
        batch: list[_Record] = []
        if any('"' in line for line in file.lines):
            for cells in _quoted(file, delimiter, width):
                width = width or (len(cells) if isinstance(cells, list) else 0)
                batch.append(cells)
        else:
            if width > 1 and {line.count(delimiter) for line in file.lines} == {width - 1}:
                batch += file.lines
            else:
                for line in file.lines:
                    found = 1 + line.count(delimiter)
                    if found > 1 or line.strip():
                        width = width or found
                        batch.append(line if found == width else _wrong_width(found, width))
            file.lines.clear()
        yield batch, file.done
    if file.cut:
        yield [Fault("read", Reason.FILE_TRUNCATED, "the compressed file ends in the middle or is damaged")], 1.0


def _cells(record: str | list[str], delimiter: str) -> list[str]:
    return record.split(delimiter) if isinstance(record, str) else record


def _wrong_width(found: int, width: int) -> Fault:
    return Fault("read", Reason.ROW_SHAPE, f"{found} cells, {width} columns")


class _Ahead:
    """Lines that have been read and not yet used; where the file is cut short they just end, and `cut` is True."""

    def __init__(self, path: Address) -> None:
        self.blocks = blocks(path)
        self.lines: deque[str] = deque()
        self.done = 0.0
        self.cut = False

    def fill(self) -> bool:
        """Whether there are lines; reads some if there are none."""
        try:
            while not self.lines:
                found, self.done = next(self.blocks)
                self.lines.extend(found)
        except StopIteration:
            return False
        except Truncated:
            self.cut = True
            return False
        return True


def _quoted(file: _Ahead, delimiter: str, width: int) -> Iterator[list[str] | Fault]:
    """The records of the lines at hand, and of those that the last of them needs."""
    taken: list[str] = []
    reader = csv.reader(_supply(file, taken), delimiter=delimiter)
    given = 0
    while file.lines and given < _MOST:
        taken.clear()
        wrong = ""
        cells: list[str] = []
        try:
            cells = next(reader, [])
        except csv.Error as error:
            wrong = str(error)
        except _Unclosed:
            wrong = "a quote that is never closed"
        if len(cells) < 2 and not "".join(taken).strip():
            continue
        width = width or len(cells)
        given += 1
        if wrong or len(cells) != width:
            file.lines.extendleft(reversed(taken[1:]))
            reader = csv.reader(_supply(file, taken), delimiter=delimiter)
            yield Fault("read", Reason.ROW_SHAPE, wrong) if wrong else _wrong_width(len(cells), width)
        else:
            yield cells


_MOST = 10_000
"""Records of a batch: if every one needs a line of the next block, the lines at hand never end."""


class _Unclosed(Exception):
    """The file ends, or very many lines pass, inside quotes."""


def _supply(file: _Ahead, taken: list[str]) -> Iterator[str]:
    """Lines for records, noted in `taken`; csv asks for another one of the same record only while a quote is open."""
    while len(taken) < _MAX_LINES and file.fill():
        line = file.lines.popleft()
        taken.append(line)
        yield line + "\n"
    if taken:
        raise _Unclosed


def _chunk(start: int, names: tuple[str, ...], batch: list[_Record], delimiter: str, done: float) -> Chunk:
    width = len(names)
    columns: list[list[object]]
    if set(map(type, batch)) == {str}:
        cells = delimiter.join(batch).split(delimiter)  # type: ignore[arg-type]
        columns = [list(cells[i::width]) for i in range(width)]
    else:
        unread = [None] * width
        rows = [unread if isinstance(r, Fault) else _cells(r, delimiter) for r in batch]
        columns = [list(column) for column in zip(*rows, strict=True)]
    rejected = [fault.at(row, str(row)) for row, fault in enumerate(batch, start) if isinstance(fault, Fault)]
    return Chunk(start, dict(zip(names, columns, strict=True)), len(batch), tuple(rejected), done=done)


def _delimiter(line: str) -> str:
    """A tab if there is one, since names hold none; else the one that makes more cells."""
    cells = {d: len(next(csv.reader([line], delimiter=d))) for d in "\t;,"}
    if cells["\t"] > 1:
        return "\t"
    return ";" if cells[";"] >= cells[","] > 1 or cells[";"] > cells[","] else ","


ENTRY = CSV
