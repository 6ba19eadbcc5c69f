"""The fast search for similar pairs finds exactly the pairs that comparing all with all finds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molmed.chem.fingerprints import morgan_bits
from molmed.chem.similarity import similar_pairs
from molmed.data.bundled import nav17


def all_pairs(bits: np.ndarray, least: float) -> dict[tuple[int, int], float]:
    unpacked = np.unpackbits(bits, axis=1).astype(np.int64)
    common = unpacked @ unpacked.T
    sizes = unpacked.sum(axis=1)
    either = sizes[:, None] + sizes - common
    found = {}
    for i, j in zip(*np.triu_indices(len(bits), 1), strict=True):
        if either[i, j] and common[i, j] / either[i, j] >= least:
            found[int(i), int(j)] = common[i, j] / either[i, j]
    return found


def found_pairs(bits: np.ndarray, least: float) -> dict[tuple[int, int], float]:
    first, second, similarity = similar_pairs(bits, least)
    return {(int(i), int(j)): float(s) for i, j, s in zip(first, second, similarity, strict=True)}


@pytest.mark.parametrize("least", [0.3, 0.5, 0.7, 0.85, 0.95, 1.0])
def test_on_molecules_it_is_rdkits_answer(least: float) -> None:
    mols = [Chem.MolFromSmiles(s) for s in nav17()["smiles"].iloc[:250]]
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    theirs = [generator.GetFingerprint(m) for m in mols]
    wanted = {}
    for i, fingerprint in enumerate(theirs):
        for j, similarity in enumerate(DataStructs.BulkTanimotoSimilarity(fingerprint, theirs[i + 1 :]), i + 1):
            if similarity >= least:
                wanted[i, j] = similarity
    assert found_pairs(morgan_bits(mols), least) == wanted
    assert len(wanted) > 0 or least > 0.9


@settings(max_examples=120, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.integers(0, 40), st.sampled_from([1, 2, 5, 8, 9]), st.sampled_from([0.05, 0.2, 0.6]),
    st.one_of(st.sampled_from([0.5, 2 / 3, 0.75, 0.8, 0.9, 1.0]), st.floats(0.01, 1.0)),
)  # fmt: skip
def test_on_any_bits_it_is_the_answer_of_all_with_all(
    seed: int, rows: int, width: int, density: float, least: float
) -> None:
    """Empty fingerprints, equal ones, widths that are no multiple of eight bytes, limits that are met exactly."""
    rng = np.random.default_rng(seed)
    bits = np.packbits(rng.random((rows, 8 * width)) < density, axis=1)
    if rows > 3:
        bits[rows // 2] = bits[0]
        bits[1] = 0
        bits[2] = 0
    assert found_pairs(bits, least) == all_pairs(bits, least)


def test_many_equal_fingerprints_are_all_pairs() -> None:
    bits = np.tile(np.packbits(np.arange(64) % 3 == 0), (400, 1))
    first, second, similarity = similar_pairs(bits, 0.95)
    assert len(first) == 400 * 399 // 2
    assert (first < second).all()
    assert (similarity == 1).all()


def test_pairs_come_sorted() -> None:
    bits = np.packbits(np.random.default_rng(0).random((60, 64)) < 0.5, axis=1)
    first, second, _ = similar_pairs(bits, 0.4)
    assert len(first) > 10
    np.testing.assert_array_equal(np.lexsort((second, first)), np.arange(len(first)))
