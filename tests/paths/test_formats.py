"""Every format goes the whole way: its rows are predicted one to one, and predictions are written in every format."""

from pathlib import Path

import pandas as pd
import pytest
from rdkit import Chem

from molmed.cli import main
from molmed.data.table import read
from molmed.data.write import write
from molmed.experiment.fit import fit
from molmed.experiment.run import Run

from .conftest import SMALL_FOREST, sulfonamides

ROWS = 12


@pytest.fixture
def compounds() -> pd.DataFrame:
    """A dozen sulfonamides, one of them broken and one without a structure."""
    table = sulfonamides(ROWS)[["smiles", "id"]].copy()
    table.loc[3, "smiles"] = "not a smiles"
    table.loc[7, "smiles"] = ""
    return table


def predictions(run: Run, table: object) -> pd.DataFrame:
    return run.predict(table).drop(columns=["smiles", "reason", "detail"])


@pytest.mark.parametrize("ending", [".tsv.zst", ".parquet", ".xlsx", ".smi.xz", ".sdf.bz2"])
def test_a_format_changes_no_prediction(ending: str, forest: Run, compounds: pd.DataFrame, tmp_path: Path) -> None:
    write(tmp_path / f"table{ending}", compounds)
    found, expected = predictions(forest, tmp_path / f"table{ending}"), predictions(forest, compounds)
    assert found["status"].tolist() == ["rejected" if i in (3, 7) else "ok" for i in range(ROWS)]
    pd.testing.assert_frame_equal(found, expected)


def test_a_folder_of_several_formats_is_one_table(forest: Run, compounds: pd.DataFrame, tmp_path: Path) -> None:
    for number, ending in enumerate([".csv", ".parquet", ".tsv.gz", ".xlsx", ".csv.xz", ".tsv.zst"]):
        write(tmp_path / f"{number}{ending}", compounds.iloc[2 * number : 2 * number + 2])
    pd.testing.assert_frame_equal(predictions(forest, tmp_path), predictions(forest, compounds))


def test_training_on_an_sd_file_is_training_on_its_table(tmp_path: Path) -> None:
    table = sulfonamides(60)
    write(tmp_path / "train.sdf", table)
    drawn = fit(tmp_path / "train.sdf", targets="pAct", config=SMALL_FOREST)
    plain = fit(table, targets="pAct", config=SMALL_FOREST)
    ask = table["smiles"].tolist()[:10]
    assert drawn.predict(ask)["pAct"].tolist() == pytest.approx(plain.predict(ask)["pAct"].tolist(), abs=1e-5)


def test_a_broken_record_keeps_its_id_and_says_why(forest: Run, compounds: pd.DataFrame, tmp_path: Path) -> None:
    write(tmp_path / "table.sdf", compounds)
    text = (tmp_path / "table.sdf").read_text(encoding="utf-8")
    (tmp_path / "table.sdf").write_text(text.replace(" C   0", " Xx  0", 1), encoding="utf-8")
    out = forest.predict(tmp_path / "table.sdf")
    assert out["id"].tolist() == compounds["id"].tolist()
    assert out.iloc[0][["status", "reason"]].tolist() == ["rejected", "syntax"]
    assert "mol block" in out["detail"][0]
    assert (out["status"].drop(index=[0, 3, 7]) == "ok").all()


def test_the_verb_reads_an_sd_file_and_writes_one(stored: Path, compounds: pd.DataFrame, tmp_path: Path) -> None:
    write(tmp_path / "in.sdf", compounds)
    assert main(["predict", str(stored), str(tmp_path / "in.sdf"), "--out", str(tmp_path / "out.sdf")]) == 0
    mols = list(Chem.SDMolSupplier(str(tmp_path / "out.sdf")))
    assert len(mols) == ROWS
    assert [mol.GetProp("_Name") for mol in mols] == compounds["id"].tolist()
    assert [mol.GetNumAtoms() > 0 for mol in mols] == [i not in (3, 7) for i in range(ROWS)]
    assert [mol.HasProp("pAct") for mol in mols] == [i not in (3, 7) for i in range(ROWS)]
    assert mols[3].GetProp("status") == "rejected"


def test_the_verb_reads_a_folder_and_writes_a_workbook(stored: Path, compounds: pd.DataFrame, tmp_path: Path) -> None:
    write(tmp_path / "lib" / "a.csv", compounds.iloc[:5])
    write(tmp_path / "lib" / "b.parquet", compounds.iloc[5:])
    assert main(["predict", str(stored), str(tmp_path / "lib"), "--out", str(tmp_path / "out.xlsx")]) == 0
    out = read(tmp_path / "out.xlsx")
    assert out["row"].tolist() == list(range(ROWS))
    assert out["id"].tolist() == compounds["id"].tolist()
    assert out["pAct"].notna().sum() == ROWS - 2
