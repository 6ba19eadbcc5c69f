"""Does this installation featurise as the one that trained the model did?"""

import hashlib
from typing import Any

from molmed.chem import Molecule, read
from molmed.features._contract import Featurizer, State

_SMILES = (
    "C",
    "CCO",
    "c1ccccc1-c1ccncc1",
    "C[N+](C)(C)CC(=O)[O-]",
    "C[C@H](N)C(=O)O",
    "F/C=C/Cl",
    "[2H]C([2H])([2H])S(=O)C",
    "O=c1[nH]c2ccccc2s1",
    "[Fe+2]",
    "OB(O)c1ccc(Br)cc1I",
    "CP(=O)(O)OC#N",
    "O=S(=O)(Nc1nccs1)c1ccc(Oc2ccccc2C#N)cc1",
)
"""Charges, stereo, isotopes, a metal, hetero-aromatics, one atom: what could be featurised differently."""


def digest(featurizer: Featurizer, state: State) -> str:
    """SHA-256 over the packed arrays of fixed probe items; equal digests mean equal features."""
    packed = featurizer.featurize(_items(featurizer, state), state)
    total = hashlib.sha256()
    for name, array in sorted({**packed.fields, **packed.offsets}.items()):
        total.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        total.update(array.tobytes())
    return total.hexdigest()


def _items(featurizer: Featurizer, state: State) -> list[Any]:
    if featurizer.subject == "molecule":
        molecules = [read(smiles, standardise=False) for smiles in _SMILES]
        return [m for m in molecules if isinstance(m, Molecule)]
    if featurizer.subject == "columns":
        values = [0.5 if c["kind"] == "number" else c["categories"][0] for c in state["columns"]]
        return [values, [None] * len(values)]
    return [state["vocabulary"][:3], ["a code that no vocabulary holds"], []]
