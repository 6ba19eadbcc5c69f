"""Items of every subject, for the contract tests of shelves that read them."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from molmed.chem import Molecule, read


def _molecules() -> list[Any]:
    smiles = (
        "CCO",
        "c1ccccc1C(=O)NC",
        "C[C@H](N)C(=O)O",
        "C",  # one atom, no bond
        "F/C=C/Cl",
        "O=S(=O)(Nc1nccs1)c1ccc(Oc2ccccc2C#N)cc1",
        "OB(O)c1ccc(Br)cc1I",
        "CC(C)(C)c1ccc2[nH]c(=O)c3ccccc3c2c1",
        "C[N+](C)(C)CC(=O)[O-]",
        "CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCC(=O)O",  # far longer than the others
        "[2H]C([2H])([2H])S(=O)C",
        "N#Cc1ccncc1",
    )
    made = [read(s) for s in smiles]
    assert all(isinstance(m, Molecule) for m in made)
    return made


def _columns() -> list[Any]:
    numbers = (0.5, -1.25, 3.0, None, 7.5, 0.0, 2.25, -4.0, 1.5, 6.0, None, -2.0)
    texts = ("a", "b", "c", "a", None, "b", "c", "a", "b", "c", "a", "")
    return [[number, text, float(row**2)] for row, (number, text) in enumerate(zip(numbers, texts, strict=True))]


def _codes() -> list[Any]:
    return [
        ["I10"],
        ["E11.9", "I10"],
        [],  # a visit without a code
        ["J45", "E11.9", "N18.3"],
        ["N18.3"],
        ["J45", "I10"],
        ["E11.9"],
        ["C50", "J45"],
        ["C50", "I10", "E11.9", "J45", "N18.3"],
        ["C50"],
        ["N18.3", "C50"],
        ["I10", "N18.3"],
    ]


# subject -> at least 8 different items, some of them unlike the others in size. A new subject needs one entry.
ITEMS: dict[str, Callable[[], Sequence[Any]]] = {"molecule": _molecules, "columns": _columns, "codes": _codes}


@pytest.fixture(scope="session")
def items_of() -> Callable[[str], Sequence[Any]]:
    """Subject -> items a featurizer of that subject reads."""
    made: dict[str, Sequence[Any]] = {}

    def get(subject: str) -> Sequence[Any]:
        assert subject in ITEMS, f"no items of subject {subject!r}: add an entry to ITEMS in {__file__}"
        if subject not in made:
            made[subject] = ITEMS[subject]()
        return made[subject]

    return get
