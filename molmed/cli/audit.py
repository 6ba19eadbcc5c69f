"""Look for what is wrong with a table: unreadable rows, repeats that disagree, leaks, odd values."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from molmed.cli._arguments import parse
from molmed.data.audit.settings import AuditConfig


@dataclass(frozen=True)
class AuditVerb:
    """Look for what is wrong with a file of measured values, between its folds, and between it and a second file.

    Args:
        files: the file, and perhaps a second one (a test set) that should have nothing in common with it.
        out: folder for audit.html, audit.json and rows.csv (every row of every finding).
        target: columns of the measured values; by default guessed, and said.
        other_target: the same in the second file, where they are called otherwise.
        smiles: column of the structures, where the guess would be wrong.
        id: column of the ids, where the guess would be wrong.
        fold: column of fold names: look for leaks between the folds.
        split: entry of the splits shelf: look for leaks between the folds that it would make.
        folds: of the split.
        seed: of the split.
        strict: exit code 1 if there is an error among the findings.
        settings: where the lines are drawn.
    """

    files: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="FILE [FILE2]")]
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    target: tuple[str, ...] = ()
    other_target: tuple[str, ...] = ()
    smiles: str = ""
    id: str = ""
    fold: str = ""
    split: str = ""
    folds: int = 5
    seed: int = 0
    strict: bool = False
    settings: Annotated[AuditConfig, tyro.conf.arg(name="")] = field(default_factory=AuditConfig)


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    given = parse(AuditVerb, "audit", words, example="train.csv test.sdf --target pIC50 --out audit", reads=True)
    from molmed.cli._said import rows, say
    from molmed.data.audit import Severity, audit
    from molmed.errors import InputError
    from molmed.report.audit import findings_table, write

    if not 1 <= len(given.files) <= 2:
        raise InputError("auditing", f"{len(given.files)} files", "one file, or two", "name one or two")
    began = time.perf_counter()
    file, other = (*given.files, None)[:2]
    assert file is not None
    made = audit(
        file,
        other,
        targets=given.target,
        other_targets=given.other_target,
        smiles=given.smiles,
        id=given.id,
        fold=given.fold,
        split=given.split,
        folds=given.folds,
        seed=given.seed,
        settings=given.settings,
    )
    say(*made.said)
    if made.findings:
        names, lines = findings_table(made)
        rows(f"audit of {' and '.join(made.rows.names)}", names, lines, right=("rows",))
    else:
        print("nothing was found")
    seconds = time.perf_counter() - began
    say(f"{len(made.rows):,} rows, {len(made.looked_for)} kinds of fault looked for in {seconds:.1f} s")
    if given.out is not None:
        say("written: " + ", ".join(map(str, write(made, given.out, when=time.strftime("%Y-%m-%d")))))
    errors = sum(f.severity == Severity.ERROR for f in made.findings)
    if given.strict and errors:
        say(f"exit code 1 (--strict): {errors} of the findings {'is an error' if errors == 1 else 'are errors'}")
        return 1
    return 0
