"""List what is on the shelves: models, features, tasks, splits, file formats."""

import sys
from collections.abc import Sequence

from molmed import catalog
from molmed.errors import UnknownNameError

_USAGE = """usage: molmed catalog [SHELF]

List every entry of every shelf, or of one, with a line on each: models, featurizers, splits, tasks, and the file
formats that are read (sources) and written (sinks).

Example:
  molmed catalog sources"""


def main(words: Sequence[str]) -> int:
    """Print the shelves.

    Raises:
        UnknownNameError: no such shelf.
    """
    if set(words) & {"-h", "--help"}:
        print(_USAGE)
        return 0
    for word in words:
        if word not in catalog.SHELVES:
            raise UnknownNameError("listing a shelf", word, catalog.SHELVES)
    listed = {shelf: catalog.entries(shelf) for shelf in words or catalog.SHELVES}
    width = max((len(e.name) for entries in listed.values() for e in entries), default=0)
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    for shelf, entries in listed.items():
        print(f"{bold}{shelf}{plain}")
        for entry in entries:
            print(f"  {entry.name:<{width}}  {entry.description}")
    return 0
