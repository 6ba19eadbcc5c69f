"""Extended reduced graphs (Stiefl, Watson, Baumann & Zaliani 2006, J. Chem. Inf. Model. 46, 208) as numpy arrays."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32
from rdkit import Chem
from rdkit.Chem.rdReducedGraphs import GetErGFingerprint

FUZZ, MIN_PATH, MAX_PATH = 0.3, 1, 15
"""The paper's and RDKit's defaults, which MapLight uses: a pair also counts 0.3 at its neighbouring distances."""

N_VALUES = 315
"""21 pairs of the six pharmacophore types, each at 15 distances."""


def erg_values(mols: Sequence[Chem.Mol]) -> Float32[np.ndarray, "mols values"]:
    """How often each pair of pharmacophore points occurs at each distance of the reduced graph, fuzzily."""
    out = np.zeros((len(mols), N_VALUES), dtype=np.float32)
    for row, mol in enumerate(mols):
        out[row] = GetErGFingerprint(mol, fuzzIncrement=FUZZ, minPath=MIN_PATH, maxPath=MAX_PATH)
    return out
