"""Structures that cannot be read, that stand in several rows, and what was measured of them."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash

from molmed.chem.similarity import similar_pairs
from molmed.data.audit.findings import Finding, Severity, finding
from molmed.data.audit.rows import Rows, Values, ordered
from molmed.data.audit.settings import AuditConfig
from molmed.data.audit.words import count, share, verb

_ENOUGH = 10
"""Repeated measurements from which their scatter is told; chosen."""


def unreadable(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Rows that cannot be read, by reason."""
    by_reason: dict[str, list[int]] = defaultdict(list)
    for row, fault in sorted(rows.faults.items()):
        by_reason[str(fault.reason)].append(row)
    much = len(rows.faults) > 0.5 * len(rows)
    for reason, found in by_reason.items():
        first = rows.faults[found[0]]
        example = f"{rows.address(found[0])}: {first.detail}" if first.detail else rows.address(found[0])
        sentence = f"{count(len(found), 'row')} ({share(len(found), len(rows))}) cannot be used, e.g. {example}"
        notes = {i: rows.faults[row].detail for i, row in enumerate(found)}
        severity = Severity.ERROR if much else Severity.WARNING
        numbers = {"step": first.step}
        yield finding("unreadable", severity, sentence, np.asarray(found), about=reason, notes=notes, numbers=numbers)


