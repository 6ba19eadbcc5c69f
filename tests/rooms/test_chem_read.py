"""A cell of text becomes a molecule or a reason, never an exception and never another molecule than was written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from molmed.chem import Molecule, read
from molmed.chem.read import LARGE_ATOMS, MAX_CHARACTERS
from molmed.results import Fault, Reason

PEPTIDE = "N" + "CC(=O)N" * 500 + "CC(=O)O"  # 2,005 heavy atoms

REFUSED = {
    "no text": ("", Reason.EMPTY),
    "blanks": (" \t ", Reason.EMPTY),
    "None": (None, Reason.EMPTY),
    "NaN": (float("nan"), Reason.EMPTY),
    "NaN of numpy": (np.float32("nan"), Reason.EMPTY),
    "NaN as text": ("NaN", Reason.EMPTY),
    "a number": (3.5, Reason.NOT_TEXT),
    "a whole number": (7, Reason.NOT_TEXT),
    "a number as text": ("3.5", Reason.NOT_TEXT),
    "bytes": (b"CCO", Reason.NOT_TEXT),
    "a list": (["CCO"], Reason.NOT_TEXT),
    "a word": ("ethanol", Reason.SYNTAX),
    "an open ring": ("C1CC", Reason.SYNTAX),
    "an open branch": ("CC(", Reason.SYNTAX),
    "an open bracket": ("[NH4", Reason.SYNTAX),
    "an unknown element": ("C[Xx]C", Reason.SYNTAX),
    "an InChI": ("InChI=1S/CH4/h1H4", Reason.SYNTAX),
    "noise": ("(C=[N]#" * 1429, Reason.SYNTAX),
    "far too long": ("C" * (MAX_CHARACTERS + 1), Reason.SYNTAX),
    "five bonds at carbon": ("C(C)(C)(C)(C)C", Reason.VALENCE),
    "three bonds at fluorine": ("CF(C)C", Reason.VALENCE),
    "no Kekule form": ("c1cccc1", Reason.AROMATICITY),
    "an aromatic atom outside a ring": ("cC", Reason.AROMATICITY),
    "only an empty fragment": (".", Reason.NO_ATOMS),
    "an empty fragment at the end": ("CCO.", Reason.SYNTAX),
    "a reaction": ("CCO>>CC=O", Reason.REACTION),
    "a reaction with an agent": ("CCO>[Pd]>CC=O", Reason.REACTION),
    "half a reaction": ("CCO>>", Reason.REACTION),
    "one arrow head": ("CCO>CC=O", Reason.SYNTAX),
    "an open dative bond": ("CC->[Fe", Reason.SYNTAX),
    "a Cyrillic letter at the end": ("CC\u041e", Reason.SYNTAX),
    "an accent at the start": ("\u00e9CC", Reason.SYNTAX),
    "a byte order mark": ("\ufeffCCO", Reason.SYNTAX),
    "a zero-width blank": ("CCO\u200b", Reason.SYNTAX),
    "a NUL character": ("C\0C", Reason.SYNTAX),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_molecule_is_refused_with_its_reason(case: str) -> None:
    cell, reason = REFUSED[case]
    fault = read(cell)
    assert isinstance(fault, Fault), fault
    assert (fault.step, fault.reason) == ("read", reason)
    assert 10 < len(fault.detail) < 400
    assert "\n" not in fault.detail


def test_the_detail_says_what_is_wrong() -> None:
    def detail(cell: object) -> str:
        fault = read(cell)
        assert isinstance(fault, Fault)
        return fault.detail

    assert "C, 5" in detail("C(C)(C)(C)(C)C")
    assert "C1CC" in detail("C1CC")
    assert "U+041E" in detail("CC\u041e")
    assert "type int" in detail(7)
    assert str(MAX_CHARACTERS) in detail("C" * (MAX_CHARACTERS + 1))


KEPT = {
    "plain": ("OCC", "CCO"),
    "a name behind it": ("OCC ethanol, 96 %", "CCO"),
    "CXSMILES": ("OCC |atomProp:0.label.1|", "CCO"),
    "blanks around it": ("  OCC\t", "CCO"),
    "an attachment point": ("*CC", "*CC"),
    "isotopic hydrogen": ("[2H]C([2H])([2H])O", "[2H]C([2H])([2H])O"),
    "heavy hydrogen alone": ("[2H][2H]", "[2H][2H]"),
    "an isotope": ("[13CH4]", "[13CH4]"),
    "plain hydrogen written out": ("[H]C([H])([H])O[H]", "CO"),
    "hydrogen alone": ("[H][H]", "[H][H]"),
    "stereo": ("C[C@H](N)C(=O)O", "C[C@H](N)C(=O)O"),
    "stereo of a double bond": ("F/C=C/Cl", "F/C=C/Cl"),
    "a metal ion": ("[Fe+2]", "[Fe+2]"),
    "a dative bond": ("N->B", "B<-N"),
}


@pytest.mark.parametrize("case", KEPT)
def test_what_is_a_molecule_is_kept_as_it_is(case: str) -> None:
    text, smiles = KEPT[case]
    molecule = read(text)
    assert isinstance(molecule, Molecule), molecule
    assert (molecule.smiles, molecule.given) == (smiles, text)
    assert (molecule.changed, molecule.stripped, molecule.notes) == (False, (), ())


@pytest.mark.parametrize(
    ("text", "smiles", "stripped"),
    [
        ("CCN.Cl", "CCN", ("Cl",)),
        ("CC(=O)[O-].[Na+]", "CC(=O)O", ("[Na+]",)),
        ("CC(=O)O[Na]", "CC(=O)O", ("[Na+]",)),  # drawn as if the bond were covalent
        ("CC[NH3+].[O-]S(=O)(=O)C(F)(F)F", "CCN", ("O=S(=O)([O-])C(F)(F)F",)),  # the counter-ion is the longer text
        ("CC(=O)O.CC(=O)[O-].[Na+]", "CC(=O)O", ("[Na+]",)),
        ("CCN.Cl.Cl.O", "CCN", ("Cl", "O")),
    ],
)
def test_a_salt_is_its_parent_and_names_what_was_removed(text: str, smiles: str, stripped: tuple[str, ...]) -> None:
    molecule = read(text)
    assert isinstance(molecule, Molecule), molecule
    assert (molecule.smiles, molecule.stripped) == (smiles, stripped)
    assert molecule.changed
    assert molecule.notes == (Reason.SALT_STRIPPED,)
    assert molecule.given == text


def test_a_neutralised_molecule_is_changed_but_no_salt() -> None:
    molecule = read("CC(=O)[O-]")
    assert isinstance(molecule, Molecule)
    assert (molecule.smiles, molecule.changed, molecule.stripped, molecule.notes) == ("CC(=O)O", True, (), ())


def test_another_spelling_of_the_same_structure_is_no_change() -> None:
    molecule = read("C([N+](C)(C)C)C([O-])=O")  # charged, so it takes the full path
    assert isinstance(molecule, Molecule)
    assert not molecule.changed


def test_without_standardisation_every_fragment_stays() -> None:
    molecule = read("[Na+].CC(=O)[O-]", standardise=False)
    assert isinstance(molecule, Molecule)
    assert (molecule.smiles, molecule.changed) == ("CC(=O)[O-].[Na+]", False)


def test_a_large_molecule_is_read_and_marked() -> None:
    def notes(smiles: str) -> tuple[Reason, ...]:
        molecule = read(smiles)
        assert isinstance(molecule, Molecule)
        return molecule.notes

    assert notes(PEPTIDE) == (Reason.LARGE_MOLECULE,)
    assert notes("C" * LARGE_ATOMS) == (Reason.LARGE_MOLECULE,)
    assert notes("C" * (LARGE_ATOMS - 1)) == ()
    assert notes(PEPTIDE + ".Cl") == (Reason.SALT_STRIPPED, Reason.LARGE_MOLECULE)


@pytest.mark.parametrize("text", ["F[Fe](F)F", "CC(=O)O[Na]", "C[N+](C)(C)CC(=O)[O-].[K+].[I-]", "CCN.OC(=O)C(=O)O"])
def test_a_parent_is_the_molecule_its_own_smiles_gives(text: str) -> None:
    molecule = read(text)
    assert isinstance(molecule, Molecule)
    alone = Chem.MolFromSmiles(molecule.smiles)

    def look(mol: Chem.Mol) -> list[tuple[object, ...]]:
        return sorted(
            (
                a.GetSymbol(),
                a.GetFormalCharge(),
                a.GetTotalNumHs(),
                a.GetNumRadicalElectrons(),
                str(a.GetHybridization()),
            )
            for a in mol.GetAtoms()
        )

    assert look(molecule.mol) == look(alone)
    assert not [
        name for a in molecule.mol.GetAtoms() for name in a.GetPropsAsDict(includePrivate=True) if "molmed" in name
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30) | st.text(alphabet="CNOclnos[]()=#@+-123%./\\>HBr *", max_size=40))
def test_no_text_raises(text: str) -> None:
    answer = read(text)
    assert isinstance(answer, Molecule | Fault)
    if isinstance(answer, Molecule):
        assert answer.mol.GetNumAtoms() > 0
        assert Chem.MolFromSmiles(answer.smiles) is not None


def test_reading_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    for cell, _ in REFUSED.values():
        read(cell)
    assert capfd.readouterr() == ("", "")
