"""What each format of output promises beyond the contract."""

import datetime
import math
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from molmed.data.sinks.csv import CSV
from molmed.data.table import read
from molmed.data.write import open_sink, write
from molmed.errors import InputError


def test_an_error_on_closing_leaves_nothing(tmp_path: Path) -> None:
    class Full(CSV):
        def _close(self) -> None:
            super()._close()
            raise OSError("no space left")

    def fill() -> None:
        with Full(tmp_path / "a.csv", {"y": "float64"}) as sink:
            sink.write(pd.DataFrame({"y": [1.0]}))

    with pytest.raises(OSError, match="no space left"):
        fill()
    assert not list(tmp_path.iterdir())


def test_an_error_after_an_error_does_not_hide_it(tmp_path: Path) -> None:
    class Broken(CSV):
        def _close(self) -> None:
            super()._close()
            raise OSError("the second one")

    def fill() -> None:
        with Broken(tmp_path / "a.csv", {"y": "float64"}):
            raise ZeroDivisionError("the first one")

    with pytest.raises(ZeroDivisionError, match="the first one"):
        fill()
    assert not list(tmp_path.iterdir())


def test_numbers_as_text_are_short_and_lose_only_digits(tmp_path: Path) -> None:
    values = {"short": [0.1, 1 / 3, 6.1234567891], "small": [1e-50, 0.5, math.nan], "large": [1e300, -1e300, math.inf]}
    write(tmp_path / "a.csv", pd.DataFrame(values))
    assert (tmp_path / "a.csv").read_text() == (
        "short,small,large\n0.1,1e-50,1e+300\n0.33333334,0.5,-1e+300\n6.123457,,inf\n"
    )


def test_whatever_a_data_frame_holds_can_be_written(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "yes": [True, False],
            "maybe": pd.array([True, None], dtype="boolean"),
            "small": np.asarray([1, 2], dtype=np.uint8),
            "whole": pd.array([1, None], dtype="Int32"),
            "single": np.asarray([1.5, np.nan], dtype=np.float32),
            "nullable": pd.array([1.5, None], dtype="Float64"),
            "day": [datetime.date(2026, 3, 1), None],
            "text": pd.array(["a", None], dtype="string"),
            "kind": pd.Categorical(["x", "y"]),
            7: ["a name", "that is no text"],
            "list": [[1, 2], None],
        },
        index=[5, 5],
    )
    write(tmp_path / "a.parquet", frame)
    table = pq.read_table(tmp_path / "a.parquet")
    assert table.to_pylist() == [
        {"yes": "True", "maybe": "True", "small": 1, "whole": 1, "single": 1.5, "nullable": 1.5, "day": "2026-03-01",
         "text": "a", "kind": "x", "7": "a name", "list": "[1, 2]"},
        {"yes": "False", "maybe": "", "small": 2, "whole": None, "single": None, "nullable": None, "day": "",
         "text": "", "kind": "y", "7": "that is no text", "list": ""},
    ]  # fmt: skip


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the columns a, a"):
        write(tmp_path / "a.csv", pd.DataFrame([[1, 2]], columns=["a", "a"]))


HITS = pd.DataFrame(
    {
        "id": ["a", "b", "c", ""],
        "smiles": ["C[C@H](N)C(=O)O", "not a smiles", "C[N+](C)(C)CC(=O)[O-]", ""],
        "status": ["ok", "rejected", "ok", "rejected"],
        "pIC50": [6.5, math.nan, 7.25, math.nan],
    }
)


def test_an_sd_file_has_a_drawing_and_the_values_of_every_row(tmp_path: Path) -> None:
    write(tmp_path / "hits.sdf", HITS)
    mols = list(Chem.SDMolSupplier(str(tmp_path / "hits.sdf")))
    assert [mol.GetNumAtoms() for mol in mols] == [6, 0, 8, 0]
    assert [mol.GetProp("_Name") for mol in mols] == ["a", "b", "c", ""]
    assert [mol.GetPropsAsDict() for mol in mols] == [
        {"smiles": "C[C@H](N)C(=O)O", "status": "ok", "pIC50": 6.5},
        {"smiles": "not a smiles", "status": "rejected"},
        {"smiles": "C[N+](C)(C)CC(=O)[O-]", "status": "ok", "pIC50": 7.25},
        {"status": "rejected"},
    ]
    for mol in (mols[0], mols[2]):
        places = mol.GetConformer().GetPositions()
        apart = [np.linalg.norm(places[b.GetBeginAtomIdx()] - places[b.GetEndAtomIdx()]) for b in mol.GetBonds()]
        assert min(apart) > 1
        assert np.ptp(places[:, 2]) == 0
    assert [Chem.MolToSmiles(mols[i]) for i in (0, 2)] == [Chem.CanonSmiles(HITS.smiles[i]) for i in (0, 2)]


