"""The folder is the registry: file name = entry name, listed from the source text without importing it.

A shelf is a folder of the package. A folder named in the environment variable MOLMED_SHELVES may hold
sub-folders with the names below; their files join the shelves, so adding an entry takes one file and no
change of the package. An entry's file defines `ENTRY`, the object the shelf's contract asks for, and its
docstring's first line is its description. Files whose name starts with `_` are parts, not entries.
"""

import ast
import importlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molmed.errors import UnknownNameError

SHELVES = {
    "sources": "data/sources",
    "sinks": "data/sinks",
    "splits": "data/splits",
    "features": "features",
    "tasks": "tasks",
    "encoders": "nn/encoders",
    "heads": "nn/heads",
    "trees": "trees",
}
_ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One file of a shelf; `module` is the import name it gets when loaded."""

    shelf: str
    name: str
    description: str
    path: Path
    module: str


def entries(shelf: str) -> tuple[Entry, ...]:
    """Every entry of a shelf, by name, without importing any of them.

    Raises:
        UnknownNameError: no such shelf.
    """
    if shelf not in SHELVES:
        raise UnknownNameError("looking up a shelf", shelf, SHELVES)
    package = "molmed." + SHELVES[shelf].replace("/", ".")
    folders = [_ROOT / SHELVES[shelf]]
    folders += [Path(p) / shelf for p in os.environ.get("MOLMED_SHELVES", "").split(os.pathsep) if p]
    found: dict[str, Entry] = {}
    for folder in folders:
        for path in sorted(folder.glob("*.py")):
            if not path.name.startswith("_") and path.stem not in found:
                found[path.stem] = Entry(shelf, path.stem, _first_line(path), path, f"{package}.{path.stem}")
    return tuple(found[name] for name in sorted(found))


def names(shelf: str) -> tuple[str, ...]:
    """The names on a shelf, sorted."""
    return tuple(e.name for e in entries(shelf))


def load(shelf: str, name: str) -> Any:
    """The `ENTRY` object of one file of a shelf; only that file is imported.

    Raises:
        UnknownNameError: no such entry; the message holds the nearest names.
    """
    by_name = {e.name: e for e in entries(shelf)}
    if name not in by_name:
        raise UnknownNameError(f"looking up a name among {shelf}", name, by_name)
    entry = by_name[name]
    if _ROOT in entry.path.parents:
        return importlib.import_module(entry.module).ENTRY
    if entry.module not in sys.modules:
        spec = importlib.util.spec_from_file_location(entry.module, entry.path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[entry.module] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[entry.module]
            raise
    return sys.modules[entry.module].ENTRY


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0]
