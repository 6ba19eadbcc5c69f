"""Read one table or two, run every check, put the findings in order."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from molmed import catalog
from molmed.data.audit import columns, leaks, structures, values
from molmed.data.audit.collect import Collector
from molmed.data.audit.findings import KINDS, Audit, Finding, Severity
from molmed.data.audit.guess import Layout, lay_out
from molmed.data.audit.rows import Rows
from molmed.data.audit.settings import AuditConfig
from molmed.data.splits import Subjects, k_fold
from molmed.data.table import Table, column_names
from molmed.errors import ConfigError, InputError

Check = Callable[[Rows, AuditConfig], Iterable[Finding]]

CHECKS: tuple[Check, ...] = (
    structures.unreadable,
    structures.salts,
    structures.large,
    structures.ids,
    structures.repeats,
    structures.conflicts,
    structures.stereo,
    structures.tautomers,
    structures.cliffs,
    values.missing,
    values.unread,
    values.constant,
    values.balance,
    values.crowded,
    values.units,
    values.off_by_a_unit,
    values.outliers,
    columns.columns,
)
"""What is looked for in any table; a check of your own is one more function here. Those of folds and files follow."""

_ORDER = {severity: i for i, severity in enumerate(Severity)}


def audit(
    table: Table,
    other: Table | None = None,
    *,
    targets: Sequence[str] = (),
    other_targets: Sequence[str] = (),
    smiles: str = "",
    id: str = "",
    fold: str = "",
    split: str = "",
    folds: int = 5,
    seed: int = 0,
    settings: AuditConfig | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Audit:
    """What is wrong with a table of measured values, between its folds, and between it and another table.

    Args:
        other: a second table, such as a test set, which should have nothing in common with the first.
        targets: columns of measured values; empty = guessed. `other_targets` where they are called otherwise there.
        smiles, id: columns, where the guess would be wrong; of the first table, and of the other if it has them.
        fold: column of fold names in the first table.
        split: entry of the splits shelf: audit the `folds` folds it would make (with `seed`).

    Raises:
        InputError: a table cannot be read, a column is not there, or the split cannot be made.
        ConfigError: both a fold column and a split.
    """
    if fold and split:
        raise ConfigError("auditing folds", f"both a fold column {fold!r} and a split {split!r}", "one of them")
    used = AuditConfig() if settings is None else settings
    names = _names(table, other)
    layouts = [lay_out(table, smiles=smiles, id=id, targets=targets, fold=fold, name=names[0])]
    if other is not None:
        layouts.append(_second(other, layouts[0], smiles, id, other_targets or targets, names[1]))
    labels = _paired(layouts, names)
    parted = bool(fold or split) or other is not None
    collector = Collector(near=True, scaffolds=parted)
    for number, (read, layout) in enumerate(zip((table, other), layouts, strict=False)):
        if read is not None:
            collector.take(read, number, layout, {name: columns[number] for name, columns in labels.items()})
    rows = collector.rows(
        names, molecules=bool(layouts[0].smiles), folds=bool(fold), units=any(layout.units for layout in layouts)
    )
    if len(rows) == 0:
        raise InputError(f"auditing {names[0]}", "no row", "at least one")
    if split:
        rows = _split(rows, split, folds, seed)
    found = [f for check in checks for f in check(rows, used)]
    found += _between(rows, used)
    found.sort(key=lambda f: _ORDER[f.severity])
    lead = [f"{name}: " if len(names) > 1 else "" for name in names]
    said = [lead[i] + s for i, layout in enumerate(layouts) for s in layout.said] + leaks.not_looked_for(rows)
    return Audit(rows, tuple(_gathered(found, rows)), tuple(_looked_for(rows, used)), tuple(dict.fromkeys(said)))


def _names(table: Table, other: Table | None) -> tuple[str, ...]:
    names = [Path(t).name if isinstance(t, str | Path) else "the table" for t in (table, other) if t is not None]
    if len(names) == 2 and names[0] == names[1]:
        whole = [str(t) if isinstance(t, str | Path) else "the table" for t in (table, other)]
        names = whole if whole[0] != whole[1] else [f"{names[0]} (first)", f"{names[1]} (second)"]
    return tuple(names)


def _second(other: Table, first: Layout, smiles: str, id: str, targets: Sequence[str], name: str) -> Layout:
    there = column_names(other)
    named = tuple(t for t in targets if t in there) if targets else tuple(t for t in first.targets if t in there)
    if targets and len(named) < len(targets):
        lacking = ", ".join(repr(t) for t in targets if t not in there)
        raise InputError(
            f"auditing {name}", f"no column {lacking}", "the columns " + ", ".join(there), "name it with --other-target"
        )
    found = lay_out(
        other, smiles=smiles if smiles in there else "", id=id if id in there else "", targets=named, name=name
    )
    if bool(found.smiles) != bool(first.smiles):
        lacking = name if first.smiles else "the first"
        raise InputError(
            "auditing two tables", f"no column of structures in {lacking}", "structures in both or in neither",
            "name it with --smiles",
        )  # fmt: skip
    if not found.smiles:
        shared = tuple(c for c in first.columns if c in found.columns)
        found = replace(found, columns=shared)
    return found


def _paired(layouts: Sequence[Layout], names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Target -> its column in each table, "" where it has none."""
    first, *rest = layouts
    if not rest:
        return {t: (t,) for t in first.targets}
    other = rest[0].targets
    if len(other) == len(first.targets) and not set(other) & set(first.targets):
        return {t: (t, o) for t, o in zip(first.targets, other, strict=True)}
    return {t: (t, t if t in other else "") for t in first.targets}


