"""Run the straight path on compounds that come with RDKit: train, compare, screen, report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Demo:
    """Train three models on RDKit's 1,017 aryl sulfonamides, compare them, screen RDKit's NCI library.

    Args:
        out: folder for hits.parquet, report.html and nav17.molmed.
        quick: fewer folds, epochs and trees: about a minute on two cores.
    """

    out: Path = Path("demo")
    quick: bool = False


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    given = parse(Demo, "demo", words, example="--quick --out demo")
    from molmed.cli._said import RowBar, rows, say, scores
    from molmed.demo import TARGET, demonstrate
    from molmed.train.observers import ProgressBar

    with RowBar("screening") as bar:
        done = demonstrate(
            given.out, quick=given.quick, say=say, watch=lambda label: [ProgressBar(label)], rows=bar.advance
        )
    for name, run in done.choice.runs.items():
        best = ", the best out of fold" if name == done.choice.winner else ""
        scores(f"{name}{best}: test compounds", {TARGET: run.scores["test"][TARGET]})
    kept = [("hits", str(done.hits)), ("report", str(done.report)), ("model", str(done.model))]
    rows(f"done in {done.seconds:.0f} s", ("", " "), kept)
    return 0
