"""Excel workbooks: cells keep their types, and what is no table around the table does not become rows."""

import datetime
import io
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import openpyxl
import pytest

from molmed.data.sources.xlsx import XLSX, XLSXConfig
from molmed.data.table import chunks, column_names, read
from molmed.errors import ConfigError, InputError
from molmed.results import Reason


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: Sequence[object], name: str = "a.xlsx") -> Path:
        made = openpyxl.Workbook()
        for row in rows:
            made.active.append(list(row))
        made.save(tmp_path / name)
        return tmp_path / name

    return write


def rows(path: Path) -> list[tuple[object, ...]]:
    return [row for part in chunks(path, 2) for row in zip(*part.columns.values(), strict=True)]


def faults(path: Path) -> list[tuple[int, Reason]]:
    return [(r.row, r.reason) for part in chunks(path, 2) for r in part.rejected]


HEAD = ("smiles", "id", "y")


def test_cells_keep_their_types(book) -> None:
    day, moment = datetime.date(2026, 3, 1), datetime.datetime(2026, 3, 1, 12, 30)
    path = book(("smiles", "a", "b", "c", "d", "e", "f"), ("CCO", 1, 1.5, True, day, moment, "007"))
    assert rows(path) == [("CCO", 1, 1.5, True, day, moment, "007")]
    assert [type(cell) for cell in rows(path)[0]] == [str, int, float, bool, datetime.date, datetime.datetime, str]


def test_a_number_that_is_an_id_stays_whole(book) -> None:
    (part,) = chunks(book(HEAD, ("CCO", 12345678, 1.0)))
    assert [str(c) for c in part.columns["id"]] == ["12345678"]


def test_an_empty_row_in_the_middle_is_a_row_and_at_the_end_is_none(book) -> None:
    path = book(HEAD, ("CCO", "a", 1), (), (), ("CCN", "b", 2), (), ("", None, "  "), (None, None, ""))
    assert rows(path) == [("CCO", "a", 1), (None,) * 3, (None,) * 3, ("CCN", "b", 2), (None,) * 3, (None, None, "  ")]
    assert not faults(path)


def test_empty_rows_before_the_table_and_empty_columns_do_not_count(book) -> None:
    path = book((), (), HEAD, ("CCO", "a", 1))
    assert column_names(path) == HEAD
    assert rows(path) == [("CCO", "a", 1)]


def test_a_title_over_the_table_is_no_row(book) -> None:
    path = book(("Table S1. Activities of 3 compounds",), (), HEAD, ("CCO", "a", 1))
    assert column_names(path) == HEAD
    assert rows(path) == [("CCO", "a", 1)]
    assert column_names(book(("SMILES of it",), ("CCO",), ("CCN",))) == ("SMILES of it",)


def test_a_sheet_without_a_header_loses_no_row(book) -> None:
    path = book(("CCO", 1.5), ("CCN", 2.5))
    assert column_names(path) == ("0", "1")
    assert rows(path) == [("CCO", 1.5), ("CCN", 2.5)]


def test_the_user_may_say_whether_there_is_a_header(book) -> None:
    path = book(("CCO", 1.5), ("CCN", 2.5))
    assert XLSX(XLSXConfig(header=True)).columns(path) == ("CCO", "1.5")
    assert [p.columns["CCO"] for p in chunks(path, header=True)] == [["CCN"]]


def test_names_are_made_different_and_not_empty(book) -> None:
    assert column_names(book(("smiles", "x", None, "x"), ("CCO", 1, 2, 3))) == ("smiles", "x", "2", "x.1")


