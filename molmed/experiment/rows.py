"""The front of the corridor: chunk of a table -> items per slot, with a status for every row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from molmed.chem import Molecule
from molmed.data.cells import is_missing
from molmed.data.columns import guess_id, guess_smiles, named
from molmed.data.sources import Chunk
from molmed.data.table import Table, chunks, column_names
from molmed.errors import InputError
from molmed.experiment.config import DataConfig
from molmed.features import Chosen, Featurizer, Packed, State, read_molecules
from molmed.results import Fault, Reason, Rejected, Status
from molmed.targets import Slot

MAX_IDS = 1_000_000
"""Ids are remembered for the duplicate check this far into a file, so that memory stays bounded."""


_WARNINGS = frozenset({Reason.DUPLICATE_ID, Reason.LARGE_MOLECULE})


@dataclass(frozen=True)
class Layout:
    """Which column is what in one table.

    Args:
        slots: the task's slots with their columns filled in.
        id: id column, or "" when rows are called by their number.
        said: sentences on what was guessed, for the user.
    """

    slots: tuple[Slot, ...]
    id: str = ""
    standardise: bool = True
    said: tuple[str, ...] = ()

    @property
    def structure(self) -> Slot | None:
        """The first slot that holds one molecule a row, if any."""
        return next((s for s in self.slots if s.subject == "molecule" and s.cardinality == "one"), None)


def lay_out(table: Table, slots: Sequence[Slot], config: DataConfig) -> Layout:
    """Find the columns of a table, by what the user says and else by guess.

    Raises:
        InputError: a named column is not there, or no column can be taken for a slot.
    """
    names = column_names(table)
    sample = next(chunks(table, 200), None)
    cells: dict[str, list[object]] = sample.columns if sample is not None else {n: [] for n in names}
    said: list[str] = []
    found: dict[str, tuple[str, ...]] = {}
    for slot in slots:
        if slot.subject == "molecule":
            found[slot.name] = (_structure_column(slot, names, cells, config, said),)
    for column in (*config.targets, config.fold):
        if column:
            named(column, names, "finding the target and fold columns")
    used = {c for columns in found.values() for c in columns} | {*config.targets, config.fold}
    if config.id:
        id = named(config.id, names, "finding the id column")
    else:
        guess = guess_id(names, tuple(used))
        id = guess.column if guess else ""
        said += [guess.how] if guess else []
    for slot in slots:
        if slot.subject == "columns":
            wanted = slot.columns or config.columns or tuple(n for n in names if n not in used | {id})
            found[slot.name] = tuple(named(c, names, f"finding the columns of slot {slot.name!r}") for c in wanted)
            if not found[slot.name]:
                raise InputError(f"filling slot {slot.name!r}", "no column left", "at least one", "name data.columns")
    filled = tuple(Slot(s.name, s.subject, s.cardinality, found[s.name]) for s in slots)
    return Layout(filled, id, config.standardise, tuple(said))


def _structure_column(
    slot: Slot, names: Sequence[str], cells: Mapping[str, Sequence[object]], config: DataConfig, said: list[str]
) -> str:
    wanted = slot.columns[0] if slot.columns else config.smiles
    if wanted:
        return named(wanted, names, "finding the SMILES column")
    if not any(len(c) for c in cells.values()) and "smiles" in names:
        return "smiles"
    guess = guess_smiles(cells)
    said.append(guess.how)
    return guess.column


@dataclass
class Prepared:
    """One chunk after reading. Lists have one entry per row; `items` only the rows in `ok`.

    Args:
        rows: int64, numbers of the rows in the file.
        given: the structure cell as text, "" without a structure slot.
        parent: SMILES of the standardised parent where it is another structure than the given one, else "".
        step: the room or step that rejected the row, "" for the others.
        ok: positions (in this chunk) of the rows that go on.
        items: slot name -> one item per position in `ok`.
        packed: the arrays of the structure slot's items, where they were made in reading it.
    """

    rows: np.ndarray
    ids: list[str]
    given: list[str]
    parent: list[str]
    status: list[Status]
    reason: list[Reason]
    detail: list[str]
    step: list[str]
    ok: list[int] = field(default_factory=list)
    items: dict[str, list[Any]] = field(default_factory=dict)
    packed: Packed | Chosen | None = None

    def note(self, position: int, reason: Reason, detail: str) -> None:
        """Say something of a row that goes on: the first warning is its reason, else the first note."""
        warning = reason in _WARNINGS
        if not self.reason[position] or (warning and self.status[position] == Status.OK):
            self.reason[position] = reason
        if warning:
            self.status[position] = Status.WARNED
        self.detail[position] = "; ".join(filter(None, (self.detail[position], detail)))

    def reject(self, positions: Sequence[int], faults: Sequence[Fault | None]) -> None:
        """Mark the rows at these positions that have a fault, and take them and their items out."""
        bad = {p: f for p, f in zip(positions, faults, strict=True) if f is not None}
        for position, fault in bad.items():
            self.status[position] = Status.REJECTED
            self.reason[position], self.detail[position] = fault.reason, fault.detail
            self.step[position] = fault.step
        keep = [i for i, position in enumerate(self.ok) if position not in bad]
        if self.packed is not None and len(keep) < len(self.ok):
            self.packed = self.packed.take(keep)
        self.items = {name: [items[i] for i in keep] for name, items in self.items.items()}
        self.ok = [self.ok[i] for i in keep]

    def rejected(self) -> list[Rejected]:
        """The rejected rows with their address."""
        return [
            Rejected(int(self.rows[i]), self.ids[i], self.step[i], self.reason[i], self.detail[i])
            for i, status in enumerate(self.status)
            if status == Status.REJECTED
        ]


@dataclass(frozen=True)
class Reading:
    """How the structures of a model's only slot become arrays while they are read."""

    featurizer: Featurizer
    state: State


