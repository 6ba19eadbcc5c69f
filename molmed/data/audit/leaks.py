"""What folds, or two files, have in common: structures, stereoisomers, nearly equal structures, scaffolds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64

from molmed.chem.similarity import similar_pairs
from molmed.data.audit.findings import Finding, Severity, finding
from molmed.data.audit.rows import MAX_NEAR, Rows
from molmed.data.audit.settings import AuditConfig
from molmed.data.audit.words import count, share, verb


@dataclass(frozen=True)
class Parts:
    """Rows in parts that should have nothing in common.

    Args:
        part: number of each row's part, -1 = in none.
        names: of the parts.
        prefix: of the kinds of finding: "fold" or "file".
        several: how "in several parts" is said.
    """

    part: Int64[np.ndarray, " rows"]
    names: tuple[str, ...]
    prefix: str
    several: str


def folds_of(rows: Rows) -> Parts:
    """The folds as parts; by their names."""
    names = sorted({f for f in rows.folds if f})
    place = {name: i for i, name in enumerate(names)}
    part = np.asarray([place.get(f, -1) for f in rows.folds] or np.full(len(rows), -1), dtype=np.int64)
    return Parts(part, tuple(names), "fold", "in several folds")


def files_of(rows: Rows) -> Parts:
    """The two files as parts."""
    return Parts(rows.file, rows.names, "file", "in both files")


def fold_missing(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Rows without a fold."""
    inside = rows.file == 0
    without = [i for i in np.flatnonzero(inside).tolist() if rows.folds and not rows.folds[i]]
    if n := len(without):
        sentence = f"{count(n, 'row')} {verb(n, 'is', 'are')} in no fold"
        yield finding("fold_missing", Severity.WARNING, sentence, np.asarray(without))


def leaks(rows: Rows, settings: AuditConfig, parts: Parts) -> Iterator[Finding]:
    """Everything that rows of different parts have in common."""
    if not rows.molecules:
        yield from _same(rows, parts, rows.text, "structure", "rows equal cell for cell", Severity.ERROR)
        return
    yield from _same(rows, parts, rows.structure, "structure", "structure", Severity.ERROR)
    yield from _stereo(rows, parts)
    yield from _near(rows, settings, parts)
    if len(rows.scaffold):
        own = rows.of_skeleton
        scaffold = np.where(own >= 0, rows.scaffold[own], -1)
        yield from _same(rows, parts, scaffold, "scaffold", "scaffold", Severity.NOTE)


def _same(
    rows: Rows, parts: Parts, key: Int64[np.ndarray, " rows"], kind: str, what: str, severity: Severity
) -> Iterator[Finding]:
    """Keys that stand in several parts."""
    groups = _torn(key, parts.part)
    if not groups:
        return
    n = len(groups)
    found = np.unique(np.concatenate(groups))
    noun = count(n, what) if " " not in what else f"{n:,} {what}"
    sentence = f"{noun} {verb(n, 'stands', 'stand')} {parts.several}: {_rows_of(rows, parts, found)}"
    numbers: dict[str, float | int | str] = {f"{kind}s": n, "rows": len(found)}
    if kind == "structure":
        texts = _torn(rows.text, parts.part)
        numbers["by_text"] = len(texts)
        if rows.molecules and len(texts) != n:
            sentence += f"; {len(texts):,} as the same text" if texts else "; none as the same text"
        groups.sort(key=lambda g: (-_disagreement(rows, g), int(g[0])))
    else:
        groups.sort(key=lambda g: (-len(g), int(g[0])))
    yield finding(f"{parts.prefix}_{kind}", severity, sentence, groups, numbers=numbers)


def _rows_of(rows: Rows, parts: Parts, found: np.ndarray) -> str:
    """How many rows of each part that are: "12 rows (3 %) of train.csv, 4 (2 %) of test.csv"."""
    if len(parts.names) > 4:
        whole = int((parts.part >= 0).sum())
        return f"{count(len(found), 'row')} ({share(len(found), whole)})"
    told = []
    for number, name in enumerate(parts.names):
        n, whole = int((parts.part[found] == number).sum()), int((parts.part == number).sum())
        told.append(f"{n:,} of the {whole:,} rows of {name} ({share(n, whole)})")
    return ", ".join(told)


