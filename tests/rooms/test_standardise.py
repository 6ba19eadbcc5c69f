"""Each named step does its work, the parent of a salt is found, and doing it again changes nothing."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, RDConfig

from molmed.chem import Molecule, read
from molmed.chem.counter_ions import COUNTER_IONS, is_counter_ion
from molmed.chem.standardise import STEPS, standardise, unchanged
from molmed.results import Fault, Reason

ALONE = {
    "metals": [("CC(=O)O[Na]", "CC(=O)[O-].[Na+]"), ("C[Hg]C", "[CH3][Hg][CH3]")],
    "normalise": [
        ("CS(C)=O", "C[S+](C)[O-]"),
        ("C[n+]1ccccc1[O-]", "Cn1ccccc1=O"),
        ("C[S+2]([O-])([O-])C", "CS(C)(=O)=O"),
    ],
    "reionise": [("[O-]S(=O)c1ccc(S(=O)(=O)O)cc1", "O=S(O)c1ccc(S(=O)(=O)[O-])cc1")],
    "strip": [("CCN.Cl.[Na+].CC(=O)O", "CCN"), ("CCO.O", "CCO"), ("CCN.Oc1ccccc1", "CCN.Oc1ccccc1")],
    "uncharge": [("C[NH3+]", "CN"), ("CC(=O)[O-]", "CC(=O)O"), ("[NH3+]CC(=O)[O-]", "NCC(=O)O")],
}


@pytest.mark.parametrize(("step", "before", "after"), [(s, *pair) for s, pairs in ALONE.items() for pair in pairs])
def test_a_step_does_its_own_work(step: str, before: str, after: str) -> None:
    mol = dict(STEPS)[step](Chem.MolFromSmiles(before))
    assert Chem.MolToSmiles(mol) == after


def test_the_steps_have_the_documented_order() -> None:
    assert [name for name, _ in STEPS] == list(ALONE) == ["metals", "normalise", "reionise", "strip", "uncharge"]


PARENTS = {
    "a hydrochloride": ("CCN.Cl", "CCN"),
    "a hydrochloride with charges": ("CC[NH3+].[Cl-]", "CCN"),
    "a sodium salt": ("[Na+].CC(=O)[O-]", "CC(=O)O"),
    "several counter-ions and water": ("[Na+].[Na+].O.O.[O-]C(=O)CCCC(=O)[O-]", "O=C(O)CCCC(=O)O"),
    "two molecules and one sulfuric acid": ("CCN.CCN.OS(=O)(=O)O", "CCN"),
    "a solvate": ("CCCCN.CO.CCO", "CCCCN"),
    "a salt in its solvent, both on the list": ("CCO.Cl", "CCO"),
    "a tosylate": ("CC[NH3+].Cc1ccc(S(=O)(=O)[O-])cc1", "CCN"),
    "a tartrate with stereo": ("CCN.OC(=O)[C@H](O)[C@@H](O)C(=O)O", "CCN"),
    "a fumarate and a chloride": ("CCN.OC(=O)/C=C/C(=O)O.Cl", "CCN"),
    "two organic counter-ions": ("CCCCN.OC(=O)C(=O)O.Cc1ccc(S(=O)(=O)O)cc1", "CCCCN"),
    "a counter-ion alone is a parent": ("OC(=O)C(=O)O.[K+]", "O=C(O)C(=O)O"),
    "a zwitterion": ("[NH3+]CC(=O)[O-]", "NCC(=O)O"),
    "quaternary ammonium keeps its charge": ("C[N+](C)(C)C.[Cl-]", "C[N+](C)(C)C"),
    "a betaine keeps both": ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
    "a quaternary ammonium tosylate": ("C[N+](C)(C)CC.Cc1ccc(S(=O)(=O)[O-])cc1", "CC[N+](C)(C)C"),
    "an N-oxide": ("C[N+](C)(C)[O-]", "C[N+](C)(C)[O-]"),
    "a nitro group": ("O=[N+]([O-])c1ccccc1", "O=[N+]([O-])c1ccccc1"),
    "a sydnone, which a rule of the normaliser would break": ("C[n+]1cc([O-])on1", "C[n+]1cc([O-])on1"),
    "a pyridinium": ("C[n+]1ccccc1.[I-]", "C[n+]1ccccc1"),
    "equal fragments": ("c1ccccc1.c1ccccc1", "c1ccccc1"),
    "equal but for the charge": ("CC(=O)O.CC(=O)[O-].[K+]", "CC(=O)O"),
    "a complex of a metal on no list": ("O=C1O[Cu]Oc2ccccc21", "O=C(O)c1ccccc1O"),
    "a tetrafluoroborate": ("CC[NH3+].F[B-](F)(F)F", "CCN"),
    "a nitrate ion": ("[O-][N+](=O)[O-]", "O=[N+]([O-])O"),
    "a nitrate": ("CC[NH3+].[O-][N+](=O)[O-]", "CCN"),
    "a carbonate": ("CC[NH3+].[O-]C(=O)O", "CCN"),
    "a solvate of dimethyl sulfoxide": ("CCCCN.CS(C)=O", "CCCCN"),
    "dimethyl sulfoxide alone": ("CS(C)=O", "C[S+](C)[O-]"),
    "covalent sodium": ("CCO[Na]", "CCO"),
    "an organometal": ("C[Hg]C", "[CH3][Hg][CH3]"),
    "table salt": ("[Na+].[Cl-]", "[Na+]"),
    "an inorganic salt keeps its largest part": ("[K+].[K+].[O-]S(=O)(=O)[O-]", "O=S(=O)(O)O"),
    "water": ("O", "O"),
    "water twice": ("O.O", "O"),
}


@pytest.mark.parametrize("case", PARENTS)
def test_the_parent_is_found(case: str) -> None:
    text, parent = PARENTS[case]
    molecule = read(text)
    assert isinstance(molecule, Molecule), molecule
    assert molecule.smiles == parent
    backwards = read(".".join(reversed(text.split("."))))
    assert isinstance(backwards, Molecule)
    assert backwards.smiles == parent
    assert backwards.stripped == molecule.stripped


@pytest.mark.parametrize(
    "text",
    [
        "CCCCN.c1ccccc1O",
        "CCCCN.c1ccccc1O.Cl",
        "C.CC",
        "CCCCN.OCCCCCO.OC(=O)C(=O)O",
        "OC(=O)C(=O)O.OC(=O)CC(=O)O",  # two acids that are counter-ions of others: neither is the parent
        "C[C@H](F)Cl.C[C@@H](F)Cl",
        "[Fe].c1ccncc1.OCCCCCO",
    ],
)
def test_two_organic_parents_are_a_mixture(text: str) -> None:
    fault = read(text)
    assert isinstance(fault, Fault), fault
    assert (fault.step, fault.reason) == ("standardise", Reason.MIXTURE)
    assert " and " in fault.detail


def test_what_was_removed_is_named_as_it_was_given() -> None:
    molecule = read("CC[NH3+].Cc1ccc(S(=O)(=O)[O-])cc1.O.O")
    assert isinstance(molecule, Molecule)
    assert molecule.stripped == ("Cc1ccc(S(=O)(=O)[O-])cc1", "O")


def test_the_input_is_not_modified() -> None:
    mol = Chem.MolFromSmiles("CC[NH3+].[Cl-].O[Cu]O")
    before = mol.ToBinary()
    standardise(mol)
    assert mol.ToBinary() == before


def test_a_molecule_that_rdkit_cannot_standardise_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real molecule is known that does it: 0 of the 99,991 of PubChem and 0 of the NCI library."""

    def wrecks(mol: Chem.Mol) -> Chem.Mol:
        mol.GetAtomWithIdx(0).SetNumExplicitHs(9)
        Chem.SanitizeMol(mol)
        return mol

    steps = [(name, wrecks if name == "normalise" else step) for name, step in STEPS]
    monkeypatch.setattr("molmed.chem.standardise.STEPS", tuple(steps))
    fault = standardise(Chem.MolFromSmiles("CS(C)=O"))
    assert isinstance(fault, Fault)
    assert (fault.step, fault.reason) == ("standardise", Reason.STANDARDISE)
    assert fault.detail.startswith("normalise: Explicit valence")


