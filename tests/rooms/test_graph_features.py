"""Every documented atom and bond feature on a molecule made for it; the `chemprop_v2` scheme is chemprop's."""

import os
import warnings
from typing import Any

import numpy as np
import pytest
from rdkit import Chem, RDConfig

from molmed.chem import Molecule, read
from molmed.features import Packed
from molmed.features.graph import SCHEMES, Feature, Graph, GraphConfig


def featurise(smiles: str, scheme: str = "molmed") -> Packed:
    molecule = read(smiles, standardise=False)
    assert isinstance(molecule, Molecule)
    return Graph(GraphConfig(scheme)).featurize([molecule], {})


def columns(features: tuple[Feature, ...], start: str) -> slice:
    """Where the feature whose name begins so is written."""
    at = 0
    for feature in features:
        if feature.name.startswith(start):
            return slice(at, at + feature.width)
        at += feature.width
    raise AssertionError(f"no feature {start!r}")


def atom(smiles: str, position: int, name: str, scheme: str = "molmed") -> list[float]:
    return featurise(smiles, scheme).fields["atom_features"][position, columns(SCHEMES[scheme][0], name)].tolist()


def bond(smiles: str, position: int, name: str, scheme: str = "molmed") -> list[float]:
    return featurise(smiles, scheme).fields["bond_features"][2 * position, columns(SCHEMES[scheme][1], name)].tolist()


def one_hot(position: int | None, width: int) -> list[float]:
    return [float(i == position) for i in range(width)]


ELEMENTS = {"molmed": (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53), "chemprop_v2": (*range(1, 37), 53)}
ELEMENT = {"molmed": "element", "chemprop_v2": "atomic number"}
schemes = pytest.mark.parametrize("scheme", SCHEMES)


@schemes
def test_the_element_or_one_column_for_all_others(scheme: str) -> None:
    known = ELEMENTS[scheme]
    for position, number in enumerate(known):
        assert atom(f"[#{number}]", 0, ELEMENT[scheme], scheme) == one_hot(position, len(known) + 1)
    assert atom("[U]", 0, ELEMENT[scheme], scheme) == one_hot(len(known), len(known) + 1)
    assert atom("*", 0, ELEMENT[scheme], scheme) == one_hot(len(known), len(known) + 1)


@schemes
@pytest.mark.parametrize(
    ("smiles", "position", "name", "hot", "width"),
    [
        ("[Na+]", 0, "degree", 0, 7),
        ("C", 0, "degree", 4, 7),  # hydrogens count
        ("C#C", 0, "degree", 2, 7),
        ("FS(F)(F)(F)(F)F", 1, "degree", 6, 7),  # the last column: more than five
        ("C[O-]", 1, "formal charge", 0, 6),
        ("[O-2]", 0, "formal charge", 1, 6),
        ("C[NH3+]", 1, "formal charge", 2, 6),
        ("[Fe+2]", 0, "formal charge", 3, 6),
        ("C", 0, "formal charge", 4, 6),
        ("[Al+3]", 0, "formal charge", 5, 6),
        ("CC(F)Cl", 1, "chiral tag", 0, 5),
        ("C[C@@H](F)Cl", 1, "chiral tag", 1, 5),
        ("C[C@H](F)Cl", 1, "chiral tag", 2, 5),
        ("[Na+]", 0, "hydrogens", 0, 6),
        ("C=C", 0, "hydrogens", 2, 6),
        ("C", 0, "hydrogens", 4, 6),
    ],
)
def test_a_choice_has_its_own_column(scheme: str, smiles: str, position: int, name: str, hot: int, width: int) -> None:
    assert atom(smiles, position, name, scheme) == one_hot(hot, width)


@pytest.mark.parametrize(
    ("smiles", "position", "molmed", "chemprop"),
    [
        ("[Na+]", 0, 0, 0),  # S
        ("C#C", 0, 1, 1),  # SP
        ("C=C", 0, 2, 2),  # SP2
        ("CC", 0, 3, 4),  # SP3
        ("FP(F)(F)(F)F", 1, 4, 5),  # SP3D
        ("FS(F)(F)(F)(F)F", 1, 4, 6),  # SP3D2
        ("*", 0, 4, 7),  # unknown
    ],
)
def test_hybridisation(smiles: str, position: int, molmed: int, chemprop: int) -> None:
    assert atom(smiles, position, "hybridisation", "molmed") == one_hot(molmed, 5)
    assert atom(smiles, position, "hybridisation", "chemprop_v2") == one_hot(chemprop, 8)


@schemes
def test_numbers_and_switches_of_an_atom(scheme: str) -> None:
    assert atom("c1ccccc1C", 0, "aromatic", scheme) == [1]
    assert atom("c1ccccc1C", 6, "aromatic", scheme) == [0]
    assert atom("C", 0, "mass", scheme) == pytest.approx([0.12011])
    assert atom("[13CH4]", 0, "mass", scheme) == pytest.approx([0.13003], abs=1e-5)
    assert atom("[2H]C", 0, "mass", scheme) == pytest.approx([0.02014], abs=1e-5)


