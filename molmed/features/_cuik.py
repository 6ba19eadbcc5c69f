"""Graphs straight from SMILES, in C++ by cuik-molmaker: a batch at a time, no Python object per molecule or atom.

The library (extra `fast`) links the very RDKit that is installed, so its arrays are those of `Graph.featurize`; tests
compare them. Three things keep it from doing harm (cuik-molmaker-pin 2026.3.5):
- a text that is no SMILES ends the process with a segmentation fault: every text is parsed without chemistry first,
  which takes a fifth of the time of a whole parse;
- one molecule with an impossible valence raises for the whole batch: the batch is then parsed in Python to find it;
- masses differ in the last bit, and dative bonds count as aromatic: masses come from our own table, and only
  molecules of the non-metals, between which RDKit makes no dative bond, are taken.
"""

import re
from collections.abc import Sequence
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64
from rdkit import Chem, rdBase

from molmed.chem.protonation import Neutral
from molmed.features._contract import FromText
from molmed.features._graph_schemes import NONMETALS, SCHEMES, Feature, columns, mass_of
from molmed.features._packed import Packed

_TEXTS = 128
"""Texts a call: the arrays of more do not stay in the processor's cache (41 us a molecule of 16 atoms, 57 at 5,000)."""

_NAMES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "molmed": (
        (
            "atomic-number-organic",
            "total-degree",
            "formal-charge",
            "chirality",
            "num-hydrogens",
            "hybridization-organic",
        ),
        ("aromatic", "in-ring", "mass"),
        ("bond-type-onehot", "conjugated", "in-ring", "stereo"),
    ),
    "chemprop_v2": (
        (
            "atomic-number-common",
            "total-degree",
            "formal-charge",
            "chirality",
            "num-hydrogens",
            "hybridization-expanded",
        ),
        ("aromatic", "mass"),
        ("is-null", "bond-type-onehot", "conjugated", "in-ring", "stereo"),
    ),
}
"""Scheme -> the library's names of our columns: one-hot atom features, atom numbers, bond features."""


@cache
def library() -> ModuleType | None:
    """The compiled part of the library, or None where it is not installed or was built for another RDKit.

    It is loaded by itself: the package around it also loads scipy.stats for its descriptors, which takes 0.45 s.
    """
    try:
        if version("cuik-molmaker-pin") != version("rdkit"):
            return None
    except PackageNotFoundError:
        return None
    package = find_spec("cuik_molmaker")
    folders = (package.submodule_search_locations or ()) if package is not None else ()
    name = "cuik_molmaker_cpp"
    for path in (Path(folder) / f"{name}{suffix}" for folder in folders for suffix in EXTENSION_SUFFIXES):
        if path.is_file():
            loader = ExtensionFileLoader(name, str(path))
            spec = spec_from_loader(name, loader)
            assert spec is not None
            try:
                made = module_from_spec(spec)
                loader.exec_module(made)
            except ImportError:  # a system library is too old or missing
                return None
            return made
    return None


def read(neutrals: Sequence[Neutral], scheme: str, *, gate: bool) -> FromText:
    """Parse and featurise the texts that can be accepted; see `Featurizer.from_text`."""
    texts = [n.smiles for n in neutrals]
    well_formed = _well_formed(texts)
    packs, parsed = [], np.zeros(len(texts), dtype=bool)
    for start in range(0, len(well_formed), _TEXTS):
        chosen = well_formed[start : start + _TEXTS]
        good, pack = _call([texts[i] for i in chosen], scheme)
        parsed[np.asarray(chosen, dtype=np.int64)[good]] = True
        packs.append(pack)
    packed = _pack(packs, scheme)
    item = np.where(parsed, np.cumsum(parsed) - 1, -1)
    kept = _plain(packed, scheme, gate)
    hydrogens = [(item[i], atom, n) for i, text in enumerate(neutrals) if parsed[i] for atom, n in text.hydrogens]
    asked = np.asarray(hydrogens, dtype=np.int64).reshape(-1, 3)
    row = packed.offsets["atoms"][asked[:, 0]] + asked[:, 1]
    has = packed.fields["atom_features"][row, columns(scheme)[0]["hydrogens"].start + asked[:, 2]] == 1
    kept[asked[~has, 0]] = False
    item[parsed] = np.where(kept, item[parsed], -1)
    return FromText(packed, item)


def _well_formed(texts: Sequence[str]) -> list[int]:
    found = []
    with rdBase.BlockLogs():
        for i, text in enumerate(texts):
            if _FOREIGN.search(text):
                continue
            mol = Chem.MolFromSmiles(text, sanitize=False)
            if mol is not None and mol.GetNumAtoms():
                found.append(i)
    return found


_FOREIGN = re.compile(r"\[\d|>")
"""Isotopes, whose masses differ, and dative bonds."""


def _call(texts: list[str], scheme: str) -> tuple[Bool[np.ndarray, " texts"], list[np.ndarray]]:
    """(which texts could be sanitised, the library's arrays of those)."""
    try:
        return np.ones(len(texts), dtype=bool), _arrays(texts, scheme)
    except RuntimeError:  # some molecule of the batch; the library does not say which
        with rdBase.BlockLogs():
            good = np.asarray([Chem.MolFromSmiles(text) is not None for text in texts], dtype=bool)
        return good, _arrays([text for text, ok in zip(texts, good, strict=True) if ok], scheme)


