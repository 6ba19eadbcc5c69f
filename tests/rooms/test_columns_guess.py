"""The structure and id columns are found by name, else by content, and the user is told how."""

import pytest

from molmed.data.columns import guess_id, guess_smiles, is_smiles, named
from molmed.errors import InputError

GOOD = ["CCO", "c1ccccc1", "CC(=O)O"]
WORDS = ["red", "green", "blue"]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ({"y": ["1", "2", "3"], "smiles": GOOD}, "smiles"),
        ({"SMILES ": GOOD, "y": ["1", "2", "3"]}, "SMILES "),
        ({"Canonical-SMILES": GOOD}, "Canonical-SMILES"),
        ({"canonical smiles": GOOD, "smiles": GOOD}, "smiles"),
        ({"Drug": GOOD, "Drug_ID": WORDS}, "Drug"),
        ({"molecule": WORDS, "ligand": GOOD}, "ligand"),  # a name whose cells are words is not believed
        ({"smiles": ["CCO", "x", "y", "z"], "other": GOOD}, "smiles"),  # bad rows do not hide the named column
        ({"smiles": WORDS}, "smiles"),  # nothing better: every row will be rejected, with its reason
        ({"smiles": [], "y": []}, "smiles"),
    ],
)
def test_a_usual_name_is_taken_if_its_cells_allow_it(table: dict[str, list[str]], column: str) -> None:
    guess = guess_smiles(table)
    assert guess.column == column
    assert repr(column) in guess.how


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ({"a": ["1", "2", "3"], "b": GOOD}, "b"),
        ({"stage": ["C", "N", "O"], "ligand": GOOD}, "ligand"),  # letters parse, but hold no bond, ring or branch
        ({"a": ["1.5", "2", "x"], "b": ["CC", "CCO", "CCN"]}, "b"),
        ({"a": WORDS, "b": ["CCO ethanol", "c1ccccc1 benzene", "bad"], "c": [*GOOD]}, "c"),
        ({"number": [1.5, 2, None], "b": [None, *GOOD]}, "b"),
        ({"b": ["C1CC", "CC", *GOOD * 2]}, "b"),
    ],
)
def test_without_a_usual_name_the_cells_decide(table: dict[str, list[object]], column: str) -> None:
    guess = guess_smiles(table)
    assert guess.column == column
    assert "parse" in guess.how


@pytest.mark.parametrize(
    "table", [{"a": WORDS, "n": ["1", "2", "3"]}, {"a": []}, {"a": [None, 1.5]}, {"n": ["12", "7"]}]
)
def test_a_table_without_structures_is_refused(table: dict[str, list[object]]) -> None:
    with pytest.raises(InputError, match="--smiles"):
        guess_smiles(table)


@pytest.mark.parametrize(
    ("names", "taken", "column"),
    [
        (["smiles", "id"], ["smiles"], "id"),
        (["Compound ID", "smiles"], ["smiles"], "Compound ID"),
        (["name", "Mol-ID"], [], "Mol-ID"),
        (["name", "y"], [], "name"),
        (["ID", "id"], [], "ID"),
    ],
)
def test_the_id_column_is_found_by_its_name(names: list[str], taken: list[str], column: str) -> None:
    guess = guess_id(names, taken)
    assert guess is not None
    assert guess.column == column
    assert repr(column) in guess.how


def test_no_id_column_is_no_guess() -> None:
    assert guess_id(["smiles", "y", "video"], []) is None
    assert guess_id(["name"], ["name"]) is None


def test_a_column_that_is_not_there_is_answered_with_the_nearest() -> None:
    assert named("pIC50", ["smiles", "pIC50"], "finding the target") == "pIC50"
    with pytest.raises(InputError, match=r"'pIC5O'.*smiles, pIC50.*did you mean 'pIC50'"):
        named("pIC5O", ["smiles", "pIC50"], "finding the target")


@pytest.mark.parametrize("cell", ["CCO", " c1ccccc1 benzene", "[Na+].[Cl-]", "cc", "C(C)(C)(C)(C)C"])
def test_a_smiles_is_recognised_without_its_chemistry(cell: str) -> None:
    assert is_smiles(cell)


@pytest.mark.parametrize(
    "cell", ["", " ", None, 12, "12", "1.5", "ethanol", "C1CC", "CC\u041e", "2020-01-01", float("nan")]
)
def test_other_cells_are_not(cell: object) -> None:
    assert not is_smiles(cell)
