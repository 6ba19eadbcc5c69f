"""Excel workbooks (.xlsx .xlsm): one sheet, row by row, cells with their types."""

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time
from itertools import islice
from typing import Any
from xml.etree.ElementTree import ParseError

from molmed.data.address import Address, open_bytes, shown
from molmed.data.columns import ID_NAMES, SAMPLE, SMILES_NAMES, is_header, plain, unique
from molmed.data.sources._contract import Chunk, Source
from molmed.data.sources._cut import cut
from molmed.errors import InputError, nearest
from molmed.results import Fault, Reason

_DAMAGED = (zipfile.BadZipFile, zlib.error, ParseError, EOFError, KeyError, ValueError, IndexError, TypeError)
"""What openpyxl lets through when the parts of a workbook do not fit together."""

_AT_ONCE = 1_000


@dataclass(frozen=True)
class XLSXConfig:
    """`sheet`: its name, "" for the first visible one. `header`: found out unless given."""

    sheet: str = ""
    header: bool | None = None


class XLSX(Source):
    """One row per row of the sheet, from the header on (or the first filled row) to the last filled row.

    An empty row in the middle is a row without cells. A single cell with blanks in it above a wider row is a title
    and no row. Cells are int, float, str, bool, date, datetime or None; of a formula the value Excel stored with it,
    None if the program that wrote the file stored none. Of merged cells the first one holds the value. Columns end
    where the header and the first rows do: a row with a value to the right of that is rejected.

    openpyxl reads the rows one by one, but holds all different texts of the workbook; Excel allows for 1,048,576 rows.
    """

    extensions = (".xlsx", ".xlsm")
    packed = False
    Config = XLSXConfig

    def __init__(self, config: XLSXConfig | None = None) -> None:
        self.config = XLSXConfig() if config is None else config

    def columns(self, path: Address) -> tuple[str, ...]:
        """The header's names, or "0", "1", ... ."""
        with self._sheet(path) as (sheet, last):
            return self._layout(path, sheet, last)[0]

    def chunks(self, path: Address, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        with self._sheet(path) as (sheet, last):
            names, first = self._layout(path, sheet, last)
            start = 0
            for batch, done in cut(_rows(sheet, first, last), rows):
                fitted = [row if isinstance(row, Fault) else _fit(row, len(names)) for row in batch]
                unread = (None,) * len(names)
                cells = zip(*(unread if isinstance(row, Fault) else row for row in fitted), strict=True)
                columns: dict[str, list[object]] = {n: list(c) for n, c in zip(names, cells, strict=True)}
                rejected = [f.at(row, str(row)) for row, f in enumerate(fitted, start) if isinstance(f, Fault)]
                yield Chunk(start, columns, len(batch), tuple(rejected), done=done)
                start += len(batch)

    @contextmanager
    def _sheet(self, path: Address) -> Iterator[tuple[Any, int]]:
        """(the sheet, the number of its last row as the file says, which may be nonsense)."""
        from openpyxl import load_workbook

        asked = f"reading {shown(path)}"
        with open_bytes(path, seek=True) as (file, _):
            try:
                with _quiet():
                    book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            except _DAMAGED as error:
                came = f"no Excel content ({str(error)[:100]})"
                remedy = "save it as .xlsx (not .xls) without a password"
                raise InputError(asked, came, "a whole Excel workbook", remedy) from error
            try:
                sheets = {sheet.title: sheet for sheet in book.worksheets}
                visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
                if self.config.sheet and self.config.sheet not in sheets:
                    near = nearest(self.config.sheet, sheets)
                    remedy = f"did you mean {near[0]!r}?" if near else "name one of them"
                    raise InputError(asked, f"no sheet {self.config.sheet!r}", ", ".join(sheets), remedy)
                if not sheets:
                    raise InputError(asked, "no sheet with cells", "a sheet with a table", "check the workbook")
                sheet = sheets[self.config.sheet] if self.config.sheet else (visible or book.worksheets)[0]
                last = sheet.max_row or 0
                sheet.reset_dimensions()  # or rows would be cut to what the file says
                yield sheet, last
            finally:
                book.close()

    def _layout(self, path: Address, sheet: Any, last: int) -> tuple[tuple[str, ...], int]:
        """(names, number of the sheet's row with which the table starts)."""
        found = (row for batch, _ in _rows(sheet, 0, last) for row in batch)
        sample = list(islice(((i, row) for i, row in enumerate(found) if row or isinstance(row, Fault)), 2 + SAMPLE))
        rows = [(i, row) for i, row in sample if not isinstance(row, Fault)]
        if not rows:
            raise InputError(f"reading {shown(path)}", f"no row in sheet {sheet.title!r}", "a table", "name its sheet")
        while len(rows) > 1 and _is_title(rows[0][1], rows[1][1]):
            del rows[0]
        first = rows[0][0]
        width = max(len(row) for _, row in rows)
        wide = [(*row, *[None] * (width - len(row))) for _, row in rows]
        texts, *below = [[_text(cell) for cell in row] for row in wide]
        header = self.config.header
        if header is None:  # a date or a yes/no names a column no more than a number does
            told = [_text(cell) if isinstance(cell, str | None) else "0" for cell in wide[0]]
            header = is_header(told, below)
        return (unique(texts), first + 1) if header else (tuple(str(i) for i in range(width)), first)


def _rows(sheet: Any, first: int, last: int) -> Iterator[tuple[list[tuple[object, ...] | Fault], float]]:
    """The rows from number `first` to the last filled one, without the empty cells at their ends."""
    rows = sheet.iter_rows(values_only=True)
    empty = 0
    number = 0
    while True:
        batch: list[tuple[object, ...] | Fault] = []
        at_once: list[Sequence[object]] = []
        try:
            with _quiet():
                at_once.extend(islice(rows, _AT_ONCE))  # keeps what comes before an error
        except _DAMAGED as error:
            damage: Fault | None = Fault("read", Reason.FILE_TRUNCATED, f"the sheet is damaged ({str(error)[:80]})")
        else:
            damage = None
        for row in at_once:
            number += 1
            if number <= first:
                continue
            cells = _stripped(row)
            if not cells:
                empty += 1
                continue
            batch += [()] * empty
            batch.append(cells)
            empty = 0
        if damage is not None:
            batch += [()] * empty + [damage]
        if batch:
            yield batch, min(number / last, 1.0) if last >= number else float("nan")
        if damage is not None or len(at_once) < _AT_ONCE:
            return


def _stripped(row: Sequence[object]) -> tuple[object, ...]:
    end = len(row)
    while end and (row[end - 1] is None or row[end - 1] == ""):
        end -= 1
    return tuple(map(_cell, row[:end]))


def _cell(cell: object) -> object:
    """A day without a time of day is a date."""
    return cell.date() if isinstance(cell, datetime) and cell.time() == time() else cell


def _fit(row: tuple[object, ...], width: int) -> tuple[object, ...] | Fault:
    if len(row) > width:
        from openpyxl.utils import get_column_letter

        detail = f"a value in column {get_column_letter(len(row))}, {width} columns"
        return Fault("read", Reason.ROW_SHAPE, detail)
    return (*row, *[None] * (width - len(row)))


def _is_title(row: tuple[object, ...], below: tuple[object, ...]) -> bool:
    filled = [cell for cell in row if cell is not None]
    usual = len(filled) == 1 and plain(str(filled[0])) in {*SMILES_NAMES, *ID_NAMES}
    return len(filled) == 1 and isinstance(filled[0], str) and " " in filled[0] and not usual and len(below) > 1


def _text(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


@contextmanager
def _quiet() -> Iterator[None]:
    """openpyxl warns of what it does not keep (styles, validation rules), none of which is a cell."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


ENTRY = XLSX
