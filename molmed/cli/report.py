"""Write a page on a stored model: scores, errors, data, settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Report:
    """Write a page on a stored model: what it is for, how good it is, where it is wrong, what it learnt from.

    Args:
        model: the model's folder or packed file.
        out: the page, one HTML file that needs nothing else.
        title: of the page; by default the model's name and what it predicts.
    """

    model: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    out: Path = Path("report.html")
    title: str = ""


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    given = parse(Report, "report", words, example="nav17.molmed --out nav17.html")
    from molmed.cli._said import say
    from molmed.experiment.load import load
    from molmed.report.model import write_model_page

    path = write_model_page(load(given.model), given.out, title=given.title)
    say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return 0
