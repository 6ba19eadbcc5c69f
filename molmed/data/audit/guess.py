"""Which column of an audited table is what: named by the user, else by its name, else by its content; always said."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from molmed.data.cells import is_missing, numbers
from molmed.data.columns import guess_id, guess_smiles, named, plain
from molmed.data.table import Table, chunks, column_names
from molmed.errors import InputError

LABEL_WORDS = frozenset(
    {
        *("y", "label", "target", "class", "activity", "active", "outcome", "response", "value"),
        *("exp", "expt", "experimental", "measured"),
        *("pic50", "pec50", "pki", "pkd", "pact", "ic50", "ec50", "ki", "kd"),
    }
)
"""A column of numbers with one of these among the words of its name is taken as a target."""

RELATIONS = ("relation", "standard_relation", "operator", "qualifier", "modifier", "prefix")
UNITS = ("unit", "units", "standard_units", "standard_unit")

_SAMPLE = 10_000


@dataclass(frozen=True)
class Layout:
    """The columns of one table; "" = none.

    Args:
        targets: what is measured.
        relation: says of each row whether the value is a limit (">").
        units: says of each row in which unit the value is.
        columns: all others, in a table without structures.
        said: how they were found.
    """

    smiles: str = ""
    id: str = ""
    fold: str = ""
    relation: str = ""
    units: str = ""
    targets: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def lay_out(
    table: Table, *, smiles: str = "", id: str = "", targets: Sequence[str] = (), fold: str = "", name: str = ""
) -> Layout:
    """Find the columns of a table. A table in which no column holds structures has none.

    Args:
        name: of the file, for the sentences.

    Raises:
        InputError: the file cannot be read, or a named column is not there.
    """
    names = column_names(table)
    first = next(chunks(table, _SAMPLE), None)
    sample: Mapping[str, list[object]] = first.columns if first is not None else {n: [] for n in names}
    asked = f"auditing {name}" if name else "auditing a table"
    for column in (*targets, fold, smiles, id):
        if column:
            named(column, names, asked)
    said: list[str] = []
    if not smiles:
        smiles = _structures(sample, (*targets, fold), said)
    if not id:
        guess = guess_id(names, (smiles, fold, *targets))
        id = guess.column if guess else ""
        said += [guess.how] if guess else []
    found = Layout(smiles, id, fold, targets=tuple(targets))
    rest = [n for n in names if n not in (smiles, id, fold, *targets)]
    relation = next((n for n in rest if plain(n) in RELATIONS), "")
    units = next((n for n in rest if plain(n) in UNITS), "")
    rest = [n for n in rest if n not in (relation, units)]
    if not targets:
        chosen = _targets({n: sample[n] for n in rest}, said)
        found = replace(found, targets=chosen)
        rest = [n for n in rest if n not in chosen]
    return replace(found, relation=relation, units=units, columns=() if smiles else tuple(rest), said=tuple(said))


def _structures(sample: Mapping[str, list[object]], taken: Sequence[str], said: list[str]) -> str:
    free = {n: cells[:200] for n, cells in sample.items() if n not in taken}
    try:
        guess = guess_smiles(free)
    except InputError:
        said.append("no column of structures found: rows are compared by their cells")
        return ""
    said.append(guess.how)
    return guess.column


def _targets(sample: Mapping[str, list[object]], said: list[str]) -> tuple[str, ...]:
    """Columns of numbers that are taken as measured."""
    found = {n: values for n, cells in sample.items() if (values := _numbers(cells)) is not None}
    if not found:
        return ()
    binary = [n for n, values in found.items() if np.isin(values, (0, 1)).all()]
    telling = [n for n in found if LABEL_WORDS & set(re.split(r"[^a-z0-9]+", n.lower()))]
    if len(binary) == len(found) or len(found) == 1:
        chosen = list(found)
    elif telling:
        chosen = telling
    else:
        listed = ", ".join(list(found)[:5]) + (", ..." if len(found) > 5 else "")
        said.append(f"several columns of numbers ({listed}): none is taken as measured; name some with --target")
        return ()
    listed = ", ".join(map(repr, chosen[:5])) + (f" and {len(chosen) - 5} more" if len(chosen) > 5 else "")
    said.append(f"{'column' if len(chosen) == 1 else 'columns'} {listed} taken as measured")
    return tuple(chosen)


def _numbers(cells: Sequence[object]) -> np.ndarray | None:
    """The known numbers of a column, if it is one of numbers and does not merely count the rows."""
    values, wrong = numbers(cells)
    known = values[~np.isnan(values)]
    texts = sum(not is_missing(cells[i]) for i in np.flatnonzero(wrong).tolist())
    if len(known) == 0 or texts > 0.2 * (len(known) + texts):
        return None
    counts = len(known) > 2 and np.array_equal(known, known[0] + np.arange(len(known)))
    # an identifier: whole numbers, no two of them equal
    whole = len(known) > 20 and bool((known == np.round(known)).all()) and len(np.unique(known)) == len(known)
    return None if counts or whole else known
