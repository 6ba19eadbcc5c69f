"""Which column is what: found by name, else by content, and always said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase

from molmed.errors import InputError, nearest

_SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "structure", "mol", "molecule", "drug", "compound")
_ID_NAMES = ("id", "compound_id", "molecule_id", "mol_id", "drug_id", "cid", "name", "patient_id", "identifier")
_SAMPLE = 50


@dataclass(frozen=True)
class Guess:
    """A column and a sentence for the user that says how it was found."""

    column: str
    how: str


def named(column: str, names: Sequence[str], asked: str) -> str:
    """The column itself, if it is there.

    Raises:
        InputError: it is not; the message holds the columns and the nearest name.
    """
    if column in names:
        return column
    near = nearest(column, names)
    remedy = f"did you mean {near[0]!r}" if near else "name one of them"
    raise InputError(asked, f"no column {column!r}", "the columns " + ", ".join(names), remedy)


def guess_smiles(sample: Mapping[str, Sequence[object]]) -> Guess:
    """The structure column of a table, by name or else by content.

    Raises:
        InputError: no column holds structures.
    """
    by_name = {re.sub(r"[\s-]+", "_", name.strip().lower()): name for name in reversed(list(sample))}
    for known in _SMILES_NAMES:
        if known in by_name and _looks_like_smiles(sample[by_name[known]], least=0.2):
            return Guess(by_name[known], f"column {by_name[known]!r} taken as SMILES (by its name)")
    for name, cells in sample.items():
        if _looks_like_smiles(cells, least=0.8):
            return Guess(name, f"column {name!r} taken as SMILES (its cells parse)")
    for known in _SMILES_NAMES:
        if known in by_name:
            return Guess(by_name[known], f"column {by_name[known]!r} taken as SMILES (by its name)")
    raise InputError(
        "finding the SMILES column", "columns " + ", ".join(sample), "a column of SMILES", "name it with --smiles"
    )


def guess_id(names: Sequence[str], taken: Sequence[str]) -> Guess | None:
    """The id column by its name, or None: rows are then called by their number."""
    for known in _ID_NAMES:
        for name in names:
            if name.strip().lower() == known and name not in taken:
                return Guess(name, f"column {name!r} taken as id (by its name)")
    return None


def _looks_like_smiles(cells: Sequence[object], least: float) -> bool:
    """Whether enough of the first cells parse as SMILES and are more than bare words or numbers."""
    texts = [c.strip() for c in cells if isinstance(c, str) and c.strip()][:_SAMPLE]
    if not texts:
        return False
    with rdBase.BlockLogs():
        good = [t for t in texts if not t.isdigit() and Chem.MolFromSmiles(t.split()[0], sanitize=False) is not None]
    telling = any(len(t) > 3 and set(t) & set("=#()[]123456789cn") for t in good) or len(good) == len(texts)
    return telling and len(good) >= least * len(texts)