def repeated(chunk: Chunk, layout: Layout, seen_ids: set[str]) -> list[int]:
    """Positions of the rows whose id an earlier row has; `seen_ids` carries the check over chunks."""
    found = []
    for i, name in enumerate(_own_ids(chunk, layout) if layout.id else ()):
        if name in seen_ids:
            found.append(i)
        elif name and len(seen_ids) < MAX_IDS:
            seen_ids.add(name)
    return found


ReadAll = Callable[[Sequence[object]], list[Molecule | Fault]]
"""Cells of structures -> a molecule or a fault for each."""


def prepare(
    chunk: Chunk,
    layout: Layout,
    repeats: Sequence[int] = (),
    reading: Reading | None = None,
    read_all: ReadAll | None = None,
) -> Prepared:
    """Read every slot of every row. No row is dropped; `repeats` are the positions that `repeated` has found.

    Args:
        reading: what makes arrays of structures while they are read.
        read_all: another way to read them, in place of parsing.
    """
    n = chunk.n
    numbers = np.arange(chunk.start, chunk.start + n, dtype=np.int64)
    ids = [name or str(number) for name, number in zip(_own_ids(chunk, layout), numbers.tolist(), strict=True)]
    out = Prepared(numbers, ids, [""] * n, [""] * n, [Status.OK] * n, [Reason.NONE] * n, [""] * n, [""] * n)
    faults: list[Fault | None] = [None] * n
    for r in chunk.rejected:
        faults[r.row - chunk.start] = Fault(r.step, r.reason, r.detail)
    items: dict[str, list[Any]] = {}
    packed = None
    for slot in layout.slots:
        if slot.subject == "molecule":
            items[slot.name], packed = _read_molecules(chunk, slot, layout, faults, out, reading, read_all)
        else:
            columns = [chunk.columns[c] for c in slot.columns]
            items[slot.name] = list(zip(*columns, strict=True))
    for i in repeats:
        out.note(i, Reason.DUPLICATE_ID, "an earlier row has the same id")
    out.ok, out.items = list(range(n)), items
    out.reject(range(n), faults)
    out.packed = packed
    return out


def _read_molecules(
    chunk: Chunk,
    slot: Slot,
    layout: Layout,
    faults: list[Fault | None],
    out: Prepared,
    reading: Reading | None,
    read_all: ReadAll | None,
) -> tuple[list[Any], Packed | Chosen | None]:
    cells = chunk.columns[slot.columns[0]]
    out.given = [cell if isinstance(cell, str) else "" for cell in cells]
    readable = [i for i, fault in enumerate(faults) if fault is None]
    chosen = [cells[i] for i in readable]
    featurizer, state = (None, {}) if reading is None else (reading.featurizer, reading.state)
    if read_all is not None:
        found, packed = read_all(chosen), None
    else:
        found, packed = read_molecules(chosen, layout.standardise, featurizer, state)
    items: list[Any] = [None] * chunk.n
    for i, molecule in zip(readable, found, strict=True):
        items[i] = molecule
        if isinstance(molecule, Fault):
            faults[i] = molecule
            continue
        if molecule.changed:
            out.parent[i] = molecule.text
        if Reason.LARGE_MOLECULE in molecule.notes:
            out.note(i, Reason.LARGE_MOLECULE, f"{molecule.mol.GetNumHeavyAtoms()} heavy atoms")
        if Reason.SALT_STRIPPED in molecule.notes:
            removed = " ".join(molecule.stripped)
            out.note(i, Reason.SALT_STRIPPED, f"parent {molecule.text}, removed {removed}")
    return items, packed


def _own_ids(chunk: Chunk, layout: Layout) -> list[str]:
    """The cells of the id column as text; "" where there is none."""
    cells = chunk.columns.get(layout.id, [None] * chunk.n) if layout.id else [None] * chunk.n
    return ["" if is_missing(c) else str(c).strip() for c in cells]
