"""Tokens joined are the SMILES; a random spelling is the same molecule in known tokens."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdkit import Chem, RDConfig

from molmed.chem import Molecule, read
from molmed.features.tokens import START, UNKNOWN, Tokens, TokensConfig, tokenise

HARD = {
    "CCl": ["C", "Cl"],
    "BrC": ["Br", "C"],
    "Clc1ccccc1Br": ["Cl", "c", "1", "c", "c", "c", "c", "c", "1", "Br"],
    "C%12CC%12": ["C", "%12", "C", "C", "%12"],
    "C%(123)CC%(123)": ["C", "%(123)", "C", "C", "%(123)"],
    "C[C@@H](N)O": ["C", "[C@@H]", "(", "N", ")", "O"],
    "c1c[nH+]cc[nH]1": ["c", "1", "c", "[nH+]", "c", "c", "[nH]", "1"],
    "[13CH3-].[Na+]": ["[13CH3-]", ".", "[Na+]"],
    "F/C=C\\F": ["F", "/", "C", "=", "C", "\\", "F"],
    "CCO>>CC=O": ["C", "C", "O", ">", ">", "C", "C", "=", "O"],
    "N#[N+][O-]": ["N", "#", "[N+]", "[O-]"],
    "Sc1ccccn1": ["S", "c", "1", "c", "c", "c", "c", "n", "1"],
    "[Sc]C": ["[Sc]", "C"],
    "*C": ["*", "C"],
    "[C": ["[", "C"],
    "C\nC": ["C", "\n", "C"],
    "": [],
}


@pytest.mark.parametrize("smiles", HARD)
def test_hard_cases_are_cut_between_symbols(smiles: str) -> None:
    assert tokenise(smiles) == HARD[smiles]


@given(st.text() | st.text(alphabet="CNOclBr[]()%0123456789@+-=#/\\.>"))
def test_no_character_is_lost(text: str) -> None:
    assert "".join(tokenise(text)) == text


@pytest.fixture(scope="module")
def nci() -> list[str]:
    with open(os.path.join(RDConfig.RDDataDir, "NCI", "first_5K.smi"), encoding="utf-8") as file:
        return [line.split()[0] for line in file]


def test_tokens_joined_are_the_smiles(nci: list[str]) -> None:
    assert len(nci) > 4900
    for smiles in nci:
        tokens = tokenise(smiles)
        assert "".join(tokens) == smiles
        assert not [t for t in tokens if len(t) > 1 and t[0] not in "[%" and t not in ("Cl", "Br", "@@")]


def molecules(smiles: list[str]) -> list[Molecule]:
    return [m for m in map(read, smiles) if isinstance(m, Molecule)]


def written(featurizer: Tokens, items: list[Molecule], fit_on: list[Molecule], rng: np.random.Generator) -> list[str]:
    """The SMILES that stand in the ids, "?" for an unknown token."""
    state = featurizer.fit(fit_on)
    packed = featurizer.featurize(items, state, rng)
    names = {UNKNOWN: "?", START: ""} | {i + 2: token for i, token in enumerate(state["vocabulary"])}
    starts = packed.offsets["tokens"]
    ids = packed.fields["ids"].tolist()
    return ["".join(names[i] for i in ids[starts[n] : starts[n + 1]]) for n in range(len(items))]


STEREO = ["C[C@H](N)C(=O)O", "F/C=C/Cl", "C[C@]1(F)CC[C@H](O)C1", "[2H]C(F)(Cl)Br", "C[N+](C)(C)CC(=O)[O-]",
          "C1CC2CCC1CC2", "O=C1N[C@@H](Cc2c[nH]cn2)C(=O)N1", "c1ccc2c(c1)C1CC2C2CC12"]  # fmt: skip


def test_a_random_spelling_is_the_same_molecule(nci: list[str]) -> None:
    items = molecules([*nci[::40], *STEREO])
    drawn = written(Tokens(TokensConfig(randomise=True)), items, items, np.random.default_rng(0))
    assert [Chem.CanonSmiles(s) for s in drawn] == [m.smiles for m in items]
    assert sum(s != m.smiles for s, m in zip(drawn, items, strict=True)) > 0.8 * len(items)


def test_random_spellings_of_the_training_molecules_hold_no_unknown_token() -> None:
    for smiles in STEREO:  # each alone: the vocabulary has only what one canonical SMILES shows
        items = molecules([smiles])
        rng = np.random.default_rng(1)
        for _ in range(20):
            assert "?" not in written(Tokens(TokensConfig(randomise=True)), items, items, rng)[0]


def test_spellings_are_drawn_anew_in_every_epoch() -> None:
    items = molecules(["CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O"])
    rng = np.random.default_rng(0)
    drawn = {written(Tokens(TokensConfig(randomise=True)), items, items, rng)[0] for _ in range(10)}
    assert len(drawn) > 5


def test_unknown_tokens_have_id_0_and_every_item_starts_with_1() -> None:
    featurizer = Tokens()
    state = featurizer.fit(molecules(["CCO"]))
    assert state == {"vocabulary": ["C", "O"]}
    packed = featurizer.featurize(molecules(["CCN", "C[Se]O"]), state)
    assert packed.fields["ids"].tolist() == [START, 2, 2, UNKNOWN, START, 2, UNKNOWN, 3]
    assert featurizer.dims(state) == {"n_tokens": 4}


def test_a_longer_molecule_keeps_its_first_tokens() -> None:
    featurizer = Tokens(TokensConfig(max_tokens=8))
    items = molecules(["C" * 20, "CCO"])
    packed = featurizer.featurize(items, featurizer.fit(items))
    assert packed.sizes().tolist() == [9, 4]
