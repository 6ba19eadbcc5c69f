"""Excel workbooks (.xlsx): typed cells, the header frozen, columns as wide as their content."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from molmed.data.address import shown
from molmed.data.sinks._contract import Sink
from molmed.errors import InputError

ROWS = 1_048_576
"""Excel's limit, the header included."""
_LONGEST = 32_767
"""Excel's limit of characters in a cell."""
_NOT_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_WIDTHS = (8, 60)
"""Characters; chosen: a number fits, and a long SMILES does not fill the screen."""


class XLSX(Sink):
    """One sheet; numbers are numbers, unknown values empty cells, texts texts, also those that start with "=".

    Excel's limits: more than 1,048,575 rows are refused, a text of more than 32,767 characters is cut and ends in
    "...", and characters that XML cannot hold (control characters) become "\\ufffd". Infinities are written as text.
    The file holds the time of writing: equal tables are equal cells, not equal bytes.
    """

    extensions = (".xlsx",)
    packed = False

    def _open(self, path: Path) -> None:
        from openpyxl import Workbook

        self.file = path
        path.touch()  # openpyxl opens it only at the end
        self.book = Workbook(write_only=True)
        self.sheet = self.book.create_sheet("table")
        self.sheet.freeze_panes = "A2"
        self.rows = 0

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        if self.rows + len(frame) > ROWS - 1:
            came = f"more than {ROWS - 1:,} rows"
            raise InputError(f"writing {shown(self.path)}", came, "what an Excel sheet holds", "write .csv or .parquet")
        columns = [self._cells(frame[name], kind) for name, kind in self.columns.items()]
        if not self.rows and len(frame):
            self._head(columns)
        for row in zip(*columns, strict=True):
            self.sheet.append(row)
        self.rows += len(frame)

    def _head(self, columns: list[list[object]]) -> None:
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        header = []
        for position, name in enumerate(self.columns):
            cells = columns[position][:200] if columns else []
            longest = max([len(name) + 2, *(len(str(getattr(c, "value", c))) + 1 for c in cells if c is not None)])
            letter = get_column_letter(position + 1)
            self.sheet.column_dimensions[letter].width = min(max(longest, _WIDTHS[0]), _WIDTHS[1])
            cell = WriteOnlyCell(self.sheet, None)
            cell.value, cell.font = _clean(name), Font(bold=True)
            cell.data_type = "s"
            header.append(cell)
        self.sheet.append(header)

    def _cells(self, column: pd.Series, kind: str) -> list[object]:
        missing = column.isna()
        if kind == "object":
            return [None if m else self._text(str(cell)) for cell, m in zip(column.tolist(), missing, strict=True)]
        cells = zip(column.tolist(), missing, strict=True)
        return [None if m else cell if np.isfinite(cell) else str(cell) for cell, m in cells]

    def _text(self, text: str) -> object:
        """Text as it is; what openpyxl would take for a formula or an error is marked as text."""
        if not text:
            return None
        text = _clean(text)
        if text[0] not in "=#":
            return text
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(self.sheet, None)
        cell.value = text
        cell.data_type = "s"
        return cell

    def _close(self) -> None:
        if not self.rows:
            self._head([])
        self.book.save(self.file)


def _clean(text: str) -> str:
    text = _NOT_XML.sub("\ufffd", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


ENTRY = XLSX
