"""Avalon counts and ErG are RDKit's, with MapLight's settings, wherever the atoms stand."""

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Avalon.pyAvalonTools import GetAvalonCountFP
from rdkit.Chem.rdReducedGraphs import GetErGFingerprint

from molmed.chem import Molecule, read
from molmed.chem.avalon import avalon_counts
from molmed.chem.erg import erg_values
from molmed.features.avalon import Avalon, AvalonConfig
from molmed.features.erg import Erg

SMILES = (
    "C",
    "CCO",
    "c1ccccc1C(=O)NC",
    "C[C@H](N)C(=O)O",
    "O=S(=O)(Nc1nccs1)c1ccc(Oc2ccccc2C#N)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "[Fe+2]",
    "*CC",
    "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
)
MOLS = [Chem.MolFromSmiles(s) for s in SMILES]


@pytest.mark.parametrize("n_bits", [512, 1024])
def test_avalon_counts_are_rdkits(n_bits: int) -> None:
    counts = avalon_counts(MOLS, n_bits)
    assert (counts.shape, counts.dtype) == ((len(MOLS), n_bits), np.float32)
    for mol, row in zip(MOLS, counts, strict=True):
        assert {int(i): int(row[i]) for i in np.flatnonzero(row)} == GetAvalonCountFP(mol, n_bits).GetNonzeroElements()
    assert counts.max() > 10  # counts, no bits


def test_erg_is_rdkits_with_its_defaults() -> None:
    values = erg_values(MOLS)
    assert (values.shape, values.dtype) == ((len(MOLS), 315), np.float32)
    for mol, row in zip(MOLS, values, strict=True):
        np.testing.assert_array_equal(row, GetErGFingerprint(mol).astype(np.float32))
    assert 0.3 in np.round(values, 6)  # fuzzy


def test_no_molecules_make_no_rows() -> None:
    assert avalon_counts([]).shape == (0, 1024)
    assert erg_values([]).shape == (0, 315)


@pytest.mark.parametrize("function", [avalon_counts, erg_values])
def test_values_do_not_depend_on_where_the_atoms_stand(function: Callable[[Sequence[Chem.Mol]], np.ndarray]) -> None:
    draw = random.Random(0)
    for mol in MOLS:
        for _ in range(3):
            order = draw.sample(range(mol.GetNumAtoms()), mol.GetNumAtoms())
            spelt = Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)
            other = function([Chem.MolFromSmiles(spelt)])
            np.testing.assert_allclose(other, function([mol]), rtol=1e-6, err_msg=spelt)


def test_the_featurizers_give_the_same_vectors() -> None:
    items = [m for m in (read(s, standardise=False) for s in SMILES) if isinstance(m, Molecule)]
    assert len(items) == len(SMILES)
    avalon = Avalon(AvalonConfig(n_bits=2048)).featurize(items, {})
    np.testing.assert_array_equal(avalon.fields["x"], avalon_counts(MOLS, 2048))
    np.testing.assert_array_equal(Erg().featurize(items, {}).fields["x"], erg_values(MOLS))