def _arrays(texts: list[str], scheme: str) -> list[np.ndarray]:
    made: list[np.ndarray] = library().batch_mol_featurizer(texts, *_codes(scheme), False, False, True, False)  # type: ignore[union-attr]
    return [*made, np.asarray([len(texts)])]


@cache
def _codes(scheme: str) -> tuple[Any, Any, Any]:
    cuik: Any = library()
    onehot, numbers, bonds = _NAMES[scheme]
    return (
        cuik.atom_onehot_feature_names_to_array(list(onehot)),
        cuik.atom_float_feature_names_to_array(list(numbers)),
        cuik.bond_feature_names_to_array(list(bonds)),
    )


def _pack(parts: Sequence[Sequence[np.ndarray]], scheme: str) -> Packed:
    """One pack of the library's batches; it counts positions over a batch, we within a molecule."""
    n_atoms, n_bonds, source, target, reverse = [], [], [], [], []
    for atoms, _, edges, back, owner, (n,) in parts:
        sizes = np.bincount(owner, minlength=n)
        atom_starts = np.cumsum(sizes) - sizes
        bond_owner = owner[edges[0]]
        bonds = np.bincount(bond_owner, minlength=n)
        n_atoms.append(sizes)
        n_bonds.append(bonds)
        source.append(edges[0] - atom_starts[bond_owner])
        target.append(edges[1] - atom_starts[bond_owner])
        reverse.append(back - (np.cumsum(bonds) - bonds)[bond_owner])
        assert len(owner) == len(atoms)
    atom_dim, bond_dim = (sum(f.width for f in features) for features in SCHEMES[scheme])
    atom_features = np.concatenate([np.zeros((0, atom_dim), dtype=np.float32), *(p[0] for p in parts)])
    element = columns(scheme)[0][_element(scheme).name]
    mass = columns(scheme)[0]["mass / 100 (isotopes count)"].start
    # not by a matrix product: for one so small BLAS wakes its threads, which then wait in a loop (35 us a molecule)
    np.einsum("ae,e->a", atom_features[:, element], _masses(scheme), out=atom_features[:, mass])
    fields = {
        "atom_features": atom_features,
        "bond_features": np.concatenate([np.zeros((0, bond_dim), dtype=np.float32), *(p[1] for p in parts)]),
        "source": _joined(source).astype(np.int32),
        "target": _joined(target).astype(np.int32),
        "reverse": _joined(reverse).astype(np.int32),
    }
    offsets = {"atoms": _offsets(_joined(n_atoms)), "bonds": _offsets(_joined(n_bonds))}
    return Packed("graph", fields, offsets, len(offsets["atoms"]) - 1)


def _joined(parts: Sequence[np.ndarray]) -> Int64[np.ndarray, " rows"]:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)


def _offsets(sizes: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _element(scheme: str) -> Feature:
    return SCHEMES[scheme][0][0]


@cache
def _masses(scheme: str) -> np.ndarray:
    """Mass / 100 of each element column, float32; 0 for the column of all other elements."""
    known = [np.float32(mass_of(number)) for number in _element(scheme).choices]
    return np.asarray([*known, 0], dtype=np.float32)


def _plain(packed: Packed, scheme: str, gate: bool) -> Bool[np.ndarray, " items"]:
    """Which molecules hold non-metals only and, with `gate`, nothing that a step of the standardisation acts on.

    The same conditions as the query of `molmed.chem.standardise.unchanged`, on the arrays.
    """
    x, e = packed.fields["atom_features"], packed.fields["bond_features"]
    atom_at, bond_at = columns(scheme)
    choices = _element(scheme).choices
    element = x[:, atom_at[_element(scheme).name]]
    foreign = [i for i, number in enumerate(choices) if number not in NONMETALS] + [len(choices)]
    bad = element[:, foreign].any(axis=1)
    owner = np.repeat(np.arange(packed.n), np.diff(packed.offsets["atoms"]))
    if gate:
        is_n, is_o, is_p, is_s = (element[:, choices.index(number)] == 1 for number in (7, 8, 15, 16))
        charge = x[:, atom_at["formal charge"]]
        neutral, plus, minus = charge[:, 4] == 1, charge[:, 2] == 1, charge[:, 0] == 1
        degree3 = x[:, atom_at["degree, hydrogens included"]][:, 3] == 1
        bond_owner = np.repeat(np.arange(packed.n), np.diff(packed.offsets["bonds"]))
        first = packed.offsets["atoms"][bond_owner]
        source, target = packed.fields["source"] + first, packed.fields["target"] + first
        kind = e[:, bond_at["type"]] == 1
        single, double, triple = kind[:, 0], kind[:, 1], kind[:, 2]
        n_double = np.bincount(source[double], minlength=len(x))
        n_triple = np.bincount(source[triple], minlength=len(x))
        oxo = np.bincount(source[double & is_o[target]], minlength=len(x)) > 0
        oxide = np.bincount(source[single & (is_o & minus)[target]], minlength=len(x)) == 1  # nitrate has two
        nitro = is_n & plus & degree3 & oxo & oxide
        of_nitro = np.bincount(target[nitro[source]], minlength=len(x)) > 0
        bad |= ~neutral & ~nitro & ~(is_o & minus & of_nitro)
        bad |= (is_n | is_p) & (n_double > 1)
        bad |= is_n & (n_double > 0) & ((n_triple > 0) | (x[:, atom_at["aromatic"]][:, 0] == 1))
        bad |= is_s & degree3 & oxo
    return np.bincount(owner[bad], minlength=packed.n) == 0