@pytest.mark.parametrize("smiles", ["CCO", "Cl.NCCc1ccccc1", "O=C(O)c1ccccc1.C1CN1"])
def test_steps_with_nothing_to_act_on_are_left_out(smiles: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> tuple[str, tuple[str, ...]] | Fault:
        found = standardise(Chem.MolFromSmiles(smiles))
        return found if isinstance(found, Fault) else (Chem.MolToSmiles(found[0]), found[1])

    def never(mol: Chem.Mol) -> Chem.Mol:
        raise AssertionError("not to be called")

    expected = told()
    monkeypatch.setattr("molmed.chem.standardise.STEPS", tuple((n, s if n == "strip" else never) for n, s in STEPS))
    assert told() == expected


@pytest.mark.parametrize("name", COUNTER_IONS)
def test_a_counter_ion_is_written_as_standardisation_leaves_it(name: str) -> None:
    molecule = read(COUNTER_IONS[name])
    assert isinstance(molecule, Molecule)
    assert not molecule.changed
    assert is_counter_ion(molecule.mol)
    assert Chem.MolToSmiles(molecule.mol, isomericSmiles=False) == molecule.smiles


def test_counter_ions_are_all_different() -> None:
    assert len({Chem.CanonSmiles(s) for s in COUNTER_IONS.values()}) == len(COUNTER_IONS)


@pytest.mark.parametrize(
    ("text", "untouched"),
    [
        ("CCO", True),
        ("c1ccc2[nH]ccc2c1", True),
        ("OB(O)c1ccccc1", True),
        ("CS(=O)(=O)N", True),
        ("CS(C)=O", False),
        ("C[NH3+]", False),
        ("C[N+](=O)[O-]", True),
        ("[O-][N+](=O)[O-]", False),
        ("C[N+](C)(C)C", False),  # nothing would change, but the gate does not look that closely
        ("CCO.O", False),
        ("CO[Na]", False),
        ("[Fe]", False),
    ],
)
def test_the_gate_lets_only_plain_molecules_pass(text: str, untouched: bool) -> None:
    assert unchanged(Chem.MolFromSmiles(text), "." not in text) == untouched


def nci() -> tuple[str, ...]:
    """Every eighth structure of RDKit's NCI file."""
    with open(os.path.join(RDConfig.RDDataDir, "NCI", "first_5K.smi"), encoding="utf-8") as file:
        return tuple(line.split()[0] for line in file)[::8]


HARD = (
    *(text for text, _ in PARENTS.values()),
    "[O-]S(=O)c1ccc(S(=O)(=O)O)cc1",
    "CCOC(=O)c1cc2ccccc2cc1N=[NH2+].F[B-](F)(F)F",
    "COc1cccc(C=N[N-]C(N)=O)c1[O-].O.O.O.O=[U+2]=O",
    "C1=CC([Fe]C2C=CC=C2c2ccccc2)C(c2ccccc2)=C1",
    "C1CC2CCCN3C2C(C1)O[Pb]31OC2CCCC3CCCN1C32",
    "O=C1C[N+]23CC[N+]45CC(=O)O[Co]24(O1)(OC(=O)C3)OC(=O)C5",
    "CC1C[C@H](O)[N+](=C)N1[O-]",
    "C[N+](C)=C([O-])N=[N+]=[N-]",
    "O=c1cc([O-])[n+](C2OC(CO)C(O)C2O)c2sccn12",
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(nci() + HARD), min_size=1, max_size=3))
def test_standardising_again_changes_nothing(fragments: list[str]) -> None:
    molecule = read(".".join(fragments))
    if isinstance(molecule, Molecule):
        again = read(molecule.smiles)
        assert isinstance(again, Molecule), again
        assert (again.smiles, again.changed, again.stripped) == (molecule.smiles, False, ())
