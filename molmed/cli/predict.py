"""Predict every row of a file with a stored model."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Predict:
    """Predict every row of a file with a stored model; one output row per input row, in order.

    Args:
        model: the model's folder or packed file.
        file: what to predict.
        out: where the predictions go.
        smiles: column of the structures, where the guess would be wrong.
        id: column of the ids, where the guess would be wrong.
        keep: input columns that come out as in_<name>.
        trust: whether intervals, the domain and the nearest measured neighbours are wanted.
        jobs: processes that share the rows; 0: one for each core.
        device: of a network: cpu, cuda, or auto (CUDA where there is a device; one process then does the work).
        precision: of a network's matrix products: 32-true, bf16-mixed, or auto (bf16 where it is fast).
    """

    model: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    file: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE")]
    out: Path
    smiles: str = ""
    id: str = ""
    keep: tuple[str, ...] = ()
    trust: bool = True
    jobs: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "32-true", "bf16-mixed"] = "auto"


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    example = "nav17.molmed new.sdf --out predictions.xlsx"
    given = parse(Predict, "predict", words, example=example, reads=True, writes="--out")
    from molmed.cli._said import RowBar, say
    from molmed.data.write import open_sink
    from molmed.experiment.load import load
    from molmed.experiment.predict import columns, layout_of, predict

    predictor = load(given.model).predictor
    predictor.model.set_device(given.device)
    predictor.model.set_precision(given.precision)
    say(*layout_of(predictor, given.file, given.smiles, given.id, given.keep).said)
    counts: Counter[str] = Counter()
    made = columns(predictor, given.keep, given.trust)
    with RowBar(f"predicting {given.file.name}") as bar, open_sink(given.out, made) as sink:
        bar.advance(0)
        for frame in predict(
            predictor,
            given.file,
            smiles=given.smiles,
            id=given.id,
            keep=given.keep,
            trust=given.trust,
            jobs=given.jobs,
            watch=bar.advance,
        ):
            sink.write(frame)
            counts.update(frame["status"])
    told = ", ".join(f"{n:,} {status}" for status, n in counts.most_common())
    say(f"{given.out}: {counts.total():,} rows ({told})")
    return 0
