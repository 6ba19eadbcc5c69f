"""Compare stored models on the same rows: which is better, and where no difference can be detected."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Compare:
    """Score every model on the same rows of a file of measured values, with bootstrap intervals, and test every
    difference on the same resamples, corrected for the number of comparisons.

    Args:
        paths: the models' folders or packed files, then the file of measured values (no file with --out-of-fold).
        out: folder for comparison.html, comparison.json, scores.csv, differences.csv and predictions.parquet.
        out_of_fold: compare the out-of-fold predictions stored in the models, on the rows that all of them hold.
        target: columns of the measured values, in the order of the models' targets, where the names differ.
        metric: what the models are compared by; by default the metric of the first model's task.
        against: compare every other model with this one only, named as in the table; fewer comparisons detect more.
        leave_out_trained: leave out the rows that some model was trained on.
        resamples: of the bootstrap.
        seed: of the bootstrap.
        smiles: column of the structures, where the guess would be wrong.
        id: column of the ids, where the guess would be wrong.
    """

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="MODEL... FILE")]
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    out_of_fold: bool = False
    target: tuple[str, ...] = ()
    metric: str = ""
    against: str = ""
    leave_out_trained: bool = False
    resamples: int = 10_000
    seed: int = 0
    smiles: str = ""
    id: str = ""


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    example = "dmpnn.molmed forest.molmed measured.csv --out comparison"
    given = parse(Compare, "compare", words, example=example, reads=True)
    from molmed.cli._said import rows, say
    from molmed.errors import InputError
    from molmed.experiment.compare import compare, compare_stored
    from molmed.experiment.load import load

    models, file = list(given.paths), None
    if not given.out_of_fold and models:
        file = models.pop()
        if (file / "card.json").is_file():
            came = f"the model {file} where the file of measured values is expected"
            raise InputError("comparing models", came, "MODEL... FILE", "name the file last, or pass --out-of-fold")
    runs = {name: load(path) for name, path in zip(_names(models), models, strict=True)}
    if file is None:
        made = compare_stored(
            runs, metric=given.metric, against=given.against, resamples=given.resamples, seed=given.seed
        )
    else:
        made = compare(
            runs,
            file,
            targets=given.target,
            smiles=given.smiles,
            id=given.id,
            metric=given.metric,
            against=given.against,
            leave_out_trained=given.leave_out_trained,
            resamples=given.resamples,
            seed=given.seed,
        )
    from molmed.report.comparison import differences_table, scores_table, write

    title = f"{len(runs)} models on {file}" if file else f"{len(runs)} models out of fold"
    names, lines = scores_table(made)
    rows(title, names, lines, right=names[-2:])
    names, lines = differences_table(made)
    rows("every comparison", names, lines, right=names[-3:-1])
    say(*made.said)
    if given.out is not None:
        written = write(made, given.out, when=time.strftime("%Y-%m-%d"), file=file.name if file else "")
        say("written: " + ", ".join(map(str, written)))
    return 0


def _names(paths: Sequence[Path]) -> list[str]:
    """The models' names: the last part of their paths, or more of it where that is not enough to tell them apart."""
    short = [path.name.removesuffix(".zip").removesuffix(".molmed") or str(path) for path in paths]
    names = [name if short.count(name) == 1 else str(path) for name, path in zip(short, paths, strict=True)]
    return [name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)]
