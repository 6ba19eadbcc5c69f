"""What an audit says: findings in words, each with the rows it is about."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Int64

from molmed.data.audit.rows import Rows
from molmed.data.audit.words import count


class Severity(StrEnum):
    """How much a finding matters."""

    ERROR = "error"
    """Scores made on these rows would be wrong, or nothing can be learnt from them."""
    WARNING = "warning"
    """Somebody should look at these rows."""
    NOTE = "note"
    """Worth knowing."""


KINDS = {
    # the rows
    "unreadable": "rows without a usable structure",
    "salt": "salts and solvates",
    "large_molecule": "molecules far larger than what the models are meant for",
    "id_missing": "rows without an id",
    "id_repeated": "one id for different structures",
    "row_repeated": "rows repeated cell for cell",
    # the same compound again
    "repeat": "structures in more than one row",
    "conflict": "repeats with different values",
    "stereo": "structures that differ in their stereo only",
    "tautomer": "structures that are tautomers of each other",
    "cliff": "nearly equal structures with very different values",
    # the values
    "label_missing": "rows without a value",
    "label_unreadable": "values that are neither a number nor a class",
    "label_censored": "values that are a limit (> or <), not a measurement",
    "label_constant": "one value only",
    "label_balance": "a rare class",
    "label_limit": "many values at the lowest or the highest",
    "label_ties": "many equal values",
    "unit": "values off by a factor of 1,000 or more, as by another unit",
    "units": "several units in one column",
    "outlier": "values far from all others",
    # other columns
    "column_constant": "columns with one value only",
    "column_missing": "columns with many empty cells",
    "column_text": "text in columns of numbers",
    "column_zero": "zeros that may stand for unknown",
    # between folds
    "fold_missing": "rows without a fold",
    "fold_structure": "structures in several folds",
    "fold_stereo": "stereoisomers in several folds",
    "fold_near": "nearly equal structures in several folds",
    "fold_scaffold": "scaffolds in several folds",
    "fold_label": "folds with other values than the rest",
    # between two files
    "file_structure": "structures in both files",
    "file_conflict": "structures with another value in the other file",
    "file_stereo": "stereoisomers in both files",
    "file_near": "nearly equal structures in both files",
    "file_scaffold": "scaffolds in both files",
    "file_id": "ids in both files",
}
"""Everything an audit looks for: kind -> what is found, in words."""


@dataclass(frozen=True, eq=False)
class Finding:
    """One thing that was found.

    Args:
        kind: one of `KINDS`.
        n: rows it is about.
        sentence: what was found, for the user.
        rows: positions of these rows in the audit's rows, the worst first, those that belong together side by side.
        groups: for each of them a number, equal for rows that belong together, ascending.
        about: the target, reason or column, where there are several.
        numbers: the counts behind the sentence.
        notes: group -> a few words on it, e.g. the similarity of two structures.
    """

    kind: str
    severity: Severity
    n: int
    sentence: str
    rows: Int64[np.ndarray, " rows"]
    groups: Int64[np.ndarray, " rows"]
    about: str = ""
    numbers: Mapping[str, float | int | str] = field(default_factory=dict)
    notes: Mapping[int, str] = field(default_factory=dict)

    def worst(self, n: int) -> list[list[int]]:
        """The rows of the first n groups."""
        return [self.rows[self.groups == g].tolist() for g in range(min(n, int(self.groups.max(initial=-1)) + 1))]


def finding(
    kind: str,
    severity: Severity,
    sentence: str,
    groups: Sequence[Sequence[int] | np.ndarray] | Int64[np.ndarray, " rows"],
    *,
    about: str = "",
    numbers: Mapping[str, float | int | str] | None = None,
    notes: Mapping[int, str] | None = None,
    n: int | None = None,
) -> Finding:
    """A finding from groups of row positions, the worst first; from an array every row is a group of its own.

    A row may stand in several groups; it counts once. `n` is given where `groups` are examples only.
    """
    if isinstance(groups, np.ndarray):
        rows, number = groups.astype(np.int64), np.arange(len(groups), dtype=np.int64)
    else:
        rows = np.concatenate([np.asarray(g, dtype=np.int64) for g in groups] or [np.empty(0, dtype=np.int64)])
        number = np.repeat(np.arange(len(groups), dtype=np.int64), [len(g) for g in groups])
    total = len(np.unique(rows)) if n is None else n
    return Finding(kind, severity, total, sentence, rows, number, about, numbers or {}, notes or {})


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found.

    Args:
        rows: what was looked at.
        findings: the most severe first.
        looked_for: the kinds that were looked for; one without a finding was not found.
        said: sentences on what was guessed, and on what could not be looked for.
    """

    rows: Rows
    findings: tuple[Finding, ...]
    looked_for: tuple[str, ...]
    said: tuple[str, ...] = ()

    def of(self, kind: str, about: str | None = None) -> list[Finding]:
        """The findings of one kind."""
        return [f for f in self.findings if f.kind == kind and (about is None or f.about == about)]

    @property
    def not_found(self) -> list[str]:
        """The kinds that were looked for in vain."""
        found = {f.kind for f in self.findings}
        return [kind for kind in self.looked_for if kind not in found]

    def __repr__(self) -> str:
        counts = Counter(f.severity for f in self.findings)
        told = ", ".join(count(counts[s], s) for s in Severity if counts[s]) or "nothing found"
        return f"Audit({' and '.join(self.rows.names)}, {len(self.rows):,} rows: {told})"

    def _repr_html_(self) -> str:
        from molmed.report.audit import audit_shown  # stands above this room, see pyproject.toml

        return audit_shown(self).html

    def frame(self) -> pd.DataFrame:
        """One row per row of a finding: finding (its number), kind, severity, about, group, note, and the row."""
        parts = []
        for number, f in enumerate(self.findings):
            part = self.rows.frame(f.rows)
            part.insert(0, "finding", number)
            part.insert(1, "kind", f.kind)
            part.insert(2, "severity", str(f.severity))
            part.insert(3, "about", f.about)
            part.insert(4, "group", f.groups)
            part.insert(5, "note", [f.notes.get(g, "") for g in f.groups.tolist()])
            parts.append(part)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["finding", "kind"])

    def plain(self, listed: int = 1000) -> dict[str, Any]:
        """JSON of it, with the addresses of at most so many rows of each finding."""
        return {
            "files": self.rows.summary(),
            "targets": [{"name": t.name, "kind": t.kind} for t in self.rows.targets],
            "said": list(self.said),
            "findings": [
                {
                    "kind": f.kind,
                    "severity": str(f.severity),
                    "about": f.about,
                    "rows": f.n,
                    "sentence": f.sentence,
                    "numbers": dict(f.numbers),
                    "addresses": [
                        {"group": int(g), "file": self.rows.names[self.rows.file[r]], "row": int(self.rows.row[r])}
                        | ({"id": self.rows.ids[r]} if self.rows.ids[r] else {})
                        for r, g in zip(f.rows[:listed].tolist(), f.groups[:listed].tolist(), strict=True)
                    ],
                }
                for f in self.findings
            ],
            "not_found": self.not_found,
        }