def _split(rows: Rows, name: str, k: int, seed: int) -> Rows:
    """The rows of the first table in the folds that a split would make of those that can be read."""
    usable = np.flatnonzero((rows.file == 0) & ((rows.structure >= 0) if rows.molecules else (rows.text >= 0)))
    structures = [rows.parents[s] for s in rows.structure[usable].tolist()] if rows.molecules else []
    labels = rows.targets[0].values[usable] if rows.targets else np.full(len(usable), np.nan)
    made = k_fold(catalog.load("splits", name)(), Subjects(len(usable), structures, labels), k, seed)
    folds = np.full(len(rows), "", dtype=object)
    folds[usable] = [f"fold {number + 1}" for number in made.tolist()]
    return replace(rows, folds=[str(f) for f in folds])


def _between(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """What folds have in common, and what the two tables have."""
    if rows.folds:
        parts = leaks.folds_of(rows)
        yield from leaks.fold_missing(rows, settings)
        yield from leaks.leaks(rows, settings, parts)
        yield from leaks.fold_labels(rows, settings, parts)
    if len(rows.names) > 1:
        yield from leaks.leaks(rows, settings, leaks.files_of(rows))
        yield from leaks.file_conflicts(rows, settings)
        yield from leaks.file_ids(rows, settings)


MAX_TARGETS = 8
"""Targets whose findings of one kind stand alone; of more the findings of a kind are told in one."""


def _gathered(found: Sequence[Finding], rows: Rows) -> Iterator[Finding]:
    """The findings, those of one kind and severity about very many targets as one."""
    by_kind: dict[tuple[str, Severity], list[Finding]] = {}
    targets = {t.name for t in rows.targets}
    for f in found:
        by_kind.setdefault((f.kind, f.severity), []).append(f)
    for (kind, severity), same in by_kind.items():
        if len(same) <= MAX_TARGETS or not all(f.about in targets for f in same):
            yield from same
            continue
        groups = [(f.rows[f.groups == g], f.notes.get(g, "")) for f in same for g in np.unique(f.groups).tolist()]
        longest = max(same, key=lambda f: f.n)
        yield Finding(
            kind,
            severity,
            len(np.unique(np.concatenate([f.rows for f in same]))),
            f"{len(same):,} of {len(targets):,} targets; the most rows: {longest.sentence}",
            np.concatenate([g for g, _ in groups]) if groups else longest.rows,
            np.repeat(np.arange(len(groups)), [len(g) for g, _ in groups]).astype(np.int64),
            f"{len(same)} targets",
            {f.about: f.n for f in same},
            {i: note for i, (_, note) in enumerate(groups) if note},
        )


def _looked_for(rows: Rows, settings: AuditConfig) -> Iterator[str]:
    """The kinds that could have been found in such rows."""
    for kind in KINDS:
        prefix = kind.split("_")[0]
        if (prefix == "fold" and not rows.folds) or (prefix == "file" and len(rows.names) < 2):
            continue
        if prefix in ("label", "conflict", "cliff", "unit", "outlier") and not rows.targets:
            continue
        if (kind == "file_conflict" and not rows.targets) or (kind == "units" and not rows.units):
            continue
        if kind == "tautomer" and not settings.tautomers:
            continue
        near = kind in ("cliff", "fold_near", "file_near")
        chemical = kind in ("salt", "large_molecule", "repeat", "stereo", "cliff", "tautomer", *_CHEMICAL)
        if (chemical and not rows.molecules) or (near and not len(rows.bits)):
            continue
        if rows.molecules and (prefix == "column" or kind == "row_repeated"):
            continue
        yield kind


_CHEMICAL = ("fold_stereo", "fold_near", "fold_scaffold", "file_stereo", "file_near", "file_scaffold")
