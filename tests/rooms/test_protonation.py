"""An ionised text becomes the neutral one only where every charge is of a known kind."""

import pytest
from rdkit import Chem

from molmed.chem import Molecule, read
from molmed.chem.protonation import Neutral, neutral_text
from molmed.chem.read import Draft, draft, read_fully


@pytest.mark.parametrize(
    ("ionised", "neutral"),
    [
        ("CCO", "CCO"),
        ("Cc1ccc(-c2ccccc2)cc1", "Cc1ccc(-c2ccccc2)cc1"),  # a minus that is a bond
        ("CC[NH3+]", "CCN"),
        ("C[NH2+]C", "CNC"),
        ("C[NH+](C)C", "CN(C)C"),
        ("c1cc[nH+]cc1", "c1ccncc1"),
        ("NC(N)=[NH2+]", "NC(N)=N"),
        ("CC(=O)[O-]", "CC(=O)O"),
        ("[O-]C(=O)CC[NH3+]", "OC(=O)CCN"),
        ("O=C([O-])c1ccccc1", "O=C(O)c1ccccc1"),
        ("CC([O-])=O", "CC(O)=O"),
        ("O=[N+]([O-])c1ccccc1C[NH3+]", "O=[N+]([O-])c1ccccc1CN"),
        ("[O-][N+](=O)c1ccccc1", "[O-][N+](=O)c1ccccc1"),
        ("C[C@H]([NH3+])C(=O)[O-]", "C[C@H](N)C(=O)O"),
        ("[O-]c1ccccc1", "Oc1ccccc1"),
        ("CC([O-])=NC", "CC(O)=NC"),
        ("[S-]C", "SC"),
        ("CP(=O)([O-])O", "CP(=O)(O)O"),
        ("CS(=O)(=O)[O-]", "CS(=O)(=O)O"),
        ("C[N-]S(=O)(=O)C", "CNS(=O)(=O)C"),
        ("c1nn[n-]n1", "c1nn[nH]n1"),
        ("O=[N+]([O-])c1ccc([O-])cc1", "O=[N+]([O-])c1ccc(O)cc1"),
    ],
)
def test_the_neutral_form_of_what_is_known(ionised: str, neutral: str) -> None:
    found = neutral_text(ionised)
    assert found is not None
    assert found.smiles == neutral
    mol = Chem.MolFromSmiles(neutral)
    for atom, hydrogens in found.hydrogens:
        assert mol.GetAtomWithIdx(atom).GetSymbol() in {"N", "O", "S"}
        assert mol.GetAtomWithIdx(atom).GetTotalNumHs() == hydrogens


@pytest.mark.parametrize(
    "text",
    [
        *("C[N+](C)(C)C", "[Na+]", "C[n+]1ccccc1", "[O-][n+]1ccccc1", "CN=[N+]=[N-]"),
        *("[Fe+2]", "[O-2]", "[N--]", "[NH4+]", "CN/C([S-])=[NH+]/C", "C[N-][N+](=O)[O-]", "[nH+]C[O-]"),
        *("C[N@H+](C)C", "[13NH3+]C", "[O-]C(=[NH2+])C"),
    ],
)
def test_a_charge_of_another_kind_is_left_to_the_full_path(text: str) -> None:
    assert neutral_text(text) is None


def test_nothing_but_the_charged_tokens_changes() -> None:
    text = "C[C@@H]1CC[NH+](Cc2ccc(C(=O)[O-])cc2)C[C@H]1NC(=O)/C=C/c1cccc([N+](=O)[O-])c1"
    found = neutral_text(text)
    assert found == Neutral(text.replace("[NH+]", "N", 1).replace("C(=O)[O-])cc2", "C(=O)O)cc2"), ((4, 0),))


@pytest.mark.parametrize("text", ["C[NH+]", "C[NH2+]", "[NH+](C)", "C[NH+]=[NH+]C", "[nH+]1cccc1"])
def test_an_odd_nitrogen_is_left_to_the_full_path(text: str) -> None:
    """Undone as text it would get hydrogens that it does not have."""
    full = draft(text)
    assert isinstance(full, Draft)
    by_steps, found = read_fully(full), read(text)
    if isinstance(found, Molecule) and isinstance(by_steps, Molecule):
        assert found.smiles == by_steps.smiles
    else:
        assert found == by_steps


def test_a_neutralised_structure_is_named_as_its_parent() -> None:
    found = read("CC[NH3+]")
    assert isinstance(found, Molecule)
    assert (found.text, found.changed, found.stripped) == ("CCN", True, ())
    assert found.smiles == read("CCN").smiles  # type: ignore[union-attr]


def test_a_nitro_group_is_no_change() -> None:
    found = read("C[N+](=O)[O-]")
    assert isinstance(found, Molecule)
    assert not found.changed
