"""Score a stored model on a file of measured values."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Evaluate:
    """Predict a file and score the predictions against its measured values, with bootstrap intervals.

    Args:
        model: the model's folder or packed file.
        file: rows with measured values.
        target: columns of the measured values, in the order of the model's targets, where the names differ.
        out: where the scores go as a table.
        predictions: where the predictions beside the measured values go.
        smiles: column of the structures, where the guess would be wrong.
        id: column of the ids, where the guess would be wrong.
    """

    model: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    target: tuple[str, ...] = ()
    out: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    predictions: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    smiles: str = ""
    id: str = ""


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    example = "nav17.molmed measured.csv --out scores.csv"
    given = parse(Evaluate, "evaluate", words, example=example, reads=True, writes="--out or --predictions")
    from molmed.cli._said import say, scores
    from molmed.data.write import write
    from molmed.experiment.evaluate import evaluate
    from molmed.experiment.load import load

    run = load(given.model)
    done = evaluate(run, given.file, smiles=given.smiles, id=given.id, targets=given.target)
    scores(f"{given.model} on {given.file}", done.scores)
    say(*(f"{target}: {n:,} of {len(done.predictions):,} rows scored" for target, n in done.n.items()))
    if done.in_training:
        say(f"{done.in_training:,} scored rows are compounds the model was trained on: the scores flatter it")
    if done.rejected:
        first = done.rejected[0]
        say(f"{len(done.rejected):,} cells could not be read, e.g. row {first.row}: {first.detail}")
    for path, frame in ((given.out, done.frame()), (given.predictions, done.predictions)):
        if path is not None:
            write(path, frame)
    return 0
