"""Screen libraries: every row predicted, the best kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Screen:
    """Predict every row of one library or several, in bounded memory, and keep the best.

    Args:
        libraries: files of structures, folders or patterns.
        model: the model's folder or packed file.
        out: folder for predictions.parquet (every row), top.parquet (the best) and summary.json.
        top: how many of the best rows are kept.
        target: the target to rank by, where the model has several.
        lowest: the lowest values are the best.
        smiles: column of the structures, where the guess would be wrong.
        id: column of the ids, where the guess would be wrong.
        trust: whether intervals, the domain and the nearest measured neighbours are wanted.
        jobs: processes that share the rows; 0: one for each core.
        device: of a network: cpu, cuda, or auto (CUDA where there is a device; one process then does the work).
    """

    libraries: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="LIBRARY...")]
    model: Path
    out: Path
    top: int = 1000
    target: str = ""
    lowest: bool = False
    smiles: str = ""
    id: str = ""
    trust: bool = True
    jobs: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    example = "library.smi.gz more.sdf --model nav17.molmed --top 1000 --out hits"
    given = parse(Screen, "screen", words, example=example, reads=True)
    from molmed.cli._said import RowBar, rows, say
    from molmed.screen.loop import screen

    with RowBar("screening") as bar:
        bar.advance(0)
        done = screen(
            given.libraries,
            given.model,
            top=given.top,
            out=given.out,
            target=given.target,
            lowest=given.lowest,
            smiles=given.smiles,
            id=given.id,
            trust=given.trust,
            jobs=given.jobs,
            device=given.device,
            watch=bar.advance,
        )
    lines = [(status, reason, f"{n:,}") for (status, reason), n in sorted(done.counts.items())]
    rows(f"{done.rows:,} rows", ("status", "reason", "rows"), lines, right=("rows",))
    best = [(str(r["rank"]), f"{r[done.target]:.3f}", r["id"], r["smiles"]) for _, r in done.top.head(10).iterrows()]
    rows(f"best by {done.target}", ("rank", done.target, "id", "smiles"), best, right=("rank", done.target))
    say(f"{given.out}: {done.rows:,} rows in {done.seconds:.1f} s, {done.rows / done.seconds:,.0f} rows/s")
    return 0
