"""SD files: a broken record costs its own row, properties are columns, and the SMILES says what the block says."""

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from rdkit import Chem, rdBase
from rdkit.Chem import AllChem

from molmed.chem import Molecule
from molmed.chem import read as read_molecule
from molmed.data.sources.sdf import SDF
from molmed.data.table import chunks, column_names, read
from molmed.errors import InputError
from molmed.results import Reason


def block(smiles: str, name: str = "", v3000: bool = False) -> str:
    mol = Chem.MolFromSmiles(smiles)
    AllChem.Compute2DCoords(mol)
    return name + "\n" + Chem.MolToMolBlock(mol, forceV3000=v3000).split("\n", 1)[1]


def drawn(atoms: list[str], bonds: list[tuple[int, int, int]], more: str = "") -> str:
    """A V2000 block, atom by atom."""
    text = f"\n\n\n{len(atoms):3d}{len(bonds):3d}  0  0  0  0  0  0  0  0999 V2000\n"
    text += "".join(f"{i * 1.3:10.4f}{i % 2 * 0.7:10.4f}    0.0000 {a:<3} 0  0\n" for i, a in enumerate(atoms))
    text += "".join(f"{a:3d}{b:3d}{order:3d}  0\n" for a, b, order in bonds)
    return f"{text}{more}M  END\n"


def record(smiles: str, name: str = "", v3000: bool = False, **properties: str) -> str:
    data = "".join(f">  <{key}>\n{value}\n\n" for key, value in properties.items())
    return f"{block(smiles, name, v3000)}{data}$$$$\n"


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    def write(*records: str, name: str = "a.sdf") -> Path:
        path = tmp_path / name
        path.write_text("".join(records), encoding="utf-8", newline="")
        return path

    return write


def column(path: Path, name: str) -> list[object]:
    return [cell for part in chunks(path, 2) for cell in part.columns[name]]


def faults(path: Path) -> list[tuple[int, str, Reason]]:
    return [(r.row, r.id, r.reason) for part in chunks(path, 2) for r in part.rejected]