def test_only_our_own_scheme_says_whether_an_atom_is_in_a_ring() -> None:
    assert atom("C1CC1C", 0, "in a ring") == [1]
    assert atom("C1CC1C", 3, "in a ring") == [0]
    assert "in a ring" not in [f.name for f in SCHEMES["chemprop_v2"][0]]


@schemes
def test_bond_features(scheme: str) -> None:
    for position, smiles in enumerate(("CC", "C=C", "C#C")):
        assert bond(smiles, 0, "type", scheme) == one_hot(position, 4)
    assert bond("c1ccccc1", 0, "type", scheme) == one_hot(3, 4)
    assert bond("N->B", 0, "type", scheme) == one_hot(None, 4)  # a dative bond has no column
    assert bond("C=CC=C", 1, "conjugated", scheme) == [1]
    assert bond("CCCC", 1, "conjugated", scheme) == [0]
    assert bond("C1CC1C", 0, "in a ring", scheme) == [1]
    assert bond("C1CC1C", 2, "in a ring", scheme) == [0]
    assert bond("FC=CF", 1, "stereo", scheme) == one_hot(0, 7)
    assert bond(r"F/C=C\F", 1, "stereo", scheme) == one_hot(2, 7)
    assert bond("F/C=C/F", 1, "stereo", scheme) == one_hot(3, 7)


def test_the_null_bond_column_is_chemprops_only() -> None:
    assert bond("CC", 0, "no bond", "chemprop_v2") == [0]
    assert not [f for f in SCHEMES["molmed"][1] if f.name.startswith("no bond")]


@schemes
def test_every_feature_is_covered_above_and_names_its_source(scheme: str) -> None:
    atoms, bonds = SCHEMES[scheme]
    shared = ("degree", "formal charge", "chiral tag", "hydrogens", "hybridisation", "aromatic", "in a ring", "mass")
    tested = (ELEMENT[scheme], *shared)
    assert not [f.name for f in atoms if not f.name.startswith(tested)]
    assert not [
        f.name for f in bonds if not f.name.startswith(("no bond", "type", "conjugated", "in a ring", "stereo"))
    ]
    assert all(f.source for f in (*atoms, *bonds))


def test_every_bond_stands_twice_beside_itself() -> None:
    fields = featurise("CC(=O)O").fields
    assert fields["source"].tolist() == [0, 1, 1, 2, 1, 3]
    assert fields["target"].tolist() == [1, 0, 2, 1, 3, 1]
    assert fields["reverse"].tolist() == [1, 0, 3, 2, 5, 4]
    np.testing.assert_array_equal(fields["bond_features"][0::2], fields["bond_features"][1::2])


def test_an_atom_without_bonds_is_a_graph() -> None:
    packed = featurise("[Na+]")
    assert packed.fields["atom_features"].shape[0] == 1
    assert packed.fields["bond_features"].shape == (0, Graph().dims({})["bond_dim"])


def test_a_salt_has_the_graph_of_its_parent() -> None:
    salt, parent = read("C[C@H](N)C(=O)[O-].[Na+]"), read("C[C@H](N)C(=O)O")
    assert isinstance(salt, Molecule)
    assert isinstance(parent, Molecule)
    left, right = Graph().featurize([salt], {}), Graph().featurize([parent], {})
    for name in left.fields:
        np.testing.assert_array_equal(left.fields[name], right.fields[name])


@pytest.fixture(scope="module")
def chemprop() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what other packages warn of while they load is not ours
        from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer

        return SimpleMoleculeMolGraphFeaturizer()


HARD = (
    *("[U]", "[Fe+2]", "[Al+3]", "[13CH4]", "*CC", "N->B", "c1ccsc1", "CCl.[Na+]", "FS(F)(F)(F)(F)F"),
    *("C[C@H](F)Cl", "C[C@@H](F)Cl", "C[P@](=O)(O)F", "F/C=C/F", r"F/C=C\F", "FC=CF"),
)


def test_chemprops_scheme_is_chemprops_exactly(chemprop: Any) -> None:
    with open(os.path.join(RDConfig.RDDataDir, "NCI", "first_5K.smi"), encoding="utf-8") as file:
        smiles = [line.split()[0] for line in file][::12] + list(HARD)
    items = [m for m in (read(s, standardise=False) for s in smiles) if isinstance(m, Molecule)]
    assert len(items) > 400
    packed = Graph(GraphConfig("chemprop_v2")).featurize(items, {})
    for i, item in enumerate(items):
        theirs = chemprop(Chem.MolFromSmiles(item.given.split()[0]))
        ours = packed.take([i]).fields
        np.testing.assert_array_equal(ours["atom_features"], theirs.V.astype(np.float32), err_msg=item.given)
        np.testing.assert_array_equal(ours["bond_features"], theirs.E.astype(np.float32), err_msg=item.given)
        np.testing.assert_array_equal(np.stack([ours["source"], ours["target"]]), theirs.edge_index, err_msg=item.given)
        np.testing.assert_array_equal(ours["reverse"], theirs.rev_edge_index, err_msg=item.given)