def _torn(key: Int64[np.ndarray, " rows"], part: Int64[np.ndarray, " rows"]) -> list[np.ndarray]:
    """The rows of each key that stands in several parts, in the order of the rows."""
    rows = np.flatnonzero((key >= 0) & (part >= 0))
    rows = rows[np.argsort(key[rows], kind="stable")]
    if not len(rows):
        return []
    edges = np.flatnonzero(np.diff(key[rows])) + 1
    starts = np.concatenate([[0], edges])
    least, most = np.minimum.reduceat(part[rows], starts), np.maximum.reduceat(part[rows], starts)
    groups = np.split(rows, edges)
    return sorted((groups[i] for i in np.flatnonzero(least != most)), key=lambda g: int(g[0]))


def _disagreement(rows: Rows, group: np.ndarray) -> float:
    """The largest spread of a value, in standard deviations of its target."""
    spread = 0.0
    for target in rows.targets:
        values = target.scaled[group]
        values = values[~np.isnan(values)]
        if len(values) > 1 and target.deviation > 0:
            spread = max(spread, float(np.ptp(values)) / target.deviation)
    return spread


def _stereo(rows: Rows, parts: Parts) -> Iterator[Finding]:
    """Structures that are the same but for their stereo, in different parts, and not both in one as well."""
    groups = []
    for group in _torn(rows.of_skeleton, parts.part):
        pairs = {(int(rows.structure[r]), int(parts.part[r])) for r in group}
        if any(a != b and p != q for a, p in pairs for b, q in pairs):
            groups.append(group)
    if groups:
        n = len(groups)
        found = np.unique(np.concatenate(groups))
        sentence = f"{count(n, 'set')} of stereoisomers {verb(n, 'stands', 'stand')} {parts.several}:"
        sentence += f" {_rows_of(rows, parts, found)}"
        yield finding(f"{parts.prefix}_stereo", Severity.WARNING, sentence, groups, numbers={"sets": n})


def _near(rows: Rows, settings: AuditConfig, parts: Parts) -> Iterator[Finding]:
    """Nearly equal structures (not the same but for stereo) in different parts."""
    if not len(rows.bits):
        return
    a, b, similarity = similar_pairs(rows.bits, settings.near)
    first, where = _representatives(rows, parts)
    groups, notes, close = [], {}, []
    for i, j, s in zip(a.tolist(), b.tolist(), similarity.tolist(), strict=True):
        # the first row of each part is enough of an example; all rows are counted below
        for p, row in where.get(i, {}).items():
            for q, other in where.get(j, {}).items():
                if p != q:
                    groups.append([row, other])
                    close.append((i, p, j, q, s))
    if not groups:
        return
    order = sorted(range(len(groups)), key=lambda k: (-close[k][4], groups[k]))
    touched = {(i, p) for i, p, _, _, _ in close} | {(j, q) for _, _, j, q, _ in close}
    found = np.asarray([r for r in first if (int(rows.of_skeleton[r]), int(parts.part[r])) in touched], dtype=np.int64)
    notes = {place: f"similarity {close[k][4]:.2f}" for place, k in enumerate(order)}
    n = len(groups)
    sentence = (
        f"{count(n, 'pair')} of nearly equal structures (similarity {settings.near:g} or more)"
        f" {verb(n, 'stands', 'stand')} {parts.several}: {_rows_of(rows, parts, found)}"
    )
    numbers = {"pairs": n, "rows": len(found), "near": settings.near}
    chosen = [groups[k] for k in order]
    yield finding(
        f"{parts.prefix}_near", Severity.WARNING, sentence, chosen, numbers=numbers, notes=notes, n=len(found)
    )


def _representatives(rows: Rows, parts: Parts) -> tuple[list[int], dict[int, dict[int, int]]]:
    """(all rows with a skeleton and a part, skeleton -> part -> its first row)."""
    own = rows.of_skeleton
    inside = np.flatnonzero((own >= 0) & (parts.part >= 0)).tolist()
    where: dict[int, dict[int, int]] = {}
    for row in inside:
        where.setdefault(int(own[row]), {}).setdefault(int(parts.part[row]), row)
    return inside, where


