"""Rows ready to learn from: items, labels, and everything that was rejected on the way."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from molmed.chem import Molecule
from molmed.data import labels
from molmed.data.repeats import merge
from molmed.data.splits import Subjects
from molmed.data.table import Table, chunks
from molmed.errors import InputError
from molmed.experiment import build
from molmed.experiment.config import Config
from molmed.experiment.rows import Layout, Prepared, ReadAll, lay_out, prepare, repeated
from molmed.experiment.workers import spread
from molmed.features.store import Kept, Store
from molmed.results import Fault, Reason, Rejected
from molmed.targets import Target


@dataclass(frozen=True)
class Dataset:
    """The rows of one table that can be learnt from, one per structure, in file order.

    Args:
        layout: which column was what.
        items: slot name -> one item per row.
        y: labels in the targets' units, nan = unknown.
        rows: their numbers in the file.
        structures: standardised SMILES ("" without a structure slot).
        folds: fold names of the user, or empty.
        rejected: every row of the file that is not here, with the reason.
        n_read: rows of the file.
        kept: the molecules in a store, where the configuration names one.
    """

    layout: Layout
    targets: tuple[Target, ...]
    items: dict[str, list[Any]]
    y: Float[np.ndarray, "rows targets"]
    rows: np.ndarray
    ids: list[str]
    structures: list[str]
    folds: list[str]
    rejected: tuple[Rejected, ...]
    n_read: int
    kept: Kept | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def subjects(self) -> Subjects:
        """What a split may look at."""
        slot = self.layout.structure
        if slot is None:
            return Subjects(len(self), [], self.y[:, 0], self.folds)
        known = {m.smiles: m for m in self.items[slot.name]}
        return Subjects(len(self), self.structures, self.y[:, 0], self.folds, lambda s: known[s].scaffold)

    def take(self, rows: np.ndarray) -> "Dataset":
        """The rows at these positions, in that order."""
        return replace(
            self,
            items={name: [items[i] for i in rows] for name, items in self.items.items()},
            y=self.y[rows],
            rows=self.rows[rows],
            ids=[self.ids[i] for i in rows],
            structures=[self.structures[i] for i in rows],
            folds=[self.folds[i] for i in rows] if self.folds else [],
        )

    def rejected_frame(self) -> pd.DataFrame:
        """The rejected rows as a table: row, id, step, reason, detail."""
        columns = {
            name: [str(getattr(r, name)) if name != "row" else r.row for r in self.rejected]
            for name in ("row", "id", "step", "reason", "detail")
        }
        return pd.DataFrame(columns).astype({"row": "int64"})


def read_dataset(table: Table, config: Config) -> Dataset:
    """Read, standardise, parse the labels, reject what cannot be used, and merge repeated structures.

    Where the configuration names a store, structures that it holds are not read again. A chunk of the table is an
    entry of its own there, so a table that has grown is read from the chunk that has changed.

    Raises:
        InputError: no row is left, the message counts the reasons; or the store cannot be used.
    """
    targets = build.targets(config)
    layout = lay_out(table, build.task(config).slots, config.data)
    store = Store(config.data.store) if config.data.store and layout.structure else None
    run = spread(config.data.jobs)
    known: list[Molecule] = []
    read_all: ReadAll | None = None
    if store is not None:

        def read_all(cells: Sequence[object]) -> list[Molecule | Fault]:
            found = store.molecules(cells, layout.standardise, run)
            known.extend(m for m in found if isinstance(m, Molecule))
            return found

    parts: list[Prepared] = []
    values: list[np.ndarray] = []
    folds: list[str] = []
    seen: set[str] = set()
    rejected: list[Rejected] = []
    n_read = 0
    for chunk in chunks(table):
        part = prepare(chunk, layout, repeated(chunk, layout, seen), read_all=read_all)
        n_read += chunk.n
        y = _labels(chunk.columns, part, targets)
        folds += [str(chunk.columns[config.data.fold][i]) for i in part.ok] if config.data.fold else []
        values.append(y)
        parts.append(part)
        rejected += part.rejected()
    y = np.concatenate(values) if values else np.empty((0, len(targets)))
    rows = np.concatenate([p.rows[p.ok] for p in parts]) if parts else np.empty(0, dtype=np.int64)
    ids = [p.ids[i] for p in parts for i in p.ok]
    items = {slot.name: [item for p in parts for item in p.items[slot.name]] for slot in layout.slots}
    structures = [m.smiles for m in items[layout.structure.name]] if layout.structure else [""] * len(rows)
    if len(rows) == 0:
        raise InputError("reading the training rows", _in_words(n_read, rejected), "at least one usable row")
    kept = None if store is None else Kept(store, known, run)
    whole = Dataset(layout, targets, items, y, rows, ids, structures, folds, tuple(rejected), n_read, kept)
    readable = _readable(whole, config)
    return _merged(readable) if layout.structure and len(layout.slots) == 1 else readable


def _readable(data: Dataset, config: Config) -> Dataset:
    """Without the rows that hold a cell of another kind than the rest of its column.

    Which kind a column is of is looked up over all rows; whatever else is learnt from them is not kept.
    """
    faults: list[Fault | None] = [None] * len(data)
    for name, reader in build.readers(config).items():
        for _, featurizer in reader.featurizers:
            if featurizer.subject != "molecule":
                found = featurizer.unreadable(data.items[name], featurizer.fit(data.items[name]))
                faults = [a or b for a, b in zip(faults, found, strict=True)]
    if not any(faults):
        return data
    good = np.asarray([i for i, fault in enumerate(faults) if fault is None], dtype=np.int64)
    bad = [f.at(int(data.rows[i]), data.ids[i]) for i, f in enumerate(faults) if f is not None]
    rejected = tuple(sorted((*data.rejected, *bad), key=lambda r: r.row))
    if len(good) == 0:
        raise InputError("reading the training rows", _in_words(data.n_read, rejected), "at least one usable row")
    return replace(data.take(good), rejected=rejected)


def _labels(columns: dict[str, list[object]], part: Prepared, targets: Sequence[Target]) -> np.ndarray:
    """Labels of the rows that go on; rows without any, or with one that cannot be read, are rejected."""
    n = len(part.ids)
    y = np.full((n, len(targets)), np.nan)
    faults: list[Fault | None] = [None] * n
    for position, target in enumerate(targets):
        y[:, position], wrong = labels.parse(columns[target.name], target.kind, target.name)
        faults = [a or b for a, b in zip(faults, wrong, strict=True)]
    none = Fault("label", Reason.TARGET_MISSING, "no target of this row is known")
    faults = [f or (none if np.isnan(y[i]).all() else None) for i, f in enumerate(faults)]
    ok = list(part.ok)
    part.reject(ok, [faults[i] for i in ok])
    return y[part.ok]


def _merged(data: Dataset) -> Dataset:
    """One row per structure; the merged rows are listed with the row they went into."""
    done = merge(data.structures, data.y, data.targets, data.rows)
    faults = [
        Rejected(int(data.rows[i]), data.ids[i], f.step, f.reason, f.detail) for i, f in sorted(done.faults.items())
    ]
    kept = data.take(done.kept)
    rejected = tuple(sorted((*data.rejected, *faults), key=lambda r: r.row))
    if len(kept) == 0:
        raise InputError("reading the training rows", _in_words(data.n_read, rejected), "at least one usable row")
    return replace(kept, y=done.values, rejected=rejected)


def _in_words(n_read: int, rejected: Sequence[Rejected]) -> str:
    counts = pd.Series([str(r.reason) for r in rejected], dtype=object).value_counts()
    return f"{n_read} rows" + "".join(f", {count} {reason}" for reason, count in counts.items())