def test_no_cell_breaks_an_sd_file(tmp_path: Path) -> None:
    nasty = ["$$$$", "> <pIC50>\n9", "a\n\nb", "M  END", "\n$$$$\n", ">10", "\r\n", "a\r\nb"]
    frame = pd.DataFrame({"smiles": "CCO", "id": nasty, "note": nasty, "a<b>\nc": nasty})
    write(tmp_path / "a.sdf", frame)
    back = read(tmp_path / "a.sdf")
    assert back.columns.tolist() == ["smiles", "id", "smiles.1", "note", "a_b__c"]
    assert back.smiles.tolist() == ["CCO"] * len(nasty)
    assert back.note.tolist() == [" $$$$", " > <pIC50> 9", "a  b", "M  END", " $$$$ ", ">10", None, "a b"]
    assert back.id.tolist() == ["$$$$", "> <pIC50> 9", "a  b", "M  END", "$$$$", ">10", None, "a b"]


def test_a_thousand_atoms_are_written_as_v3000(tmp_path: Path) -> None:
    glycines = "N" + "CC(=O)N" * 260 + "C"
    write(tmp_path / "a.sdf", pd.DataFrame({"smiles": [glycines, "CCO"]}))
    assert (tmp_path / "a.sdf").read_text().count("V3000") == 1
    assert read(tmp_path / "a.sdf").smiles.tolist() == [Chem.CanonSmiles(glycines), "CCO"]


@pytest.mark.parametrize("ending", [".sdf", ".smi"])
def test_a_structure_format_needs_a_structure_column(ending: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the columns y; accepted: a column of SMILES; call it smiles"):
        write(tmp_path / f"a{ending}", pd.DataFrame({"y": [1.0]}))
    assert not list(tmp_path.iterdir())


def test_a_line_of_a_smiles_file_is_a_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"Name": ["a", "b c\n d", "", "e", "f"], "SMILES": ["CCO", "C |cx|", "CC", "", "  "]})
    write(tmp_path / "a.smi", frame)
    assert (tmp_path / "a.smi").read_text() == "CCO\ta\nC\tb c d\nCC\n.\te\n.\tf\n"
    assert len(read(tmp_path / "a.smi")) == 5


def test_a_workbook_is_made_to_be_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", HITS.assign(smiles="C" * 300, n=[1, 2, 3, 4]))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert sheet.freeze_panes == "A2"
    assert all(cell.font.bold for cell in sheet[1])
    assert [sheet.column_dimensions[letter].width for letter in "ABC"] == [8, 60, 9]
    assert [type(sheet.cell(2, column).value) for column in range(1, 6)] == [str, str, str, float, int]
    assert sheet.cell(3, 4).value is None


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    texts = ["=1+1", '=HYPERLINK("x")', "#N/A", "#DIV/0!", "+1", "@a", "-1"]
    write(tmp_path / "a.xlsx", pd.DataFrame({"=name": texts}))
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [cell.value for cell in sheet["A"]] == ["=name", *texts]
    assert {cell.data_type for cell in sheet["A"]} == {"s"}


def test_characters_that_excel_cannot_hold_are_marked(tmp_path: Path) -> None:
    write(tmp_path / "a.xlsx", pd.DataFrame({"smiles": ["a\0b\x1fc\uffffd"], "y": [math.inf]}))
    assert read(tmp_path / "a.xlsx").iloc[0].tolist() == ["a\ufffdb\ufffdc\ufffdd", "inf"]


def test_more_rows_than_excel_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("molmed.data.sinks.xlsx.ROWS", 10)
    write(tmp_path / "a.xlsx", pd.DataFrame({"y": np.arange(9)}))
    assert len(read(tmp_path / "a.xlsx")) == 9
    with pytest.raises(InputError, match=r"more than 9 rows; .*write \.csv or \.parquet"):
        write(tmp_path / "b.xlsx", pd.DataFrame({"y": np.arange(10)}))

    def little_by_little() -> None:
        with open_sink(tmp_path / "b.xlsx", {"y": "int64"}) as sink:
            for start in range(0, 12, 3):
                sink.write(pd.DataFrame({"y": np.arange(start, start + 3)}))

    with pytest.raises(InputError, match="more than 9 rows"):
        little_by_little()
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsx"]
