"""What is written down of an atom and of a bond, scheme by scheme, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from rdkit.Chem import BondType, GetPeriodicTable, HybridizationType


class AtomKey(NamedTuple):
    """All that the features of an atom depend on; enumerations as RDKit's numbers."""

    number: int
    isotope: int
    degree: int
    hydrogens: int
    charge: int
    chiral: int
    hybridisation: int
    aromatic: int
    ring: int


class BondKey(NamedTuple):
    """All that the features of a bond depend on; enumerations as RDKit's numbers."""

    type: int
    conjugated: int
    ring: int
    stereo: int


@dataclass(frozen=True)
class Feature:
    """One property of an atom or bond and how it is written.

    Args:
        name: for the documentation.
        get: the property of an `AtomKey` or `BondKey`.
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


def mass_of(number: int, isotope: int = 0) -> float:
    """Mass / 100 of an atom, as Atom.GetMass: an isotope that the table does not know has its mass number."""
    table = GetPeriodicTable()
    exact = table.GetMassForIsotope(number, isotope) if isotope else 0.0
    return float(0.01 * (exact or float(isotope) or table.GetAtomicWeight(number)))


_HYBRID = HybridizationType
_DEGREE = Feature("degree, hydrogens included", lambda a: a.degree, tuple(range(6)))
_CHARGE = Feature("formal charge", lambda a: a.charge, (-1, -2, 1, 2, 0))
_CHIRAL = Feature("chiral tag", lambda a: a.chiral, (0, 1, 2, 3))
_HYDROGENS = Feature("hydrogens", lambda a: a.hydrogens, tuple(range(5)))
_AROMATIC = Feature("aromatic", lambda a: a.aromatic)
_MASS = Feature("mass / 100 (isotopes count)", lambda a: mass_of(a.number, a.isotope))

_V2_ATOMS = (
    Feature("atomic number, rows 1 to 4 and iodine", lambda a: a.number, (*range(1, 37), 53)),
    _DEGREE,
    _CHARGE,
    _CHIRAL,
    _HYDROGENS,
    Feature(
        "hybridisation",
        lambda a: a.hybridisation,
        (_HYBRID.S, _HYBRID.SP, _HYBRID.SP2, _HYBRID.SP2D, _HYBRID.SP3, _HYBRID.SP3D, _HYBRID.SP3D2),
    ),
    _AROMATIC,
    _MASS,
)
_ORGANIC = "chemprop 2.3.1, MultiHotAtomFeaturizer.organic"
_MOLMED_ATOMS = (
    Feature(
        "element of organic chemistry",
        lambda a: a.number,
        (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53),
        source=_ORGANIC,
    ),
    _DEGREE,
    _CHARGE,
    _CHIRAL,
    _HYDROGENS,
    Feature(
        "hybridisation",
        lambda a: a.hybridisation,
        (_HYBRID.S, _HYBRID.SP, _HYBRID.SP2, _HYBRID.SP3),
        source=_ORGANIC,
    ),
    _AROMATIC,
    Feature(
        "in a ring", lambda a: a.ring, source="Duvenaud et al. 2015 and DeepChem's atom_features; chosen, not studied"
    ),
    _MASS,
)
_BONDS = (
    Feature("no bond (always 0 here)", lambda bond: 0),
    Feature("type", lambda b: b.type, (BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE, BondType.AROMATIC), False),
    Feature("conjugated", lambda b: b.conjugated),
    Feature("in a ring", lambda b: b.ring),
    Feature("stereo", lambda b: b.stereo, tuple(range(6))),
)

SCHEMES: dict[str, tuple[tuple[Feature, ...], tuple[Feature, ...]]] = {
    "molmed": (_MOLMED_ATOMS, _BONDS[1:]),
    "chemprop_v2": (_V2_ATOMS, _BONDS),
}
"""Scheme -> (atom features, bond features), in column order."""


@cache
def columns(scheme: str) -> tuple[dict[str, slice], dict[str, slice]]:
    """Feature name -> its columns, of atoms and of bonds."""
    found = []
    for features in SCHEMES[scheme]:
        start, places = 0, {}
        for feature in features:
            places[feature.name] = slice(start, start + feature.width)
            start += feature.width
        found.append(places)
    return found[0], found[1]


NONMETALS = frozenset({0, 1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53})
"""Between these RDKit makes no dative bond of its own, so a bond's order tells its type. 0 is a dummy atom."""
