"""Descriptors are RDKit's, wherever the atoms stand; what RDKit cannot compute is nan and is named."""

import random
import subprocess
import sys
from math import comb, log2, log10

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import Descriptors as RDKit
from rdkit.Chem import rdPartialCharges

from molmed.chem import Molecule, read
from molmed.chem.descriptors import MAX_IPC_ATOMS, NAMES, PHYSCHEM, SLOW, descriptors
from molmed.features.descriptors import Descriptors, DescriptorsConfig
from molmed.features.physchem import Physchem
from molmed.results import Fault, Reason

SMILES = (
    "CCO",
    "C[C@H](N)C(=O)O",
    "F/C=C/Cl",
    "O=S(=O)(Nc1nccs1)c1ccc(Oc2ccccc2C#N)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
    "C1CC2(C1)CC1CCC2C1",
    "OB(O)c1ccc(Br)cc1I",
    "CCCCCCCCCCCCCCCCCCCC",
    "C",
)
CHARGES = {"MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge"} | {
    f"PEOE_VSA{i}" for i in range(1, 15)
}


def mols(*smiles: str) -> list[Chem.Mol]:
    made = [Chem.MolFromSmiles(s) for s in smiles]
    assert all(made)
    return made


def column(name: str, *smiles: str) -> list[float]:
    return [float(v) for v in descriptors(mols(*smiles), [name])[:, 0]]


def absent(smiles: str) -> set[str]:
    (row,) = descriptors(mols(smiles))
    return {name for name, value in zip(NAMES, row, strict=True) if np.isnan(value)}


def test_the_names_are_all_that_rdkit_computes() -> None:
    assert list(NAMES) == list(RDKit.CalcMolDescriptors(Chem.MolFromSmiles("CCO")))


@pytest.mark.parametrize("smiles", SMILES)
def test_values_are_rdkits(smiles: str) -> None:
    """Each descriptor on a molecule of its own: what others leave behind on the molecule does not count."""
    expected = np.asarray([float(function(Chem.MolFromSmiles(smiles))) for _, function in RDKit.descList])
    expected[NAMES.index("Ipc")] = log10(1 + expected[NAMES.index("Ipc")])
    (row,) = descriptors(mols(smiles))
    assert row.dtype == np.float32
    np.testing.assert_allclose(row, expected, rtol=1e-6, atol=1e-7)


def test_names_may_be_chosen_in_any_order() -> None:
    everything = descriptors(mols(*SMILES))
    chosen = ["qed", "MolWt", "BCUT2D_MWHI", "Ipc", "EState_VSA2"]
    columns = [NAMES.index(name) for name in chosen]
    np.testing.assert_array_equal(descriptors(mols(*SMILES), chosen), everything[:, columns])
    assert descriptors([], chosen).shape == (0, 5)
    with pytest.raises(KeyError, match="LogP"):
        descriptors(mols("C"), ["LogP"])


def test_values_do_not_depend_on_where_the_atoms_stand() -> None:
    draw = random.Random(0)
    for mol in mols(*SMILES):
        (row,) = descriptors([mol])
        for _ in range(3):
            order = draw.sample(range(mol.GetNumAtoms()), mol.GetNumAtoms())
            spelt = Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)
            np.testing.assert_allclose(descriptors(mols(spelt))[0], row, rtol=1e-5, atol=1e-6, err_msg=spelt)


def test_values_do_not_depend_on_what_was_done_with_the_molecule() -> None:
    (fresh,), (used,) = mols(SMILES[3]), mols(SMILES[3])
    RDKit.CalcMolDescriptors(used)
    Chem.GetDistanceMatrix(used, useBO=True)
    Chem.MolToSmiles(used)
    np.testing.assert_array_equal(descriptors([used]), descriptors([fresh]))


