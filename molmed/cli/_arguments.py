"""Words of a command line -> a dataclass, by tyro; a mistake is a sentence and exit code 1."""

import sys
from collections.abc import Sequence
from typing import TypeVar

import tyro

T = TypeVar("T")


def parse(cls: type[T], verb: str, words: Sequence[str]) -> T:
    """The arguments of a verb.

    Raises:
        SystemExit: 0 after --help; 1 for words that do not fit, after tyro has said which on stderr.
    """
    try:
        return tyro.cli(cls, prog=f"molmed {verb}", args=list(words))
    except SystemExit as end:
        sys.exit(1 if end.code else 0)
