"""Files as they come: every row of every one of them comes out, in order, with a status and the expected reason."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from molmed.errors import InputError
from molmed.experiment.fit import fit
from molmed.experiment.run import Run

from .conftest import SMALL_FOREST, sulfonamides

PEPTIDE = "N" + "CC(=O)N" * 499 + "CC(=O)O"  # 500 glycines, 2,001 heavy atoms

# cell -> (status, reason)
TABLE: dict[str, tuple[str, str]] = {
    "CCO": ("ok", ""),
    "C1CC": ("rejected", "syntax"),
    "not a smiles": ("rejected", "syntax"),
    "C(C)(C)(C)(C)C": ("rejected", "valence"),
    "c1cccc1": ("rejected", "aromaticity"),
    "": ("rejected", "empty"),
    "   ": ("rejected", "empty"),
    "c1ccncc1": ("ok", ""),
    PEPTIDE: ("warned", "large_molecule"),
    "[Na+].CC(=O)[O-]": ("ok", "salt_stripped"),
    "CC(=O)Oc1ccccc1C(=O)O.CC(C)Cc1ccc(C(C)C(=O)O)cc1": ("rejected", "mixture"),
    "[2H]C([2H])([2H])O": ("ok", ""),
    "CCO>>CC=O": ("rejected", "reaction"),
    "#" * 10_000: ("rejected", "syntax"),
    "C" * 60_000: ("rejected", "syntax"),
    "Ünïcode": ("rejected", "syntax"),
    "O=S(=O)(Nc1nccs1)c1ccccc1": ("ok", ""),
}


def check(out: pd.DataFrame) -> None:
    assert out["row"].tolist() == list(range(len(TABLE)))
    for row, (cell, expected) in enumerate(TABLE.items()):
        found = (out["status"].iloc[row], out["reason"].iloc[row])
        assert found == expected, f"{cell[:40]!r}: {found}, {out['detail'].iloc[row]}"
    assert out["pAct"].notna().tolist() == [status != "rejected" for status, _ in TABLE.values()]


@pytest.mark.parametrize("model", ["forest", "network"])
def test_a_list_of_everything_that_goes_wrong(model: str, request: pytest.FixtureRequest) -> None:
    check(request.getfixturevalue(model).predict(list(TABLE)))


def test_cells_that_are_no_text(forest: Run) -> None:
    out = forest.predict(pd.DataFrame({"smiles": ["CCO", None, float("nan"), 3.5, pd.NA, b"CCO"]}), smiles="smiles")
    assert out["reason"].tolist() == ["", "empty", "empty", "not_text", "empty", "not_text"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_of_everything_that_goes_wrong(
    ending: str, encoding: str, packed: bool, forest: Run, tmp_path: Path
) -> None:
    text = ending.join(["smiles,n", *(f'"{cell}",{i}' for i, cell in enumerate(TABLE))]) + ending
    path = tmp_path / ("t.csv.gz" if packed else "t.csv")
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if packed else data)
    check(forest.predict(path))


def test_a_latin_1_file(forest: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("smiles,name\nCCO,Äthanol\nCC,Ethan\n".encode("latin-1"))
    out = forest.predict(tmp_path / "t.csv", keep=["name"])
    assert out["in_name"].tolist() == ["Äthanol", "Ethan"]
    assert out["status"].tolist() == ["ok", "ok"]


def test_a_gzip_cut_short_gives_what_was_read_and_says_where_it_ends(forest: Run, tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{s} c{i}\n" for i, s in enumerate(sulfonamides()["smiles"])).encode())
    (tmp_path / "t.smi.gz").write_bytes(whole[: len(whole) // 2])
    out = forest.predict(tmp_path / "t.smi.gz")
    assert 20 < len(out) < 200
    assert (out["status"].iloc[:-1] == "ok").all()
    assert out.iloc[-1][["status", "reason"]].tolist() == ["rejected", "file_truncated"]


def test_rows_of_another_shape_cost_themselves_only(forest: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('smiles,n\nCCO,1\nCC\nCCC,2,3\n"C"C,4\nCCCC,5\n', encoding="utf-8")
    out = forest.predict(tmp_path / "t.csv")
    assert len(out) == 5
    assert out["reason"].iloc[[0, 1, 2, 4]].tolist() == ["", "row_shape", "row_shape", ""]


def test_a_repeated_id_is_a_warning(forest: Run) -> None:
    out = forest.predict(pd.DataFrame({"smiles": ["CCO", "CCC", "CCCC"], "id": ["a", "b", "a"]}))
    assert out["status"].tolist() == ["ok", "ok", "warned"]
    assert out["reason"].tolist() == ["", "", "duplicate_id"]
    assert out["pAct"].notna().all()


def test_rows_without_an_id_are_no_repeats(forest: Run) -> None:
    out = forest.predict(pd.DataFrame({"smiles": ["CCO", "CCC", "CCCC"], "id": ["1", None, ""]}))
    assert out["id"].tolist() == ["1", "1", "2"]
    assert out["status"].tolist() == ["ok"] * 3


def test_a_repeated_salt_keeps_both_notes(forest: Run) -> None:
    out = forest.predict(pd.DataFrame({"smiles": ["CCO", "[Na+].CC(=O)[O-]"], "id": ["a", "a"]}))
    assert out.iloc[1][["status", "reason", "parent"]].tolist() == ["warned", "duplicate_id", "CC(=O)O"]
    assert out["detail"].iloc[1] == "parent CC(=O)O, removed [Na+]; an earlier row has the same id"


def test_a_file_of_no_rows_gives_a_table_of_no_rows(forest: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("smiles,n\n", encoding="utf-8")
    out = forest.predict(tmp_path / "t.csv")
    assert len(out) == 0
    assert list(out.columns) == list(forest.predict(["CCO"]).columns)
    assert len(forest.predict([])) == 0


def test_one_row_is_a_table(forest: Run) -> None:
    assert forest.predict(["CCO"])["status"].tolist() == ["ok"]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("t.csv", b"", "no whole line"),
        ("t.csv.gz", b"smiles\nCCO\n", "no gzip content"),
        ("t.docx", b"x", r"extension '\.docx'"),
        ("t.csv", b"a,b\n1,2\n", "a column of SMILES.*--smiles"),
    ],
)
def test_what_is_no_table_is_refused_in_a_sentence(
    name: str, data: bytes, sentence: str, forest: Run, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=sentence):
        forest.predict(tmp_path / name)


def test_training_rows_that_cannot_be_used_are_listed_with_their_reason(tmp_path: Path) -> None:
    table = sulfonamides(40)[["id", "smiles", "pAct"]].astype(object)
    table.loc[3, "smiles"] = "C1CC"
    table.loc[7, "pAct"] = "n/d"
    table.loc[9, "pAct"] = None
    table.loc[11, "pAct"] = "inf"
    table.loc[12, "id"] = table.loc[13, "id"]
    table.to_csv(tmp_path / "t.csv", index=False)
    run = fit(tmp_path / "t.csv", targets="pAct", config=SMALL_FOREST)
    assert run.rejected[["row", "reason"]].values.tolist() == [
        [3, "syntax"],
        [7, "target_not_a_number"],
        [9, "target_missing"],
        [11, "target_not_a_number"],
    ]
    assert run.facts["rows_read"] == 40
    assert run.facts["rows_used"] == 36


def test_a_wrong_class_label_is_never_zero() -> None:
    table = sulfonamides(40).assign(active=lambda t: (t.pAct > t.pAct.median()).astype(int).astype(object))
    table.loc[4, "active"] = "maybe"
    table.loc[5, "active"] = 2
    run = fit(table, targets="active", task="toxicity", config=SMALL_FOREST)
    assert run.rejected[["row", "reason"]].values.tolist() == [[4, "target_not_a_class"], [5, "target_not_a_class"]]
