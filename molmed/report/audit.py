"""The page of an audit: every finding in words, with the worst examples drawn, and what was looked for in vain."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from markupsafe import Markup

from molmed.data import write as table_of_data
from molmed.data.audit import KINDS, Audit, Finding, Rows, Severity
from molmed.report import numbers, words
from molmed.report.compound import Compound, Neighbour, card
from molmed.report.fragment import Shown, shown
from molmed.report.page import (
    Column,
    Section,
    block,
    bullets,
    cards,
    definitions,
    group,
    page,
    paragraph,
    save,
    section,
    subtitle,
    table,
)
from molmed.report.stacked import under

N_DRAWN = {Severity.ERROR: 6, Severity.WARNING: 4, Severity.NOTE: 2}
"""Groups of rows drawn for each finding."""

N_LISTED = 8
"""Rows listed for a finding that is not drawn."""

_DRAWN = {
    *("repeat", "conflict", "stereo", "tautomer", "cliff", "id_repeated"),
    *("fold_structure", "fold_stereo", "fold_near", "file_structure", "file_conflict", "file_stereo", "file_near"),
}
"""Kinds whose rows belong together and are best seen side by side."""

_LONG = 90
"""Letters of a cell that are shown."""


def audit_page(made: Audit, *, when: str, title: str = "") -> str:
    """One HTML document on an audit.

    Args:
        when: the date to print.
    """
    names = made.rows.names
    sections = [_summary(made)]
    headings = {
        Severity.ERROR: "Errors: scores on these rows would be wrong",
        Severity.WARNING: "Warnings: rows to look at",
        Severity.NOTE: "Notes",
    }
    for severity, heading in headings.items():
        found = [f for f in made.findings if f.severity == severity]
        if found:
            blocks = [b for f in found for b in _finding(made, f)]
            sections.append(section(heading, *blocks, anchor=str(severity)))
    sections.append(_read(made))
    lead = f"What was found in {names[0]}" + (", between its folds" if made.rows.folds else "")
    lead += f" and between it and {names[1]}." if len(names) > 1 else "."
    return page(title or f"Audit of {' and '.join(names)}", sections, when=when, lead=lead, tiles=_tiles(made))


def audit_shown(made: Audit) -> Shown:
    """What a notebook shows of an audit: every finding in a sentence, and what was looked for in vain."""
    names = " and ".join(made.rows.names)
    rows = [
        (_chip(f.severity), under(_title(f), _shortened(_sentence(f.sentence), 300)), numbers.count(f.n))
        for f in made.findings
    ]
    blocks = [group(f"Audit of {names}: {len(made.rows):,} rows")]
    blocks += [table([Column(""), Column("found"), Column("rows", True)], rows)] if rows else []
    if made.not_found:
        lead = "Looked for and not found: " if rows else "Nothing was found of what was looked for: "
        blocks.append(paragraph(f"{lead}{'; '.join(KINDS[kind] for kind in made.not_found)}."))
    return shown(*blocks)


def examples_blocks(made: Audit, kind: str, n: int) -> list[Markup]:
    """The worst n groups of rows of each finding of a kind, under its sentence."""
    blocks = [b for f in made.of(kind) for b in (paragraph(_sentence(f.sentence)), *_rows_of(made, f, n))]
    return blocks or [paragraph(f"Nothing of the kind: {KINDS[kind]}.")]


def _tiles(made: Audit) -> dict[str, tuple[str, str]]:
    files = made.rows.summary()
    rows = sum(f["rows"] for f in files)
    tiles = {"rows": (numbers.count(rows), "" if len(files) == 1 else "in two files")}
    if made.rows.molecules:
        different = len(made.rows.parents)
        tiles["different structures"] = (numbers.count(different), "after standardisation")
    for severity, name in ((Severity.ERROR, "errors"), (Severity.WARNING, "warnings")):
        own = [f for f in made.findings if f.severity == severity]
        tiles[name] = (numbers.count(len(own)), "")
    return tiles


def _summary(made: Audit) -> Section:
    if not made.findings:
        return section("Summary", paragraph("Nothing was found."))
    rows = [(_chip(f.severity), _title(f), numbers.count(f.n)) for f in made.findings]
    return section("Summary", table([Column(""), Column("found"), Column("rows", True)], rows))


def _chip(severity: Severity) -> Markup:
    warn = "" if severity == Severity.NOTE else " outside"
    return Markup('<span class="chip{}">{}</span>').format(warn, severity)


def _title(f: Finding) -> str:
    about = words.REASONS.get(f.about, f.about) if f.kind == "unreadable" else f.about
    return KINDS.get(f.kind, f.kind) + (f": {about}" if about else "")


def _finding(made: Audit, f: Finding) -> list[Markup]:
    title = _title(f)
    blocks = [subtitle(title[:1].upper() + title[1:]), paragraph(f"{_shortened(_sentence(f.sentence), 600)}")]
    return [*blocks, *_rows_of(made, f, N_DRAWN[f.severity])]


def _rows_of(made: Audit, f: Finding, n: int) -> list[Markup]:
    """The first n groups of rows as cards where they are best seen side by side, else the first rows as a list."""
    rows = made.rows
    if rows.molecules and (f.kind in _DRAWN or f.kind.endswith("_scaffold")):
        groups = f.worst(n)
        drawn = [_card(rows, f, number, own) for number, own in enumerate(groups)]
        pairs = any(_other(rows, f, own) is not None for own in groups)
        return [cards(drawn, narrow=not pairs)] if drawn else []
    return [_listing(rows, f)] if len(f.rows) else []


def _card(rows: Rows, f: Finding, number: int, group: list[int]) -> Markup:
    """A group of rows: its structure, or two of its structures that differ, with the values that were measured."""
    first, second = group[0], _other(rows, f, group)
    note = _shortened(f.notes.get(number, ""), _LONG)
    own = Compound(rows.ids[first] or f"row {rows.row[first]}", _smiles(rows, first), "", detail=note)
    if second is None:
        where = [rows.address(r) for r in group[:4]] + ([f"and {len(group) - 4} more"] if len(group) > 4 else [])
        return card(replace(own, caption="; ".join(where)))
    beside = Neighbour(rows.address(second), _smiles(rows, second), _values(rows, second), math.nan, "")
    caption = ", ".join(filter(None, (rows.address(first), _values(rows, first))))
    return card(replace(own, caption=caption, neighbour=beside))


def _other(rows: Rows, f: Finding, group: list[int]) -> int | None:
    """A row to be drawn beside the first: of another structure, and of another part where that is the point."""
    others = [r for r in group[1:] if rows.structure[r] != rows.structure[group[0]]]
    if f.kind.startswith(("fold_", "file_")):
        apart = [r for r in others if _part(rows, f, r) != _part(rows, f, group[0])]
        return next(iter(apart or others), None)
    return next(iter(others), None)


def _part(rows: Rows, f: Finding, row: int) -> str:
    return rows.folds[row] if f.kind.startswith("fold") else str(rows.file[row])


def _smiles(rows: Rows, row: int) -> str:
    number = int(rows.structure[row])
    return rows.parents[number] if number >= 0 else rows.given[row]


def _values(rows: Rows, row: int) -> str:
    """What was measured, as text: "pIC50 6.3, active 1"."""
    known = [f"{t.name} {text}" for t in rows.targets[:3] if (text := t.text(row))]
    fold = [rows.folds[row]] if rows.folds and rows.folds[row] else []
    return ", ".join(fold + known)


def _listing(rows: Rows, f: Finding) -> Markup:
    shown = f.rows[:N_LISTED].tolist()
    groups = f.groups[:N_LISTED].tolist()
    notes = [f.notes.get(g, "") for g in groups]
    columns = [Column("row")]
    columns += [Column("structure as given" if rows.molecules else "cells")]
    valued = f.kind not in ("unreadable", "salt", "large_molecule") and any(_values(rows, r) for r in shown)
    columns += [Column("value")] if valued else []
    columns += [Column("")] if any(notes) else []
    made = []
    for row, note in zip(shown, notes, strict=True):
        given = _shortened(rows.given[row].replace("\t", " "), _LONG)
        cells: list[str | Markup] = [rows.address(row), block("lines", [given])]
        cells += [_values(rows, row)] if valued else []
        cells += [block("lines", [_shortened(note, 160)])] if any(notes) else []
        made.append(tuple(cells))
    more = f.n - len(shown)
    caption = f"The first {len(shown)} of {numbers.count(f.n)} rows." if more > 0 else ""
    return table(columns, made, caption=caption)


def _read(made: Audit) -> Section:
    facts = {}
    for counts in made.rows.summary():
        told = f"{counts['rows']:,} rows"
        if "readable" in counts:
            told += f", {counts['readable']:,} with a usable structure, {counts['structures']:,} different structures"
        facts[str(counts["name"])] = told
    if made.rows.targets:
        names = [f"{t.name} ({t.kind})" for t in made.rows.targets[:12]]
        more = len(made.rows.targets) - len(names)
        facts["measured"] = ", ".join(names) + (f" and {more} more" if more > 0 else "")
    blocks = [definitions(facts), bullets([_sentence(s) for s in made.said])]
    if made.not_found:
        blocks += [
            subtitle("Looked for and not found"),
            paragraph(_sentence("; ".join(KINDS[kind] for kind in made.not_found))),
        ]
    return section("What was read", *blocks, anchor="read")


def _sentence(text: str) -> str:
    return _capital(text) + ("" if text.endswith((".", "!", "?")) else ".")


def _capital(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text if "." in first else text[:1].upper() + text[1:]  # a file is called as it is called


def _shortened(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def findings_table(made: Audit) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) of the findings in plain text."""
    lines = [[str(f.severity), f"{f.n:,}", _shortened(_sentence(f.sentence), 300)] for f in made.findings]
    return ["", "rows", "found"], lines


def write(made: Audit, folder: str | Path, *, when: str) -> list[Path]:
    """Write audit.html, audit.json and rows.csv (every row of every finding); their paths.

    Raises:
        InputError: the folder cannot be written to.
    """
    folder = Path(folder)
    table_of_data.write(folder / "rows.csv", made.frame())
    texts: Sequence[tuple[str, str]] = (
        ("audit.html", audit_page(made, when=when)),
        ("audit.json", json.dumps(made.plain(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"),
    )
    for name, text in texts:
        save(folder / name, text.encode("utf-8", "replace").decode("utf-8"))
    return [folder / "audit.html", folder / "audit.json", folder / "rows.csv"]
