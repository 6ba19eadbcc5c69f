"""Avalon count fingerprints (Gedeck, Rohde & Bartels 2006, J. Chem. Inf. Model. 46, 1924) as numpy arrays."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from rdkit import Chem, DataStructs, rdBase
from rdkit.Avalon.pyAvalonTools import GetAvalonCountFP


def avalon_counts(mols: Sequence[Chem.Mol], n_bits: int = 1024) -> Float32[np.ndarray, "mols bits"]:
    """How often each hashed feature (atoms, bonds, paths, rings of 16 classes) occurs."""
    out = np.zeros((len(mols), n_bits), dtype=np.float32)
    row = np.zeros(n_bits, dtype=np.float32)
    with rdBase.BlockLogs():
        for number, mol in enumerate(mols):
            DataStructs.ConvertToNumpyArray(GetAvalonCountFP(mol, nBits=n_bits), row)
            out[number] = row
    return out
