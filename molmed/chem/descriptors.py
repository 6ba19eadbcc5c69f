"""RDKit's 2-D descriptors as a numpy array; what cannot be computed is nan."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from math import log10
from typing import Any

import numpy as np
from jaxtyping import Float32
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, Graphs, rdPartialCharges
from rdkit.ML.InfoTheory.rdInfoTheory import InfoEntropy

NAMES: tuple[str, ...] = tuple(name for name, _ in Descriptors.descList)
"""RDKit's own list in its own order; another RDKit may have another one."""

PHYSCHEM: tuple[str, ...] = (
    "MolWt",
    "HeavyAtomCount",
    "MolLogP",
    "MolMR",
    "TPSA",
    "LabuteASA",
    "NumHDonors",
    "NumHAcceptors",
    "NumRotatableBonds",
    "NumHeteroatoms",
    "NumValenceElectrons",
    "FractionCSP3",
    "RingCount",
    "NumAromaticRings",
    "NumAliphaticRings",
    "NumHeterocycles",
    "NumSpiroAtoms",
    "NumBridgeheadAtoms",
    "NumAtomStereoCenters",
    "NumAmideBonds",
)
"""Size, lipophilicity, polarity, hydrogen bonds, flexibility and ring content: what the rules of Lipinski 1997 and
Veber 2002 count, with Fsp3 (Lovering 2009) and aromatic rings (Ritchie & Macdonald 2009). Chosen; all are quick."""

SLOW: tuple[str, ...] = (
    "qed",
    "SPS",
    "BertzCT",
    "Ipc",
    "AvgIpc",
    *(f"BCUT2D_{of}{end}" for of in ("MW", "CHG", "LOGP", "MR") for end in ("HI", "LOW" if of != "CHG" else "LO")),
)
"""What takes half of the time of all of them."""

MAX_IPC_ATOMS = 65
"""Ipc and AvgIpc are nan for larger molecules: there rounding has eaten the characteristic polynomial. Against exact
integers, over 80 PubChem molecules, RDKit's AvgIpc is off by at most 1e-12 up to 67 atoms, 3e-5 up to 71, 4 % up to 75
and 80 % from 84, and it depends on the order of the atoms there."""

_CHARGES = {"MaxPartialCharge", "MinPartialCharge", "MaxAbsPartialCharge", "MinAbsPartialCharge"} | {
    f"PEOE_VSA{i}" for i in range(1, 15)
}
"""nan where an atom has no Gasteiger charge (Se, Pt, a dummy): RDKit puts such atoms into the last bin, and takes the
largest and smallest of the others or nan, whichever atom comes first."""

_FAILURES = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)
"""What RDKit's descriptors raise for a molecule they were not made for; CalcMolDescriptors catches everything."""


class _Structure:
    """A copy of a molecule with what several descriptors share."""

    def __init__(self, mol: Chem.Mol) -> None:
        self.mol = Chem.Mol(mol)

    @cached_property
    def polynomial(self) -> np.ndarray:
        """Absolute coefficients of the adjacency matrix's characteristic polynomial, as RDKit's Ipc takes them."""
        if self.mol.GetNumAtoms() > MAX_IPC_ATOMS:
            return np.full(1, np.nan)
        bonded = np.equal(Chem.GetDistanceMatrix(self.mol), 1).astype(np.float64)
        return np.abs(Graphs.CharacteristicPolynomial(self.mol, bonded))

    @cached_property
    def information(self) -> float:
        """AvgIpc, after which Ipc is a product."""
        coefficients = self.polynomial
        return float(InfoEntropy(coefficients)) if len(coefficients) > 1 else float("nan")

    @cached_property
    def charged(self) -> bool:
        """Whether every atom has a Gasteiger charge."""
        rdPartialCharges.ComputeGasteigerCharges(self.mol)
        return all(np.isfinite(atom.GetDoubleProp("_GasteigerCharge")) for atom in self.mol.GetAtoms())


def _log_ipc(structure: _Structure) -> float:
    return log10(1 + float(structure.polynomial.sum()) * structure.information)


def _plain(function: Callable[[Chem.Mol], float]) -> Callable[[_Structure], float]:
    return lambda structure: function(structure.mol)


def _shared(function: Callable[..., float]) -> Callable[[_Structure], float]:
    """RDKit computes its E-state indices anew for each of four descriptors unless told not to."""
    return lambda structure: function(structure.mol, force=False)


def _of_charges(function: Callable[[Chem.Mol], float]) -> Callable[[_Structure], float]:
    return lambda structure: function(structure.mol) if structure.charged else float("nan")


@cache
def _functions() -> Mapping[str, Callable[[_Structure], float]]:
    known: dict[str, Any] = dict(Descriptors.descList)
    found = {name: (_of_charges if name in _CHARGES else _plain)(f) for name, f in known.items()}
    for name in ("MaxEStateIndex", "MinEStateIndex", "MaxAbsEStateIndex", "MinAbsEStateIndex"):
        found[name] = _shared(known[name])
    found["AvgIpc"] = lambda structure: structure.information
    found["Ipc"] = _log_ipc
    return found


def descriptors(mols: Sequence[Chem.Mol], names: Sequence[str] = NAMES) -> Float32[np.ndarray, "mols names"]:
    """The named descriptors, RDKit's values but for:

    - Ipc is log10(1 + Ipc): it grows with the power of the size (4e35 in the NCI library) and would overflow;
    - nan for what RDKit cannot compute, what float32 cannot hold, and see `MAX_IPC_ATOMS` and `_CHARGES`.

    Raises:
        KeyError: a name that is not in `NAMES`.
    """
    functions = [_functions()[name] for name in names]
    out = np.full((len(mols), len(names)), np.nan)
    with rdBase.BlockLogs(), np.errstate(all="ignore"):
        for row, mol in enumerate(mols):
            structure = _Structure(mol)
            for column, function in enumerate(functions):
                try:
                    out[row, column] = function(structure)
                except _FAILURES:
                    continue
    out[~(np.abs(out) <= np.finfo(np.float32).max)] = np.nan
    return out.astype(np.float32)
