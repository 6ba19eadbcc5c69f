"""Fingerprints are RDKit's, bit for bit and count for count."""

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from molmed.chem import Molecule, read
from molmed.chem.fingerprints import morgan_bits, morgan_counts
from molmed.features.morgan import Morgan, MorganConfig
from molmed.features.morgan_count import MorganCount

SMILES = (
    "C",
    "CCO",
    "c1ccccc1C(=O)NC",
    "C[C@H](N)C(=O)O",
    "O=S(=O)(Nc1nccs1)c1ccc(Oc2ccccc2C#N)cc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "[Fe+2]",
    "CCCCCCCCCCCCCCCCCCCC",
)
MOLS = [Chem.MolFromSmiles(s) for s in SMILES]


@pytest.mark.parametrize(("radius", "n_bits"), [(2, 2048), (3, 1024), (0, 512)])
def test_bits_are_rdkits(radius: int, n_bits: int) -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)
    packed = morgan_bits(MOLS, radius, n_bits)
    assert (packed.shape, packed.dtype) == ((len(MOLS), n_bits // 8), np.uint8)
    for mol, row in zip(MOLS, packed, strict=True):
        on = [8 * byte + bit for byte in range(n_bits // 8) for bit in range(8) if row[byte] & (1 << (7 - bit))]
        assert on == list(generator.GetFingerprint(mol).GetOnBits())


@pytest.mark.parametrize(("radius", "n_bits"), [(2, 2048), (3, 1024), (0, 512)])
def test_counts_are_rdkits(radius: int, n_bits: int) -> None:
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)
    counts = morgan_counts(MOLS, radius, n_bits)
    assert (counts.shape, counts.dtype) == ((len(MOLS), n_bits), np.float32)
    for mol, row in zip(MOLS, counts, strict=True):
        expected = generator.GetCountFingerprint(mol).GetNonzeroElements()
        assert {int(i): int(row[i]) for i in np.flatnonzero(row)} == expected
    assert counts.max() > 10  # the long chain: counts are no bits


def test_no_molecules_make_no_rows() -> None:
    assert morgan_bits([]).shape == (0, 256)
    assert morgan_counts([]).shape == (0, 2048)


def test_the_featurizers_give_the_same_vectors() -> None:
    items = [m for m in map(read, SMILES) if isinstance(m, Molecule)]
    assert len(items) == len(SMILES)
    config = MorganConfig(radius=3, n_bits=1024)
    bits = Morgan(config).featurize(items, {}).fields["x"]
    np.testing.assert_array_equal(bits, np.unpackbits(morgan_bits(MOLS, 3, 1024), axis=1))
    counts = MorganCount(config).featurize(items, {}).fields["x"]
    np.testing.assert_array_equal(counts, morgan_counts(MOLS, 3, 1024))
    np.testing.assert_array_equal(bits, np.minimum(counts, 1))
