"""Put a stored model into one file, or take it out again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from molmed.cli._arguments import parse


@dataclass(frozen=True)
class Pack:
    """Put a model's folder into one zip file, or, with --unpack, make the folder of it again, file for file.

    Every part is verified on the way. All verbs take the packed file in place of the folder.

    Args:
        model: the model's folder; with --unpack the packed file.
        out: where it goes; by default MODEL.zip, and with --unpack the name without .zip.
        unpack: packed file to folder, not folder to packed file.
    """

    model: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="PATH")] = None
    unpack: bool = False


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    given = parse(Pack, "pack", words, example="nav17.molmed")
    from molmed import artefact
    from molmed.cli._said import say
    from molmed.errors import InputError

    model = given.model if given.model.name not in ("", "..") else given.model.resolve()
    if given.unpack:
        if given.out is None and model.suffix != ".zip":
            raise InputError(f"unpacking {model}", "a name without .zip", "a folder to unpack to", "pass --out")
        made = artefact.unpack(model, given.out or model.with_suffix(""))
    else:
        made = artefact.pack(model, given.out or model.with_name(model.name + ".zip"))
    files = [path for path in made.rglob("*") if path.is_file()] if given.unpack else [made]
    say(f"{made}: {sum(path.stat().st_size for path in files):,} bytes, every part verified")
    return 0
