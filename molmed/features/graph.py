"""Molecular graph: multi-hot atom and bond features, every bond as two directed edges."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float32, Int16
from rdkit.Chem import Atom, Bond, BondType

from molmed.chem import Molecule
from molmed.chem.collector import without_collector
from molmed.chem.protonation import Neutral
from molmed.features import _cuik
from molmed.features._contract import Featurizer, FromText, State
from molmed.features._graph_schemes import NONMETALS, SCHEMES, AtomKey, BondKey, Feature
from molmed.features._packed import Packed
from molmed.tunable import Choice

_ISOTOPE = re.compile(r"\[\d")
_TWICE_ORDER = {2: BondType.SINGLE, 4: BondType.DOUBLE, 6: BondType.TRIPLE, 3: BondType.AROMATIC}
_MOLECULES = 32
"""Worked on at once: few enough for their atoms to stay in the processor's cache, as RDKit's objects are large."""


@dataclass(frozen=True)
class GraphConfig:
    """`scheme`: which atom and bond features; "chemprop_v2" equals chemprop 2.3.1's default bit for bit."""

    scheme: Annotated[str, Choice(("molmed", "chemprop_v2"))] = "molmed"


class Graph(Featurizer):
    """Molecule -> atoms, directed bonds (2i and 2i + 1 are bond i both ways), in RDKit's order."""

    Config = GraphConfig
    version = "2"
    subject = "molecule"
    kind = "graph"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed graphs."""
        with without_collector():
            parts = [_Part.of(items[i : i + _MOLECULES]) for i in range(0, len(items), _MOLECULES)] or [_Part.of([])]
        n_atoms = np.concatenate([p.n_atoms for p in parts])
        n_bonds = 2 * np.concatenate([p.n_bonds for p in parts])
        atom_features, bond_features = SCHEMES[self.config.scheme]
        atoms = _written(np.concatenate([p.atoms for p in parts]), AtomKey, atom_features)
        bonds = _written(np.concatenate([p.bonds for p in parts]), BondKey, bond_features)
        edges = np.concatenate([p.ends for p in parts])
        offsets = {"atoms": _offsets(n_atoms), "bonds": _offsets(n_bonds)}
        local = np.arange(offsets["bonds"][-1], dtype=np.int64) - np.repeat(offsets["bonds"][:-1], n_bonds)
        fields = {
            "atom_features": atoms,
            "bond_features": np.repeat(bonds, 2, axis=0),
            "source": edges.reshape(-1),
            "target": edges[:, ::-1].reshape(-1),
            "reverse": (local ^ 1).astype(np.int32),
        }
        return Packed("graph", fields, offsets, len(items))

    def from_text(self, texts: Sequence[Neutral], gate: bool) -> FromText | None:
        """The graphs of SMILES, where cuik-molmaker is installed."""
        if _cuik.library() is None:
            return None
        return _cuik.read(texts, self.config.scheme, gate=gate)

    def dims(self, state: State) -> dict[str, int]:
        """{"atom_dim", "bond_dim"} of the scheme."""
        atoms, bonds = SCHEMES[self.config.scheme]
        return {"atom_dim": sum(f.width for f in atoms), "bond_dim": sum(f.width for f in bonds)}


@dataclass(frozen=True)
class _Part:
    """The properties of some molecules' atoms and bonds, as numbers.

    Args:
        atoms, bonds: int16, one row each, columns of `AtomKey` and `BondKey`.
        ends: int32 (bonds, 2), local to the molecule.
    """

    atoms: np.ndarray
    bonds: np.ndarray
    ends: np.ndarray
    n_atoms: np.ndarray
    n_bonds: np.ndarray

    @classmethod
    def of(cls, items: Sequence[Molecule]) -> "_Part":
        """Read RDKit's molecules.

        Every property is one call into C++ per atom or bond, which is most of the cost. So what the bonds imply for
        their atoms is not asked for, nor what the SMILES shows to be at its default everywhere; a call that gives an
        enumeration costs twice one that gives a number.
        """
        atoms: list[Atom] = []
        bonds: list[Bond] = []
        n_atoms = np.empty(len(items), dtype=np.int64)
        n_bonds = np.empty(len(items), dtype=np.int64)
        for i, item in enumerate(items):
            mol = item.mol
            n_atoms[i], n_bonds[i] = mol.GetNumAtoms(), mol.GetNumBonds()
            atoms.extend(map(mol.GetAtomWithIdx, range(n_atoms[i])))
            bonds.extend(map(mol.GetBondWithIdx, range(n_bonds[i])))
        text = "".join([item.text for item in items])
        chiral, isotope = "@" in text, _ISOTOPE.search(text) is not None
        key = np.zeros((len(atoms), len(AtomKey._fields)), dtype=np.int16)
        key[:, 0] = _asked(Atom.GetAtomicNum, atoms)
        key[:, 1] = _asked(Atom.GetIsotope, atoms) if isotope else 0
        key[:, 3] = _asked(Atom.GetTotalNumHs, atoms)
        key[:, 4] = _asked(Atom.GetFormalCharge, atoms)  # without brackets too: RDKit makes N(=O)=O a charged nitro
        key[:, 5] = _asked(Atom.GetChiralTag, atoms) if chiral else 0
        key[:, 6] = _asked(Atom.GetHybridization, atoms)
        dative = ">" in text or not NONMETALS.issuperset(np.unique(key[:, 0]).tolist())
        bond = np.zeros((len(bonds), len(BondKey._fields)), dtype=np.int16)
        bond[:, 0] = _asked(Bond.GetBondType, bonds) if dative else _types(bonds)
        bond[:, 1] = _asked(Bond.GetIsConjugated, bonds)
        bond[:, 2] = _asked(Bond.IsInRing, bonds)
        bond[:, 3] = _asked(Bond.GetStereo, bonds) if "/" in text or "\\" in text else 0
        ends = np.empty((len(bonds), 2), dtype=np.int32)
        ends[:, 0] = _asked(Bond.GetBeginAtomIdx, bonds)
        ends[:, 1] = _asked(Bond.GetEndAtomIdx, bonds)
        at = ends + np.repeat(np.cumsum(n_atoms) - n_atoms, n_bonds)[:, None]
        key[:, 2] = key[:, 3] + np.bincount(at.reshape(-1), minlength=len(atoms))
        key[at[bond[:, 0] == int(BondType.AROMATIC)].reshape(-1), 7] = 1
        key[at[bond[:, 2] == 1].reshape(-1), 8] = 1
        return cls(key, bond, ends, n_atoms, n_bonds)


def _asked(get: Callable[[Any], Any], things: Sequence[Any]) -> np.ndarray:
    return np.fromiter(map(get, things), dtype=np.int64, count=len(things))


def _types(bonds: Sequence[Bond]) -> np.ndarray:
    twice = 2 * np.fromiter(map(Bond.GetBondTypeAsDouble, bonds), dtype=np.float64, count=len(bonds))
    return _TYPE_OF_TWICE_ORDER[twice.astype(np.int64)]


_TYPE_OF_TWICE_ORDER = np.zeros(16, dtype=np.int64)
for _twice, _type in _TWICE_ORDER.items():
    _TYPE_OF_TWICE_ORDER[_twice] = int(_type)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _written(
    keys: Int16[np.ndarray, "things properties"], kind: Callable[..., Any], features: tuple[Feature, ...]
) -> Float32[np.ndarray, "things width"]:
    """The features of every key; each distinct key is written once."""
    if len(keys) == 0:
        return np.zeros((0, sum(f.width for f in features)), dtype=np.float32)
    lows = keys.min(axis=0).astype(np.int64)
    spans = keys.max(axis=0).astype(np.int64) - lows + 1
    code = (keys - lows) @ np.concatenate([[1], np.cumprod(spans[:-1])])
    distinct, first, which = np.unique(code, return_index=True, return_inverse=True)
    rows = np.zeros((len(distinct), sum(f.width for f in features)), dtype=np.float32)
    for row, key in zip(rows, keys[first].tolist(), strict=True):
        named, start = kind(*key), 0
        for feature in features:
            feature.write(feature.get(named), row[start : start + feature.width])
            start += feature.width
    return rows[which]


ENTRY = Graph
