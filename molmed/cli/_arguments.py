"""Words of a command line -> a dataclass, by tyro; a mistake is a sentence and exit code 1."""

import sys
from collections.abc import Sequence
from inspect import getdoc
from shutil import get_terminal_size
from textwrap import fill
from typing import TypeVar

import tyro

T = TypeVar("T")


def parse(cls: type[T], verb: str, words: Sequence[str], *, example: str, reads: bool = False, writes: str = "") -> T:
    """The arguments of a verb.

    Args:
        example: what stands behind "molmed VERB" in the example that its help ends with.
        reads: whether it reads tables; its help then names the formats.
        writes: the flags that name tables to be written, e.g. "--out"; the help then names the formats.

    Raises:
        SystemExit: 0 after --help; 1 for words that do not fit, after tyro has said which on stderr.
    """
    text = None
    if {"-h", "--help"} & set(words):
        parts = [(getdoc(cls) or "").split("\n\nArgs:")[0]]
        parts += [_read()] if reads else []
        parts += [f"Writes in the format of the extension of {writes}: {_written()}"] if writes else []
        width = min(100, get_terminal_size().columns)
        # tyro wraps no description, and joins lines that begin with a letter
        wrapped = [
            fill(" ".join(t.split()), width, subsequent_indent="  ") for part in parts for t in part.split("\n\n")
        ]
        text = "\n\n".join([*wrapped, f"Example:\n  molmed {verb} {example}"])
    try:
        return tyro.cli(cls, prog=f"molmed {verb}", description=text, args=list(words))
    except SystemExit as end:
        sys.exit(1 if end.code else 0)


def _read() -> str:
    from molmed import catalog
    from molmed.data.packing import PACKINGS

    sources = [catalog.load("sources", name) for name in catalog.names("sources")]
    plain = " ".join(e for s in sources if s.packed for e in s.extensions)
    inside = " ".join(e for s in sources if not s.packed for e in s.extensions)
    return (
        f"Reads {plain}, each also packed ({' '.join(PACKINGS)}), and {inside}. A folder, or a pattern in quotes such"
        " as 'lib/*.smi.gz', is read as one table."
    )


def _written() -> str:
    from molmed import catalog
    from molmed.data.packing import PACKINGS

    sinks = [catalog.load("sinks", name) for name in catalog.names("sinks")]
    plain = " ".join(e for s in sinks if s.packed for e in s.extensions)
    inside = " ".join(e for s in sinks if not s.packed for e in s.extensions)
    return f"{plain}, each also packed ({' '.join(PACKINGS)}), or {inside}."