def test_merged_cells_have_their_value_first(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    for row in (HEAD, ("CCO", "a", 1), ("CCN", None, 2)):
        made.active.append(row)
    made.active.merge_cells("B2:B3")
    made.save(tmp_path / "a.xlsx")
    assert rows(tmp_path / "a.xlsx") == [("CCO", "a", 1), ("CCN", None, 2)]


def test_a_formula_is_its_stored_value(book, tmp_path: Path) -> None:
    path = book(HEAD, ("CCO", "a", "=1+1"))
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            data = old.read(name).replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>")
            new.writestr(name, data.replace(b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"))
    assert rows(path) == [("CCO", "a", None)]  # openpyxl computes nothing, so nothing is stored
    path.write_bytes(content.getvalue())
    assert rows(path) == [("CCO", "a", 2)]


def test_a_value_beside_the_table_costs_its_row(book) -> None:
    path = book(HEAD, *[("CCO", "a", 1)] * 30, ("CCN", "b", 2, None, "see page 3"), ("CCC", "c", 3))
    assert faults(path) == [(30, Reason.ROW_SHAPE)]
    assert rows(path)[-2:] == [(None, None, None), ("CCC", "c", 3)]
    (part,) = chunks(path)
    assert "column E" in part.rejected[0].detail


@pytest.fixture
def sheets(tmp_path: Path) -> Path:
    made = openpyxl.Workbook()
    made.active.title = "Notes"
    made.active.sheet_state = "hidden"
    made.active.append(["nothing"])
    for name, smiles in (("Hits", "CCO"), ("Misses", "CCN")):
        sheet = made.create_sheet(name)
        sheet.append(["smiles"])
        sheet.append([smiles])
    made.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_the_first_visible_sheet_is_read_or_the_named_one(sheets: Path) -> None:
    assert read(sheets).smiles.tolist() == ["CCO"]
    assert read(sheets, sheet="Misses").smiles.tolist() == ["CCN"]
    assert column_names(sheets, sheet="Notes") == ("nothing",)


def test_a_wrong_sheet_is_answered_with_the_sheets_there_are(sheets: Path) -> None:
    with pytest.raises(InputError, match=r"'misses'.*Notes, Hits, Misses.*mean 'Misses'"):
        read(sheets, sheet="misses")


def test_a_wrong_setting_is_answered_with_the_nearest(sheets: Path) -> None:
    with pytest.raises(ConfigError, match=r"'sheets'.*sheet, header.*mean 'sheet'"):
        read(sheets, sheets="Hits")


def test_a_workbook_without_rows_is_refused(book) -> None:
    with pytest.raises(InputError, match="no row in sheet 'Sheet'"):
        column_names(book())


def test_what_is_no_workbook_is_refused(book, tmp_path: Path) -> None:
    path = book(HEAD, ("CCO", "a", 1))
    content = path.read_bytes()
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.txt", "text")
    other_zip, old_xls = (tmp_path / "other.zip").read_bytes(), b"\xd0\xcf\x11\xe0" * 99
    for wrong in (b"smiles,y\nCCO,1\n", content[:-100], other_zip, old_xls):
        path.write_bytes(wrong)
        with pytest.raises(InputError, match=r"no Excel content.*password"):
            column_names(path)


def test_of_a_damaged_sheet_comes_what_stands_before_the_damage(book) -> None:
    path = book(HEAD, *[("CCO", str(i), i) for i in range(3000)])
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data[: len(data) * 2 // 3] if "sheet1" in name else data)
    path.write_bytes(content.getvalue())
    found = rows(path)
    assert 1500 < len(found) < 2500
    assert found[:-1] == [("CCO", str(i), i) for i in range(len(found) - 1)]
    assert faults(path) == [(len(found) - 1, Reason.FILE_TRUNCATED)]


def test_a_wrong_size_in_the_file_hides_nothing(book) -> None:
    path = book(HEAD, *[("CCO", str(i), i) for i in range(50)])
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b'ref="A1:C51"', b'ref="A1:A2"'))
    assert content.getvalue() != path.read_bytes()
    path.write_bytes(content.getvalue())
    parts = list(chunks(path, 20))
    assert sum(part.n for part in parts) == 50
    assert tuple(parts[0].columns) == HEAD
    assert parts[-1].done == 1
