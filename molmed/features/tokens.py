"""SMILES tokens by a fitted vocabulary; randomised SMILES as augmentation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from rdkit import Chem

from molmed.chem import Molecule
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.tunable import Int

# One token per bracket atom, two-letter halogen, ring-closure label or symbol: the granularity of Schwaller et
# al. 2019 (ACS Cent. Sci. 5, 1572). The last alternative takes any other character, so that joining the tokens
# always gives the string back.
_TOKEN = re.compile(r"\[[^\]]*\]|Br|Cl|%\d{2}|%\(\d+\)|@@|.", re.DOTALL)

UNKNOWN, START = 0, 1
_SPECIAL = 2


def tokenise(smiles: str) -> list[str]:
    """The tokens of a SMILES; joined they are the SMILES."""
    return _TOKEN.findall(smiles)


@dataclass(frozen=True)
class TokensConfig:
    """Settings of the tokenizer.

    Args:
        max_tokens: longer molecules keep their first tokens. 512 cuts no drug-like molecule (ZINC 250k's
            longest is far below); attention grows with its square.
        randomise: draw a random SMILES of each training molecule anew every epoch (Bjerrum 2017,
            arXiv:1703.07076; Arus-Pous et al. 2019).
    """

    max_tokens: Annotated[int, Int(8, 8192)] = 512
    randomise: bool = False


class Tokens(Featurizer):
    """Molecule -> ids of its canonical SMILES' tokens after a start token; unknown tokens get id 0."""

    Config = TokensConfig
    version = "1"
    subject = "molecule"
    kind = "tokens"

    def fit(self, items: Sequence[Molecule]) -> State:
        """The vocabulary: the distinct tokens of the training items, sorted."""
        found = {token for item in items for token in tokenise(item.smiles)}
        if self.randomises():  # other spellings bring bonds, rings and hands that the canonical ones lack
            found |= set("()=#-/\\123456789") | {_other_hand(token) for token in found}
        return {"vocabulary": sorted(found)}

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        """Packed token ids; with `rng` and `randomise`, of a random spelling of each molecule."""
        index = {token: i + _SPECIAL for i, token in enumerate(state["vocabulary"])}
        random = rng if self.randomises() else None
        rows = [
            [START, *(index.get(t, UNKNOWN) for t in tokenise(_spelling(item, random))[: self.config.max_tokens])]
            for item in items
        ]
        ids = np.asarray([i for row in rows for i in row], dtype=np.int32)
        return Packed("tokens", {"ids": ids}, {"tokens": np.cumsum([0, *map(len, rows)], dtype=np.int64)}, len(items))

    def dims(self, state: State) -> dict[str, int]:
        """{"n_tokens"}: ids in use, the special ones included."""
        return {"n_tokens": len(state["vocabulary"]) + _SPECIAL}

    def randomises(self) -> bool:
        """Whether `Config.randomise` is set."""
        return bool(self.config.randomise)


def _other_hand(token: str) -> str:
    return token.replace("@@", "@") if "@@" in token else token.replace("@", "@@")


def _spelling(item: Molecule, rng: np.random.Generator | None) -> str:
    if rng is None:
        return item.smiles
    order = rng.permutation(item.mol.GetNumAtoms()).tolist()
    return str(Chem.MolToSmiles(Chem.RenumberAtoms(item.mol, order), canonical=False))


ENTRY = Tokens
