"""Which column is what: found by name, else by content, and always said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase

from molmed.data.cells import number
from molmed.errors import InputError, nearest

# in the form of `plain`
SMILES_NAMES = ("smiles", "canonical_smiles", "isomeric_smiles", "structure", "mol", "molecule", "drug", "compound")
ID_NAMES = ("id", "compound_id", "molecule_id", "mol_id", "drug_id", "cid", "name", "patient_id", "identifier")
_SAMPLE = 50
_NAMED = 16
"""Columns named in a message before it only counts them."""

SAMPLE = 20
"""Records looked at to tell a header from a row."""


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
    remedy = f"did you mean {near[0]!r}?" if near else "name one of them"
    raise InputError(asked, f"no column {column!r}", f"the columns {_listed(names)}", remedy)


def _listed(names: Sequence[str]) -> str:
    """The names, or of very many the first."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def guess_smiles(sample: Mapping[str, Sequence[object]]) -> Guess:
    """The structure column of a table, by name or else by content.

    Raises:
        InputError: no column holds structures.
    """
    by_name = {plain(name): name for name in reversed(list(sample))}
    for known in SMILES_NAMES:
        if known in by_name and _share(sample[by_name[known]]) >= 0.2:
            return _by_name(by_name[known])
    share = {name: _share(cells) for name, cells in sample.items()}
    # a column of "C", "N" and "O" parses as well, so one with bonds, rings or branches is preferred
    telling = [n for n in sample if any(set(str(c)) & set("=#()[]123456789") for c in sample[n] if is_smiles(c))]
    for name, least in (*((n, 0.8) for n in telling), *((n, 1.0) for n in sample)):
        if share[name] >= least:
            return Guess(name, f"column {name!r} taken as SMILES (its cells parse)")
    for known in SMILES_NAMES:
        if known in by_name:
            return _by_name(by_name[known])
    remedy = "name it with --smiles, or name the task with --task if its rows are no molecules"
    raise InputError("finding the SMILES column", f"columns {_listed(list(sample))}", "a column of SMILES", remedy)


def guess_id(names: Sequence[str], taken: Sequence[str]) -> Guess | None:
    """The id column by its name, or None: rows are then called by their number."""
    by_name = {plain(name): name for name in reversed(list(names)) if name not in taken}
    for known in ID_NAMES:
        if known in by_name:
            return Guess(by_name[known], f"column {by_name[known]!r} taken as id (by its name)")
    return None


def plain(name: str) -> str:
    """A column name in lower case with "_" for blanks and dashes."""
    return re.sub(r"[\s-]+", "_", name.strip().lower())


def is_smiles(cell: object) -> bool:
    """Whether the first word of a cell can be parsed; chemistry is not checked."""
    words = cell.split(None, 1) if isinstance(cell, str) else []
    if not words or not words[0].isascii() or words[0].isdigit():
        return False
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(words[0], sanitize=False) is not None


def _share(cells: Sequence[object]) -> float:
    """The share of SMILES among the first cells of text; 0 without any."""
    texts = [c for c in cells if isinstance(c, str) and c.strip()][:_SAMPLE]
    return sum(map(is_smiles, texts)) / len(texts) if texts else 0.0


def _by_name(column: str) -> Guess:
    return Guess(column, f"column {column!r} taken as SMILES (by its name)")


_BOND = re.compile(r"[A-Za-z0-9)\]][=#][A-Za-z(\[]|\(=")
"""A double or triple bond between atoms."""


def is_header(cells: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first record of a file names its columns, given some of those below it, as wide as it is.

    It does unless it holds a number, or a SMILES above SMILES, or what can only be a SMILES; a usual name of a
    structure or id column settles it.
    """
    if {plain(c) for c in cells} & {*SMILES_NAMES, *ID_NAMES}:
        return True
    if any(number(c) is not None for c in cells) or not any(cells):
        return False
    for position, cell in enumerate(cells):
        below = [row[position] for row in rows if row[position].strip()]
        if is_smiles(cell) and 2 * sum(map(is_smiles, below)) >= len(below):
            return False
        if " " not in cell and _BOND.search(cell):
            return False
    return True


def unique(cells: Sequence[str]) -> tuple[str, ...]:
    """Names as they are; an empty one is called by its position, a repeated one gets .1, .2 (as in pandas)."""
    names: list[str] = []
    for position, cell in enumerate(cells):
        name = cell or str(position)
        count = 0
        while name in names:
            count += 1
            name = f"{cell or position}.{count}"
        names.append(name)
    return tuple(names)