def salts(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Rows that lost counter-ions or solvent."""
    if rows.stripped:
        n = len(rows.stripped)
        sentence = (
            f"{count(n, 'row')} {verb(n, 'is a salt or solvate', 'are salts or solvates')}: the parent is compared"
        )
        notes = {i: f"removed {text}" for i, text in enumerate(rows.stripped.values())}
        yield finding("salt", Severity.NOTE, sentence, np.asarray(list(rows.stripped)), notes=notes)


def large(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Very large molecules."""
    if n := len(rows.large):
        sentence = f"{count(n, 'row')} {verb(n, 'holds a molecule', 'hold molecules')} of 200 heavy atoms or more"
        yield finding("large_molecule", Severity.NOTE, sentence, np.asarray(rows.large))


def ids(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Ids that are missing, or that stand for different structures."""
    own = np.unique(np.asarray(rows.ids, dtype=object), return_inverse=True)[1] if any(rows.ids) else None
    if own is None:
        return
    missing = [i for i, name in enumerate(rows.ids) if not name]
    if missing:
        n = len(missing)
        sentence = f"{count(n, 'row')} {verb(n, 'has', 'have')} no id"
        yield finding("id_missing", Severity.NOTE, sentence, np.asarray(missing))
    known = np.asarray([bool(name) for name in rows.ids])
    key = rows.structure if rows.molecules else rows.text
    torn = []
    for number in range(len(rows.names)):
        inside = known & (rows.file == number) & (key >= 0)
        torn += [g for g in ordered(own.astype(np.int64), inside) if len(set(key[g].tolist())) > 1]
    if torn:
        n = len(torn)
        what = "structures" if rows.molecules else "rows"
        sentence = f"{count(n, 'id')} {verb(n, 'stands', 'stand')} for different {what}, e.g. {rows.ids[torn[0][0]]!r}"
        yield finding("id_repeated", Severity.WARNING, sentence, torn, numbers={"ids": n})


def repeats(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Structures (in a table without them: whole rows) that stand in several rows."""
    if not rows.molecules:
        groups = ordered(rows.text, rows.text >= 0)
        if groups:
            n = sum(map(len, groups))
            sentence = f"{count(len(groups), 'row')} {verb(len(groups), 'is', 'are')} repeated, cell for cell"
            yield finding("row_repeated", Severity.WARNING, sentence, groups, numbers={"rows": n})
        return
    groups = ordered(rows.structure, rows.structure >= 0)
    if not groups:
        return
    by_text = ordered(rows.text, rows.structure >= 0)
    variants = [g for g in groups if len(set(rows.text[g].tolist())) > 1]
    changed = sum(any(_changed(rows, r) for r in g.tolist()) for g in variants)
    n, in_rows = len(groups), sum(map(len, groups))
    sentence = f"{count(n, 'structure')} {verb(n, 'stands', 'stand')} in more than one row ({count(in_rows, 'row')})"
    if variants:
        v = len(variants)
        sentence += f"; {v:,} of them in different spellings" if v < n else "; in different spellings"
        sentence += f", {changed:,} as a salt or in another charge" if changed else ""
    numbers = {"structures": n, "rows": in_rows, "by_text": len(by_text), "variants": len(variants), "salts": changed}
    worst = sorted(groups, key=lambda g: -len(g))
    yield finding("repeat", Severity.NOTE, sentence, worst, numbers=numbers)


def _changed(rows: Rows, row: int) -> bool:
    """Whether standardisation made another structure of what is drawn in a row."""
    if row in rows.stripped:
        return True
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(rows.given[row].split(None, 1)[0])
    return mol is None or Chem.MolToSmiles(mol) != rows.parents[rows.structure[row]]


def conflicts(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Structures that were measured more than once with different values, per target."""
    key = rows.structure if rows.molecules else rows.text
    what = "structure" if rows.molecules else "row"
    for target in rows.targets:
        known = ~np.isnan(target.values) & (key >= 0)
        groups = [g for g in ordered(key, known) if np.ptp(target.values[g]) > 0]
        if not groups:
            continue
        by_text = sum(np.ptp(target.values[g]) > 0 for g in ordered(rows.text, known & (rows.text >= 0)))
        n = len(groups)
        numbers: dict[str, float | int | str] = {"structures": n, "by_text": int(by_text)}
        told = (
            f"{count(n, what)} {verb(n, 'was', 'were')} measured more than once with different values of {target.name}"
        )
        if rows.molecules and by_text != n:
            told += f" ({f'{by_text:,}' if by_text else 'none'} by {verb(n, 'its', 'their')} exact text)"
        groups.sort(key=lambda g: (-float(np.ptp(target.scaled[g])), int(g[0])))
        notes = {i: " and ".join(dict.fromkeys(target.text(r) for r in g.tolist())) for i, g in enumerate(groups)}
        severity = Severity.ERROR
        if target.kind == "numbers":
            more, far, noise = _spread(target, ordered(key, known), settings)
            told += more
            numbers |= {"beyond_tolerance": far, **noise}
            severity = Severity.WARNING if far else Severity.NOTE
        yield finding("conflict", severity, told, groups, about=target.name, numbers=numbers, notes=notes)


def _spread(target: Values, groups: list[np.ndarray], settings: AuditConfig) -> tuple[str, int, dict[str, float]]:
    """(words, groups beyond the tolerance, the noise of a repeated measurement and what it leaves to be explained)."""
    values, deviation = target.scaled, target.deviation
    far = sum(np.ptp(values[g]) > settings.tolerance * deviation for g in groups)
    squares = sum(float(((values[g] - values[g].mean()) ** 2).sum()) for g in groups)
    freedom = sum(len(g) - 1 for g in groups)
    noise = float(np.sqrt(squares / freedom))
    ceiling = max(0.0, 1 - noise**2 / deviation**2) if deviation > 0 else 0.0
    limit = f"{settings.tolerance:g} standard deviations{target.where} ({settings.tolerance * deviation:.3g})"
    told = f"; {f'{far:,}' if far else 'none'} by more than {limit}"
    if freedom >= _ENOUGH:
        told += f". Repeats scatter by {noise:.2g}{target.where}: an R² above {ceiling:.2f} is not to be expected"
    return told, int(far), {"noise": noise, "deviation": deviation, "r2_ceiling": ceiling}


def stereo(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Structures that are the same but for their stereo, and whether their values differ."""
    if not rows.molecules:
        return
    groups = [g for g in ordered(rows.of_skeleton, rows.structure >= 0) if len(set(rows.structure[g].tolist())) > 1]
    if not groups:
        return
    n = len(groups)
    structures = sum(len(set(rows.structure[g].tolist())) for g in groups)
    sentence = (
        f"{count(structures, 'structure')} differ from another one in stereo only ({count(n, 'set')} of stereoisomers)"
    )
    numbers: dict[str, float | int | str] = {"structures": structures, "skeletons": n}
    unlike = 0
    for target in rows.targets:
        for g in groups:
            values = target.scaled[g]
            values = values[~np.isnan(values)]
            limit = 0.0 if target.kind == "classes" else settings.tolerance * target.deviation
            unlike += len(values) > 1 and bool(np.ptp(values) > limit)
    if rows.targets:
        numbers["different"] = unlike
        sentence += f"; in {unlike:,} of them the values differ" if len(rows.targets) == 1 else ""
    yield finding("stereo", Severity.NOTE, sentence, groups, numbers=numbers)


def tautomers(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Structures with one tautomer hash, where that is asked for.

    Source: RDKit's HetAtomTautomerv2 (N. M. O'Boyle & R. A. Sayle), the layer that RDKit's registration hash uses.
    """
    if not rows.molecules or not settings.tautomers:
        return
    hashes: dict[str, int] = {}
    code = np.empty(len(rows.parents), dtype=np.int64)
    for i, smiles in enumerate(rows.parents):
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(smiles)
            found = rdMolHash.MolHash(mol, rdMolHash.HashFunction.HetAtomTautomerv2) if mol is not None else smiles
        code[i] = hashes.setdefault(found, len(hashes))
    of_row = np.where(rows.structure >= 0, code[rows.structure], -1) if len(code) else rows.structure
    groups = [g for g in ordered(of_row, of_row >= 0) if len(set(rows.of_skeleton[g].tolist())) > 1]
    if groups:
        n = len(groups)
        sentence = f"{count(n, 'set')} of structures {verb(n, 'is', 'are')} tautomers of each other by their hash"
        yield finding("tautomer", Severity.WARNING, sentence, groups, numbers={"sets": n})


def cliffs(rows: Rows, settings: AuditConfig) -> Iterator[Finding]:
    """Nearly equal structures with very different values: an activity cliff, or a mistake in one of the two."""
    if not len(rows.bits) or not rows.targets:
        return
    first, second, similarity = similar_pairs(rows.bits, settings.near)
    first_row = _first_rows(rows)
    for target in rows.targets:
        mean = _mean_values(rows, target)
        apart = np.abs(mean[first] - mean[second])
        limit = settings.cliff * target.deviation if target.kind == "numbers" else 1.0
        far = np.flatnonzero(apart >= max(limit, 1e-300))
        if not len(far):
            continue
        far = far[np.lexsort((first[far], -similarity[far], -apart[far]))]
        groups = [[int(first_row[first[p]]), int(first_row[second[p]])] for p in far.tolist()]
        notes = {
            i: f"similarity {similarity[p]:.2f}, " + " and ".join(target.text(r) for r in groups[i])
            for i, p in enumerate(far.tolist())
        }
        n = len(far)
        how = (
            f"{settings.cliff:g} standard deviations{target.where} apart"
            if target.kind == "numbers"
            else "of opposite class"
        )
        sentence = (
            f"{count(n, 'pair')} of nearly equal structures (similarity {settings.near:g} or more)"
            f" {verb(n, 'has', 'have')} values of {target.name} {how}: activity cliffs, or mistakes"
        )
        yield finding("cliff", Severity.NOTE, sentence, groups, about=target.name, numbers={"pairs": n}, notes=notes)


def _first_rows(rows: Rows) -> np.ndarray:
    """The first row of each skeleton."""
    own = rows.of_skeleton
    found = np.full(int(own.max(initial=-1)) + 1, -1, dtype=np.int64)
    known = np.flatnonzero(own >= 0)[::-1]
    found[own[known]] = known
    return found


def _mean_values(rows: Rows, target: Values) -> np.ndarray:
    """The mean value of each skeleton; nan where it is unknown or, of classes, not one and the same."""
    own = rows.of_skeleton
    known = (own >= 0) & ~np.isnan(target.values)
    size = int(own.max(initial=-1)) + 1
    n = np.bincount(own[known], minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(own[known], weights=target.scaled[known], minlength=size) / n
    if target.kind == "classes":
        least, most = np.full(size, np.inf), np.full(size, -np.inf)
        np.minimum.at(least, own[known], target.values[known])
        np.maximum.at(most, own[known], target.values[known])
        mean[least != most] = np.nan
    return mean
