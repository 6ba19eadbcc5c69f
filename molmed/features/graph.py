"""Molecular graph: multi-hot atom and bond features, every bond as two directed edges."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from rdkit.Chem import Atom, Bond, BondType, HybridizationType

from molmed.chem import Molecule
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.tunable import Choice


@dataclass(frozen=True)
class Feature:
    """One property of an atom or bond and how it is written.

    Args:
        name: for the documentation.
        get: the property of an RDKit atom or bond.
        choices: one-hot over these values; empty = the number itself, one column.
        unknown: whether one more column stands for any other value (else such a value leaves zeros).
        source: where this feature comes from.
    """

    name: str
    get: Callable[[Any], Any]
    choices: tuple[Any, ...] = ()
    unknown: bool = True
    source: str = "chemprop 2.3.1, MultiHotAtomFeaturizer / MultiHotBondFeaturizer (Heid et al. 2024)"

    @property
    def width(self) -> int:
        return len(self.choices) + self.unknown if self.choices else 1

    def write(self, value: Any, row: np.ndarray) -> None:
        """Write a value into this feature's columns of a zero row."""
        if not self.choices:
            row[0] = value
        elif value in self.choices:
            row[self.choices.index(value)] = 1
        elif self.unknown:
            row[len(self.choices)] = 1


_HYBRID = HybridizationType
_DEGREE = Feature("degree, hydrogens included", Atom.GetTotalDegree, tuple(range(6)))
_CHARGE = Feature("formal charge", Atom.GetFormalCharge, (-1, -2, 1, 2, 0))
_CHIRAL = Feature("chiral tag", Atom.GetChiralTag, (0, 1, 2, 3))
_HYDROGENS = Feature("hydrogens", Atom.GetTotalNumHs, tuple(range(5)))
_AROMATIC = Feature("aromatic", Atom.GetIsAromatic)


def _mass(atom: Atom) -> float:
    return 0.01 * atom.GetMass()


_MASS = Feature("mass / 100 (isotopes count)", _mass)

_V2_ATOMS = (
    Feature("atomic number, rows 1 to 4 and iodine", Atom.GetAtomicNum, (*range(1, 37), 53)),
    _DEGREE,
    _CHARGE,
    _CHIRAL,
    _HYDROGENS,
    Feature(
        "hybridisation",
        Atom.GetHybridization,
        (_HYBRID.S, _HYBRID.SP, _HYBRID.SP2, _HYBRID.SP2D, _HYBRID.SP3, _HYBRID.SP3D, _HYBRID.SP3D2),
    ),
    _AROMATIC,
    _MASS,
)
_MOLMED_ATOMS = (
    Feature("element of organic chemistry", Atom.GetAtomicNum, (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53)),
    _DEGREE,
    _CHARGE,
    _CHIRAL,
    _HYDROGENS,
    Feature("hybridisation", Atom.GetHybridization, (_HYBRID.S, _HYBRID.SP, _HYBRID.SP2, _HYBRID.SP3)),
    _AROMATIC,
    Feature(
        "in a ring", Atom.IsInRing, source="Duvenaud et al. 2015 and DeepChem's atom_features; chosen, not studied"
    ),
    _MASS,
)
_BONDS = (
    Feature("no bond (always 0 here)", lambda bond: 0),
    Feature("type", Bond.GetBondType, (BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE, BondType.AROMATIC), False),
    Feature("conjugated", Bond.GetIsConjugated),
    Feature("in a ring", Bond.IsInRing),
    Feature("stereo", Bond.GetStereo, tuple(range(6))),
)

SCHEMES: dict[str, tuple[tuple[Feature, ...], tuple[Feature, ...]]] = {
    "molmed": (_MOLMED_ATOMS, _BONDS[1:]),
    "chemprop_v2": (_V2_ATOMS, _BONDS),
}
"""Scheme -> (atom features, bond features), in column order."""


class _Table:
    """Rows of feature vectors by the tuple of property values: few distinct ones occur, so each is written once."""

    def __init__(self, features: tuple[Feature, ...]) -> None:
        self.features = features
        self.getters = tuple(f.get for f in features)
        self.width = sum(f.width for f in features)
        self.index: dict[tuple[Any, ...], int] = {}
        self.rows: list[np.ndarray] = []

    def codes(self, things: Sequence[Any]) -> list[int]:
        """The row number of each atom or bond."""
        index, getters, out = self.index, self.getters, []
        for thing in things:
            key = tuple([get(thing) for get in getters])
            code = index.get(key)
            out.append(self._add(key) if code is None else code)
        return out

    def _add(self, key: tuple[Any, ...]) -> int:
        row = np.zeros(self.width, dtype=np.float32)
        start = 0
        for feature, value in zip(self.features, key, strict=True):
            feature.write(value, row[start : start + feature.width])
            start += feature.width
        self.rows.append(row)
        self.index[key] = len(self.rows) - 1
        return len(self.rows) - 1

    def take(self, codes: Sequence[int]) -> np.ndarray:
        """float32 (len(codes), width)."""
        if not codes:
            return np.zeros((0, self.width), dtype=np.float32)
        return np.stack(self.rows)[np.asarray(codes)]


@dataclass(frozen=True)
class GraphConfig:
    """`scheme`: which atom and bond features; "chemprop_v2" equals chemprop 2.3.1's default bit for bit."""

    scheme: Annotated[str, Choice(("molmed", "chemprop_v2"))] = "molmed"


class Graph(Featurizer):
    """Molecule -> atoms, directed bonds (2i and 2i + 1 are bond i both ways), in RDKit's order."""

    Config = GraphConfig
    version = "1"
    subject = "molecule"
    kind = "graph"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed graphs; what is cached within a call does not outlive it."""
        atom_features, bond_features = SCHEMES[self.config.scheme]
        atoms, bonds = _Table(atom_features), _Table(bond_features)
        atom_codes: list[int] = []
        bond_codes: list[int] = []
        ends: list[tuple[int, int]] = []
        n_atoms, n_directed = [0], [0]
        for item in items:
            mol_bonds = list(item.mol.GetBonds())
            atom_codes += atoms.codes(list(item.mol.GetAtoms()))
            bond_codes += bonds.codes(mol_bonds)
            ends += [(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in mol_bonds]
            n_atoms.append(item.mol.GetNumAtoms())
            n_directed.append(2 * len(mol_bonds))
        edges = np.asarray(ends, dtype=np.int32).reshape(-1, 2)
        bond_offsets = np.cumsum(n_directed, dtype=np.int64)
        local = np.arange(bond_offsets[-1], dtype=np.int64) - np.repeat(bond_offsets[:-1], np.diff(bond_offsets))
        fields = {
            "atom_features": atoms.take(atom_codes),
            "bond_features": np.repeat(bonds.take(bond_codes), 2, axis=0),
            "source": edges.reshape(-1),
            "target": edges[:, ::-1].reshape(-1),
            "reverse": (local ^ 1).astype(np.int32),
        }
        offsets = {"atoms": np.cumsum(n_atoms, dtype=np.int64), "bonds": bond_offsets}
        return Packed("graph", fields, offsets, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"atom_dim", "bond_dim"} of the scheme."""
        atoms, bonds = SCHEMES[self.config.scheme]
        return {"atom_dim": sum(f.width for f in atoms), "bond_dim": sum(f.width for f in bonds)}


ENTRY = Graph