GOOD = record("CCO", "a", y="1")
BROKEN: dict[str, tuple[str, Reason]] = {
    "an atom with five bonds": (drawn(["C"] * 6, [(1, i, 1) for i in range(2, 7)]), Reason.VALENCE),
    "a ring of five aromatic carbons": (drawn(["C"] * 5, [(i, i % 5 + 1, 4) for i in range(1, 6)]), Reason.AROMATICITY),
    "a counts line that is no counts line": ("\n\n\nrubbish\nM  END\n", Reason.SYNTAX),
    "fewer atoms than counted": (drawn(["C"], []).replace("  1  0", "  9  0", 1), Reason.SYNTAX),
    "a bond to an atom that is not there": (drawn(["C", "C"], [(1, 9, 1)]), Reason.SYNTAX),
    "an element that does not exist": (drawn(["Xx"], []), Reason.SYNTAX),
    "no end": (drawn(["C"], []).replace("M  END\n", ""), Reason.SYNTAX),
    "only text": ("this is\nnot a mol block\n", Reason.SYNTAX),
    "binary": (("\x00\x01\x02" * 50 + "\n") * 5, Reason.SYNTAX),
    "a list of atoms": (drawn(["L", "C"], [(1, 2, 1)], "M  ALS   1  2 F C   N   \n"), Reason.SYNTAX),
    "any atom but hydrogen": (drawn(["A", "C"], [(1, 2, 1)]), Reason.SYNTAX),
    "a bond of any order": (drawn(["C", "C"], [(1, 2, 8)]), Reason.SYNTAX),
    "single or double": (drawn(["C", "C"], [(1, 2, 5)]), Reason.SYNTAX),
    "a polymer": (
        drawn(["C", "C", "O"], [(1, 2, 1), (2, 3, 1)], "M  STY  1   1 SRU\nM  SAL   1  2   1   2\nM  SBL   1  1   2\n"),
        Reason.SYNTAX,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_block_costs_one_row_and_keeps_its_properties(table, case: str) -> None:
    text, reason = BROKEN[case]
    wrong = f"{'b' + text if text[0] == chr(10) else text}>  <y>\n2\n\n$$$$\n"
    path = table(GOOD, wrong, record("CCN", "c", y="3"))
    assert column(path, "smiles") == ["CCO", None, "CCN"]
    assert column(path, "y") == ["1", "2", "3"]
    assert [(row, why) for row, _, why in faults(path)] == [(1, reason)]


def test_a_broken_block_in_a_row_keeps_its_name(table) -> None:
    text, reason = BROKEN["an atom with five bonds"]
    path = table(GOOD, "broken one" + text + "$$$$\n")
    assert column(path, "id") == ["a", "broken one"]
    assert faults(path) == [(1, "broken one", reason)]


def test_the_detail_says_what_is_wrong(table) -> None:
    def detail(case: str) -> str:
        path = table(GOOD, "b" + BROKEN[case][0] + "$$$$\n")
        return next(r.detail for part in chunks(path) for r in part.rejected)

    assert "valence for atom # 0 C, 5" in detail("an atom with five bonds")
    assert "'rubbish'" in detail("a counts line that is no counts line")
    assert "M  END" in detail("no end")
    assert "[#6,#7]" in detail("a list of atoms")
    assert "polymer" in detail("a polymer")


MEANINGS = [
    "C[C@H](N)C(=O)O",
    "C[C@@H](N)C(=O)O",
    "F/C=C/Cl",
    r"F/C=C\Cl",
    "C[N+](C)(C)CC(=O)[O-]",
    "[Cl-].[Na+]",
    "[13CH3][C@](F)(Cl)Br",
    "[2H]C([2H])([2H])O",
    "C[CH2]",  # a radical
    "O=S(=O)(Nc1nccs1)c1ccccc1",
    "C[C@H]1CC[C@@H](O)CC1",
    "*CCO",  # an attachment point
    "C[S@](=O)c1ccccc1",
    "O=[N+]([O-])c1ccccc1",
    "[O-][n+]1ccccc1",
]


@pytest.mark.parametrize("v3000", [False, True], ids=["V2000", "V3000"])
def test_stereo_charges_isotopes_and_radicals_survive(table, v3000: bool) -> None:
    path = table(*(record(s, f"m{i}", v3000) for i, s in enumerate(MEANINGS)))
    assert not faults(path)
    assert column(path, "smiles") == [Chem.CanonSmiles(s) for s in MEANINGS]


def test_the_smiles_is_one_the_corridor_reads(table) -> None:
    path = table(*(record(s) for s in MEANINGS))
    assert all(isinstance(read_molecule(cell), Molecule) for cell in column(path, "smiles"))


def test_stereo_comes_from_coordinates_in_space_too(table) -> None:
    smiles = "C[C@H](N)C(=O)O"
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    text = Chem.MolToMolBlock(mol)
    flat = "".join(line[:9] + "  0" + line[12:] + "\n" if len(line) == 12 else line + "\n" for line in text.split("\n"))
    assert column(table(flat + "$$$$\n"), "smiles") == [smiles]


def test_columns_are_the_properties_of_all_records_in_order_of_appearance(table) -> None:
    first, second = record("C", "a", x="1"), record("CC", "b")
    path = table(first, second, record("CCC", "c", y="2", x="3"), record("CCCC", "d", z=""))
    assert column_names(path) == ("smiles", "id", "x", "y", "z")
    assert [column(path, name) for name in "xyz"] == [["1", None, "3", None], [None, None, "2", None], [None] * 4]


def test_properties_called_like_our_columns_stay_apart(table) -> None:
    path = table(block("OCC", "a") + "> <smiles>\nas given\n\n> <id>\n7\n\n$$$$\n")
    assert column_names(path) == ("smiles", "id", "smiles.1", "id.1")
    assert [column(path, name) for name in column_names(path)] == [["CCO"], ["a"], ["as given"], ["7"]]


def test_without_name_lines_there_is_no_id_column(table) -> None:
    assert column_names(table(record("C", CAS="64-17-5"))) == ("smiles", "CAS")
    assert column_names(table(record("C"), record("C", "late"))) == ("smiles", "id")


VALUES = {
    ">  <y>\n1\n\n": {"y": "1"},
    "> <y>\n1\n\n": {"y": "1"},
    "><y>\n1\n\n": {"y": "1"},
    ">  <y>  (12)\n1\n\n": {"y": "1"},
    "> 25 <y> DT12\n1\n\n": {"y": "1"},
    "> <y (>1 nM)>\n1\n\n": {"y (>1 nM)": "1"},
    "> <y>\n>10\n\n": {"y": ">10"},
    "> <y>\n> 10\n\n": {"y": "> 10"},
    "> <y>\nfirst\nsecond\n\n": {"y": "first\nsecond"},
    "> <y>\nfirst\n\nsecond\n\n": {"y": "first\n\nsecond"},
    "> <y>\n\n> <z>\n2\n\n": {"y": None, "z": "2"},
    "> <y>\n> <z>\n2\n\n": {"y": None, "z": "2"},
    "> <y>\n1\n> <z>\n2\n": {"y": "1", "z": "2"},
    "> <y>\n1\n\n> <y>\n2\n\n": {"y": "1\n2"},
    "> <y>\n  two blanks before\n\n": {"y": "  two blanks before"},
    "> <y>\nMüller €\n\n": {"y": "Müller €"},
    "> <>\nnameless\n\n": {"2": "nameless"},
}


@pytest.mark.parametrize("text", VALUES)
def test_properties_are_read_however_they_are_written(table, text: str) -> None:
    (part,) = chunks(table(block("CCO", "a") + text + "$$$$\n"))
    assert part.columns == {"smiles": ["CCO"], "id": ["a"], **{k: [v] for k, v in VALUES[text].items()}}


def test_a_cell_of_a_hundred_thousand_characters_is_a_cell(table) -> None:
    assert column(table(record("C", y="x" * 200_000)), "y") == ["x" * 200_000]


def test_a_record_without_atoms_is_a_row_without_a_structure(table) -> None:
    nothing = drawn([], []) + ">  <y>\n1\n\n$$$$\n"
    path = table(GOOD, nothing, "$$$$\n", "\n\n\n\n$$$$\n", GOOD)
    assert column(path, "smiles") == ["CCO", None, None, None, "CCO"]
    assert column(path, "y") == ["1", "1", None, None, "1"]
    assert not faults(path)
    assert read_molecule(None).reason == Reason.EMPTY


def test_the_last_record_needs_no_end_and_blank_lines_are_no_record(table) -> None:
    assert column(table(GOOD, record("C").removesuffix("$$$$\n")), "smiles") == ["CCO", "C"]
    assert column(table(GOOD, "\n\n  \n"), "smiles") == ["CCO"]
    assert column(table(block("CCO", "one molecule"), name="a.mol"), "id") == ["one molecule"]


def test_the_end_of_a_record_may_be_followed_by_text(table) -> None:
    assert column(table(GOOD.replace("$$$$", "$$$$ 1"), GOOD), "smiles") == ["CCO", "CCO"]


def test_a_record_without_end_costs_itself_and_the_one_it_runs_into(table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("molmed.data.sources.sdf._LONGEST", 100_000)
    path = table(GOOD, ("x" * 99 + "\n") * 10_000, "$$$$\n", record("CCN", "c"))
    assert column(path, "smiles") == ["CCO", None, "CCN"]
    assert faults(path) == [(1, "1", Reason.ROW_SHAPE)]


def test_what_is_no_sd_file_is_refused(table) -> None:
    with pytest.raises(InputError, match="no line 'M  END'"):
        column_names(table("smiles,y\nCCO,1\n"))


def test_too_many_names_are_refused(table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("molmed.data.sources.sdf._MOST_NAMES", 20)
    path = table(*(record("C", **{f"p{i}": "1"}) for i in range(30)))
    with pytest.raises(InputError, match="more than 20 differently named properties"):
        column_names(path)


def test_a_file_that_changes_has_its_new_columns(table) -> None:
    assert column_names(table(record("C", "a", x="1"))) == ("smiles", "id", "x")
    assert column_names(table(record("C", "a", x="1"), record("C", "a", y="1"))) == ("smiles", "id", "x", "y")


def test_a_thousand_atoms_need_v3000(table) -> None:
    path = table(record("C" * 1100, "long"))
    assert "V3000" in path.read_text()
    assert column(path, "smiles") == ["C" * 1100]


def test_the_library_says_nothing(table, capfd: pytest.CaptureFixture[str]) -> None:
    column(table(*("b" + text + "$$$$\n" for text, _ in BROKEN.values())), "smiles")
    assert capfd.readouterr() == ("", "")


@pytest.mark.mirror
def test_the_hard_set_of_pubchem_comes_whole(mirror: Path) -> None:
    """1,181 records; the molecular formulas are PubChem's own, and so are nearly all stereo centres."""
    frame = read(mirror / "screening" / "dirty" / "pubchem_hard_set.sdf.gz")
    assert len(frame) == 1181
    assert frame.attrs["rejected"] == []
    assert (frame["id"] == frame["PUBCHEM_COMPOUND_CID"]).all()
    same = 0
    with rdBase.BlockLogs():
        for ours, theirs in zip(frame["smiles"], frame["PUBCHEM_OPENEYE_ISO_SMILES"], strict=True):
            a, b = Chem.MolFromSmiles(ours), Chem.MolFromSmiles(theirs)
            formula = Chem.rdMolDescriptors.CalcMolFormula
            assert formula(a, separateIsotopes=True) == formula(b, separateIsotopes=True), ours
            same += Chem.MolToInchiKey(a) == Chem.MolToInchiKey(b)
    assert same >= 0.95 * len(frame)  # the rest: double bonds in rings and of imines, which the two judge differently


@pytest.mark.mirror
def test_known_bad_records_are_the_rejected_ones(mirror: Path) -> None:
    with (mirror / "BAD_ROWS.csv").open(encoding="utf-8", newline="") as file:
        bad = [(row[0], int(row[1])) for row in list(csv.reader(file))[1:] if ".sdf" in row[0]]
    assert len(bad) == 9
    for path in sorted((mirror / "standardisation").glob("*.sdf.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            ends = sum(line.startswith("$$$$") for line in file)
        (part,) = SDF().chunks(path)
        assert part.n == ends
        assert [r.row for r in part.rejected] == [row for name, row in bad if name.endswith(path.name)]
