"""Morgan fingerprints (Rogers & Hahn 2010, J. Chem. Inf. Model. 50, 742) as numpy arrays."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator


@cache
def _generator(radius: int, n_bits: int) -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)


def morgan_bits(mols: Sequence[Chem.Mol], radius: int = 2, n_bits: int = 2048) -> UInt8[np.ndarray, "mols bytes"]:
    """Bit fingerprints in `numpy.packbits` order: bit b is bit 7 - b % 8 of byte b // 8."""
    out = np.zeros((len(mols), n_bits), dtype=np.uint8)
    generator = _generator(radius, n_bits)
    for row, mol in enumerate(mols):
        out[row] = generator.GetFingerprintAsNumPy(mol)
    return np.packbits(out, axis=1)


def morgan_counts(mols: Sequence[Chem.Mol], radius: int = 2, n_bits: int = 2048) -> Float32[np.ndarray, "mols bits"]:
    """How often each hashed environment occurs."""
    out = np.zeros((len(mols), n_bits), dtype=np.float32)
    generator = _generator(radius, n_bits)
    for row, mol in enumerate(mols):
        out[row] = generator.GetCountFingerprintAsNumPy(mol)
    return out
