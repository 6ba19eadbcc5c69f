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
    found = _paths(shelf)
    package = "molmed." + SHELVES[shelf].replace("/", ".")
    return tuple(Entry(shelf, name, _first_line(path), path, f"{package}.{name}") for name, path in found.items())


def _paths(shelf: str) -> dict[str, Path]:
    """Entry name -> its file, by name; of two files of one name the package's own."""
    if shelf not in SHELVES:
        raise UnknownNameError("looking up a shelf", shelf, SHELVES)
    folders = [_ROOT / SHELVES[shelf]]
    folders += [Path(p) / shelf for p in os.environ.get("MOLMED_SHELVES", "").split(os.pathsep) if p]
    found: dict[str, Path] = {}
    for folder in folders:
        for path in folder.glob("*.py"):
            if not path.name.startswith("_"):
                found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def names(shelf: str) -> tuple[str, ...]:
    """The names on a shelf, sorted."""
    return tuple(_paths(shelf))


def load(shelf: str, name: str) -> Any:
    """The `ENTRY` object of one file of a shelf; only that file is imported.

    Raises:
        UnknownNameError: no such entry; the message holds the nearest names.
    """
    paths = _paths(shelf)
    if name not in paths:
        raise UnknownNameError(f"looking up a name among {shelf}", name, paths)
    path = paths[name]
    module_name = f"molmed.{SHELVES[shelf].replace('/', '.')}.{name}"
    if _ROOT in path.parents:
        return importlib.import_module(module_name).ENTRY
    if module_name not in sys.modules:
        spec = importlib.util.spec_from_file_location(module_name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[module_name]
            raise
    return sys.modules[module_name].ENTRY


def _first_line(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0]
