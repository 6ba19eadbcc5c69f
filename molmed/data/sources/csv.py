"""Delimited text (.csv .tsv .txt): comma, semicolon or tab, quoted cells, with or without a header."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from molmed.data.sources._contract import Chunk, Source
from molmed.data.text import Truncated, lines
from molmed.errors import InputError
from molmed.results import Reason, Rejected

csv.field_size_limit(10_000_000)  # csv's default of 131,072 characters would refuse a legal peptide column

_ID_NAMES = ("id", "name", "compound_id", "drug_id", "mol_id", "cid")


@dataclass(frozen=True)
class CSVConfig:
    """`header` and `delimiter` are found out unless given."""

    header: bool | None = None
    delimiter: str | None = None


class CSV(Source):
    """One row per record; a blank line is no row, as in every CSV reader.

    The first line is a header unless one of its cells is a number or it has a cell that holds SMILES-only
    characters beyond a name's; columns of a file without header are called "0", "1", ...
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
            first = next((line for line in lines(path) if line.strip()), None)
        except Truncated:
            first = None
        if first is None:
            raise InputError(f"reading {path}", "an empty file", "a header line or rows", "check the export")
        delimiter = self.config.delimiter or max(",;\t", key=lambda d: (first.count(d), -",;\t".index(d)))
        cells = [c.strip() for c in next(csv.reader([first], delimiter=delimiter))]
        header = _is_header(cells) if self.config.header is None else self.config.header
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


def _records(path: Path, delimiter: str) -> Iterator[list[str] | Rejected]:
    """Cells of each record; a record that cannot be read is a `Rejected` without its row number yet."""
    reader = csv.reader((line + "\n" for line in lines(path)), delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Rejected(0, "", "read", Reason.ROW_SHAPE, str(error))
            continue
        except Truncated:
            yield Rejected(0, "", "read", Reason.FILE_TRUNCATED, "the compressed file ends in the middle")
            return
        if any(c.strip() for c in cells):
            yield cells


def _chunk(start: int, names: tuple[str, ...], batch: list[list[str] | Rejected]) -> Chunk:
    columns: dict[str, list[object]] = {name: [] for name in names}
    rejected = []
    id_at = next((i for i, n in enumerate(names) if n.lower() in _ID_NAMES), None)
    for row, cells in enumerate(batch, start):
        if isinstance(cells, Rejected):
            rejected.append(Rejected(row, str(row), cells.step, cells.reason, cells.detail))
            cells = []
        elif len(cells) != len(names):
            id = cells[id_at].strip() if id_at is not None and id_at < len(cells) else str(row)
            detail = f"{len(cells)} cells, {len(names)} columns"
            rejected.append(Rejected(row, id, "read", Reason.ROW_SHAPE, detail))
            cells = []
        for position, column in enumerate(columns.values()):
            column.append(cells[position] if cells else None)
    return Chunk(start, columns, len(batch), tuple(rejected))


def _is_header(cells: list[str]) -> bool:
    """Names are not numbers, not empty throughout, and hold no character that only a SMILES has."""
    if any(_is_number(c) for c in cells) or not any(cells):
        return False
    return not any(set(c) & set("=#@\\[") or "(=" in c or "c1" in c for c in cells)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unique(cells: list[str]) -> tuple[str, ...]:
    """Names as they are; an empty one is called by its position, a repeated one gets .1, .2 (as in pandas)."""
    seen: dict[str, int] = {}
    names = []
    for position, cell in enumerate(cells):
        name = cell or str(position)
        count = seen.get(name, 0)
        seen[name] = count + 1
        names.append(f"{name}.{count}" if count else name)
    return tuple(names)


ENTRY = CSV
