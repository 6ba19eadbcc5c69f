"""Delimited text (.csv .tsv .txt): comma, semicolon or tab, quoted cells, with or without a header."""

import csv
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from molmed.data.cells import number
from molmed.data.columns import ID_NAMES, SMILES_NAMES, is_smiles, plain
from molmed.data.sources._contract import Chunk, Source
from molmed.data.text import Truncated, lines
from molmed.errors import InputError
from molmed.results import Fault, Reason

csv.field_size_limit(10_000_000)  # csv's default of 131,072 characters would refuse a legal peptide column

_MAX_LINES = 10_000
"""A quoted cell may run over so many lines (chosen: a molblock of 2,000 atoms has half of them)."""

_SAMPLE = 20
"""Records looked at to tell a header from a row."""


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

    def columns(self, path: Path) -> tuple[str, ...]:
        """The header's names, or "0", "1", ... ."""
        return self._layout(path)[0]

    def _layout(self, path: Path) -> tuple[tuple[str, ...], bool, str]:
        """(names, whether the first line is a header, delimiter)."""
        try:
            line = next((line for line in lines(path) if line.strip()), None)
        except Truncated:
            line = None
        if line is None:
            raise InputError(f"reading {path}", "no whole line", "a header line or rows", "check the export")
        delimiter = self.config.delimiter or _delimiter(line)
        first, *rest = islice(_records(path, delimiter), 1 + _SAMPLE)
        if isinstance(first, Fault):
            raise InputError(f"reading the first line of {path}", first.detail, "a header line or a row")
        cells = [c.strip() for c in first]
        header = self.config.header
        if header is None:
            header = _is_header(cells, [r for r in rest if not isinstance(r, Fault) and len(r) == len(cells)])
        names = _unique(cells) if header else tuple(str(i) for i in range(len(cells)))
        return names, header, delimiter

    def chunks(self, path: Path, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        names, header, delimiter = self._layout(path)
        records = _records(path, delimiter)
        if header:
            next(records, None)
        start = 0
        while batch := list(islice(records, rows)):
            yield _chunk(start, names, batch)
            start += len(batch)


def _records(path: Path, delimiter: str) -> Iterator[list[str] | Fault]:
    """Cells of each record, or why it cannot be read.

    A quote that is never closed would swallow the rest of the file as one cell. So if the file ends inside quotes,
    or if a record of several lines has another number of cells than the first one, only its first line is given up
    and reading goes on with the next. The last record of a compressed file that is cut short stands for the cut.
    """
    cut: list[bool] = []
    file = _until_cut(path, cut)
    ahead: deque[str] = deque()
    width = 0
    while True:
        taken: list[str] = []
        wrong = ""
        cells: list[str] = []
        try:
            cells = next(csv.reader(_supply(file, ahead, taken), delimiter=delimiter), [])
        except csv.Error as error:
            wrong = str(error)
        except _Unclosed:
            wrong = "a quote that is never closed"
        if not taken:
            break
        if len(cells) < 2 and not "".join(taken).strip():
            continue
        width = width or len(cells)
        if not wrong and len(cells) != width:
            wrong = f"{len(cells)} cells, {width} columns"
        if wrong:
            ahead.extendleft(reversed(taken[1:]))
            yield Fault("read", Reason.ROW_SHAPE, wrong)
        else:
            yield cells
    if cut:
        yield Fault("read", Reason.FILE_TRUNCATED, "the compressed file ends in the middle or is damaged")


def _until_cut(path: Path, cut: list[bool]) -> Iterator[str]:
    """The lines; where the file is cut short they just end, and `cut` is no longer empty."""
    try:
        yield from lines(path)
    except Truncated:
        cut.append(True)


class _Unclosed(Exception):
    """The file ends, or very many lines pass, inside quotes."""


def _supply(file: Iterator[str], ahead: deque[str], taken: list[str]) -> Iterator[str]:
    """Lines for one record, noted in `taken`; csv asks for another one only while a quote is open."""
    while len(taken) < _MAX_LINES:
        line = ahead.popleft() if ahead else next(file, None)
        if line is None:
            break
        taken.append(line)
        yield line + "\n"
    if taken:
        raise _Unclosed


def _chunk(start: int, names: tuple[str, ...], batch: list[list[str] | Fault]) -> Chunk:
    unread = [None] * len(names)
    rows = [unread if isinstance(cells, Fault) else cells for cells in batch]
    columns: dict[str, list[object]] = {n: list(c) for n, c in zip(names, zip(*rows, strict=True), strict=True)}
    rejected = [fault.at(row, str(row)) for row, fault in enumerate(batch, start) if isinstance(fault, Fault)]
    return Chunk(start, columns, len(batch), tuple(rejected))


def _delimiter(line: str) -> str:
    """A tab if there is one, since names hold none; else the one that makes more cells."""
    cells = {d: len(next(csv.reader([line], delimiter=d))) for d in "\t;,"}
    if cells["\t"] > 1:
        return "\t"
    return ";" if cells[";"] >= cells[","] > 1 or cells[";"] > cells[","] else ","


_BOND = re.compile(r"[A-Za-z0-9)\]][=#][A-Za-z(\[]|\(=")
"""A double or triple bond between atoms."""


def _is_header(cells: list[str], rows: list[list[str]]) -> bool:
    if {plain(c) for c in cells} & {*SMILES_NAMES, *ID_NAMES}:
        return True
    if any(number(c) is not None for c in cells) or not any(cells):
        return False
    for position, cell in enumerate(cells):
        below = [row[position] for row in rows if row[position].strip()]
        if is_smiles(cell) and 2 * sum(map(is_smiles, below)) >= len(below):
            return False
        if " " not in cell and _BOND.search(cell):
            return False
    return True


def _unique(cells: list[str]) -> tuple[str, ...]:
    """Names as they are; an empty one is called by its position, a repeated one gets .1, .2 (as in pandas)."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = cell or str(position)
        count = 0
        while name in names:
            count += 1
            name = f"{cell or position}.{count}"
        names.append(name)
    return tuple(names)


ENTRY = CSV