def file_conflicts(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Structures (or rows) in both files whose values differ between them."""
    key = rows.structure if rows.molecules else rows.text
    what = "structure" if rows.molecules else "row"
    shared = _torn(key, rows.file)
    for target in rows.targets:
        groups, notes = [], []
        compared = 0
        for group in shared:
            sides = [target.scaled[group[rows.file[group] == f]] for f in (0, 1)]
            sides = [side[~np.isnan(side)] for side in sides]
            if not all(map(len, sides)):
                continue
            compared += 1
            limit = 0.0 if target.kind == "classes" else settings.tolerance * target.deviation
            if abs(float(np.median(sides[0]) - np.median(sides[1]))) > limit:
                groups.append(group)
                notes.append(" and ".join(dict.fromkeys(target.text(r) for r in group.tolist())))
        if groups:
            n = len(groups)
            sentence = (
                f"{count(n, what)} of the {compared:,} measured in both files {verb(n, 'has', 'have')} another value of"
                f" {target.name} in the other"
            )
            if target.kind == "numbers":
                sentence += f" (by more than {settings.tolerance:g} standard deviations{target.where})"
            yield finding(
                "file_conflict", Severity.WARNING, sentence, groups, about=target.name,
                numbers={f"{what}s": n, "compared": compared}, notes=dict(enumerate(notes)),
            )  # fmt: skip


def file_ids(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Ids in both files: rows that were split carelessly, or two files that count from 1."""
    both = set(rows.ids[i] for i in np.flatnonzero(rows.file == 0)) & set(
        rows.ids[i] for i in np.flatnonzero(rows.file == 1)
    )
    both.discard("")
    if both:
        found = [i for i, name in enumerate(rows.ids) if name in both]
        same = 0
        by_id: dict[str, list[int]] = {}
        for i in found:
            by_id.setdefault(rows.ids[i], []).append(i)
        for group in by_id.values():
            structures = [{int(rows.structure[i]) for i in group if rows.file[i] == f} for f in (0, 1)]
            same += bool(structures[0] & structures[1] - {-1})
        n = len(both)
        sentence = f"{count(n, 'id')} {verb(n, 'stands', 'stand')} in both files"
        sentence += f", {same:,} of them for the same structure" if rows.molecules else ""
        yield finding("file_id", Severity.NOTE, sentence, list(by_id.values()), numbers={"ids": n, "same": same})


def fold_labels(rows: Rows, settings: AuditConfig, parts: Parts) -> Iterator[Finding]:
    """Folds whose values are not like those of the rest."""
    for target in rows.targets:
        known = ~np.isnan(target.values) & (parts.part >= 0)
        deviation = float(target.values[known].std()) if known.any() else 0.0
        if deviation == 0:
            continue
        odd: list[tuple[float, int]] = []
        for number in range(len(parts.names)):
            own, rest = (target.values[known & _in(parts, number, inside)] for inside in (True, False))
            if len(own) and len(rest):
                shift = float(own.mean() - rest.mean()) / deviation
                error = np.sqrt(1 / len(own) + 1 / len(rest))
                if abs(shift) > _SHIFT and abs(shift) > 4 * error:
                    odd.append((abs(shift), number))
            elif not len(own):
                odd.append((np.inf, number))
        if odd:
            odd.sort(reverse=True)
            told = [
                f"{parts.names[number]} has none" if np.isinf(shift) else f"{parts.names[number]} by {shift:.1f}"
                for shift, number in odd
            ]
            sentence = f"the mean of {target.name} in some folds is not that of the rest (in standard deviations): "
            found = np.flatnonzero(known & np.isin(parts.part, [number for _, number in odd]))
            yield finding(
                "fold_label", Severity.NOTE, sentence + ", ".join(told[:5]), [found], about=target.name,
                numbers={"folds": len(odd)},
            )  # fmt: skip


_SHIFT = 0.5
"""Standard deviations by which the mean of a fold is off before it is told; chosen."""


def _in(parts: Parts, number: int, inside: bool) -> Bool[np.ndarray, " rows"]:
    return (parts.part == number) == inside


def not_looked_for(rows: Rows) -> list[str]:
    """What was left out because there is too much."""
    if rows.molecules and not len(rows.bits) and (rows.structure >= 0).any():
        return [f"more than {MAX_NEAR:,} different structures: nearly equal ones were not looked for"]
    return []