def chain(n: int) -> float:
    """AvgIpc of n carbons in a row: the coefficients of a path's polynomial are the binomials (n - k over k)."""
    coefficients = [comb(n - k, k) for k in range(n // 2 + 1)]
    total = sum(coefficients)
    return -sum(c / total * log2(c / total) for c in coefficients)


def test_information_content_is_exact_or_missing() -> None:
    assert column("AvgIpc", "C" * 20, "C" * MAX_IPC_ATOMS) == pytest.approx([chain(20), chain(MAX_IPC_ATOMS)], rel=1e-6)
    total = sum(comb(MAX_IPC_ATOMS - k, k) for k in range(MAX_IPC_ATOMS // 2 + 1))
    assert column("Ipc", "C" * MAX_IPC_ATOMS) == pytest.approx([log10(total * chain(MAX_IPC_ATOMS))], rel=1e-6)
    assert absent("C" * (MAX_IPC_ATOMS + 1)) == {"Ipc", "AvgIpc"}
    wrong = RDKit.AvgIpc(Chem.MolFromSmiles("C" * 120))
    assert abs(wrong / chain(120) - 1) > 0.5, "RDKit computes it correctly now: the limit can go"


@pytest.mark.parametrize("smiles", ["C[Se]C", "*CCO", "CC[Pt](Cl)(Cl)CC", "F[P-](F)(F)(F)(F)F"])
def test_without_partial_charges_nothing_is_made_of_them(smiles: str) -> None:
    assert absent(smiles) == CHARGES | {name for name in NAMES if name.startswith("BCUT2D")}


def test_one_atom_without_a_charge_is_enough() -> None:
    """RDKit's own extremes are those of the other atoms here, as if the metal were not there."""
    smiles = "Cc1cccc[n+]1[Zn+2]([n+]1ccccc1C)([n+]1ccccc1C)[n+]1ccccc1C.N#CS"
    mol = Chem.MolFromSmiles(smiles)
    assert np.isfinite(RDKit.MaxPartialCharge(mol))
    rdPartialCharges.ComputeGasteigerCharges(mol)
    assert not all(np.isfinite(a.GetDoubleProp("_GasteigerCharge")) for a in mol.GetAtoms())
    assert absent(smiles) >= CHARGES


def test_a_descriptor_that_raises_is_missing_alone() -> None:
    with pytest.raises(ZeroDivisionError):
        RDKit.SPS(Chem.MolFromSmiles("[H][H]"))
    assert absent("[H][H]") == {"SPS"}


def test_gaps_are_noted_with_their_names() -> None:
    featurizer = Descriptors()
    items = [m for m in map(read, ("CCO", "[H][H]", "C[Se]C")) if isinstance(m, Molecule)]
    packed = featurizer.featurize(items, {})
    none, one, many = featurizer.notes(packed, {})
    assert none is None
    assert one == Fault("features", Reason.DESCRIPTOR_MISSING, "no value of SPS")
    assert many is not None
    assert many.detail == "no value of MaxPartialCharge, MinPartialCharge, MaxAbsPartialCharge and 23 more"
    assert featurizer.unreadable(items, {}) == [None] * 3, "they are no reason to reject the row"


def test_fast_leaves_out_the_slow_ones_and_nothing_else() -> None:
    assert set(SLOW) < set(NAMES)
    items = [m for m in map(read, SMILES) if isinstance(m, Molecule)]
    whole = Descriptors().featurize(items, {}).fields["x"]
    fast = Descriptors(DescriptorsConfig(fast=True)).featurize(items, {}).fields["x"]
    np.testing.assert_array_equal(fast, whole[:, [name not in SLOW for name in NAMES]])


def test_the_physico_chemical_ones_are_twenty_of_them() -> None:
    assert len(set(PHYSCHEM)) == 20
    items = [m for m in map(read, SMILES) if isinstance(m, Molecule)]
    whole = Descriptors().featurize(items, {}).fields["x"]
    some = Physchem().featurize(items, {}).fields["x"]
    np.testing.assert_array_equal(some, whole[:, [NAMES.index(name) for name in PHYSCHEM]])
    assert not set(PHYSCHEM) & set(SLOW)


def test_another_list_of_rdkits_is_another_version() -> None:
    other = (
        "from rdkit.Chem import Descriptors\n"
        "Descriptors.descList[3], Descriptors.descList[4] = Descriptors.descList[4], Descriptors.descList[3]\n"
        "from molmed.features.descriptors import ENTRY\nprint(ENTRY.version)"
    )
    done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip()
    assert done.stdout.strip() != Descriptors.version
    assert f"{len(NAMES)} descriptors" in Descriptors.version
