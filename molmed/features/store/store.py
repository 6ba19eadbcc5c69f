"""A folder in which molecules and their features are found again instead of being made again."""

import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from molmed.chem import Molecule, read
from molmed.chem.collector import without_collector
from molmed.chem.fingerprints import morgan_bits
from molmed.chem.standardise import VERSION as STANDARDISATION
from molmed.errors import InputError
from molmed.features._contract import Featurizer, State
from molmed.features._featurised import featurised
from molmed.features._packed import SCHEMAS, Packed
from molmed.features._probe import digest
from molmed.features.store.shards import Entry, Piece, Spread, writing
from molmed.results import Fault, Reason

FORMAT = 1
"""Version of the folder's layout, which this code writes and reads."""

_MARK = "store.json"
_SIZES = "sizes_"


class Store:
    """Molecules and their features in a folder, each found by what it was made of.

    An entry's key is a hash over everything that its content depends on: the cells (or the structures) in order, the
    settings, the versions of RDKit, of the standardisation and of the featurizer, what the featurizer has learnt, and
    what it makes of a few probe molecules. Nothing is ever changed or out of date: another setting is another entry.
    Entries that nobody asks for any more stay; the folder may be deleted at any time.

    On the disk a molecule of ZINC's size (23 atoms) takes 7.4 kB as a graph, 8.2 kB as 2,048 Morgan bits or counts,
    0.2 kB as tokens, 0.3 kB for its fingerprint and 0.1 kB for its structure; while an entry is made, twice as much. A
    featurizer that learns (tokens) has one entry for each vocabulary, so one for each fold.

    Args:
        folder: made if it is not there.

    Raises:
        InputError: the folder holds something else, or was written by a newer version, or cannot be written.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._opened: dict[str, Piece] = {}
        _marked(self.folder)

    def molecules(self, cells: Sequence[object], standardise: bool, spread: Spread = map) -> list[Molecule | Fault]:
        """Per cell what `molmed.chem.read` makes of it; the canonical SMILES and scaffolds come with the molecules.

        Args:
            spread: how shards are made: `map`, or the like in several processes.

        Raises:
            InputError: see `Entry.get`.
        """
        about = {"of": "cells", "standardise": standardise, "standardisation": STANDARDISATION, **_installed()}
        reading = _Read(cells, standardise)
        rows = self._get(about, map(_bytes, cells), len(cells), reading, spread).rows
        return [reading.parsed.get(i) or _restored(row, cells[i]) for i, row in enumerate(rows)]

    def features(
        self, name: str, featurizer: Featurizer, state: State, molecules: Sequence[Molecule], spread: Spread = map
    ) -> tuple[Packed, list[Fault | None]]:
        """(the arrays of those that can be featurised, mapped from the disk; per molecule why it cannot or None).

        Equal to what `featurize` gives, bit for bit. The arrays cannot be written to.

        Args:
            name: the featurizer's on its shelf.
            spread: see `molecules`.

        Raises:
            InputError: see `Entry.get`.
        """
        about = {
            "of": "molecules",
            "featurizer": name,
            "version": featurizer.version,
            "config": asdict(featurizer.config),
            "state": hashlib.sha256(_json(state)).hexdigest(),
            "probe": digest(featurizer, state),
            **_installed(),
        }
        make = _Featurise(featurizer, state, molecules)
        found = self._get(about, (_bytes(m.text) for m in molecules), len(molecules), make, spread)
        faults = [row and Fault(row[0], Reason(row[1]), row[2]) for row in found.rows]
        offsets = {
            array_name.removeprefix(_SIZES): np.concatenate([[0], np.cumsum(array)]).astype(np.int64)
            for array_name, array in found.arrays.items()
            if array_name.startswith(_SIZES)
        }
        fields = {field_name: found.arrays[field_name] for field_name in SCHEMAS[featurizer.kind]}
        return Packed(featurizer.kind, fields, offsets, sum(fault is None for fault in faults)), faults

    def fingerprints(
        self, molecules: Sequence[Molecule], radius: int, n_bits: int, spread: Spread = map
    ) -> UInt8[np.ndarray, "molecules bytes"]:
        """Their Morgan fingerprints, packed as `molmed.chem.fingerprints.morgan_bits` packs them.

        Raises:
            InputError: see `Entry.get`.
        """
        about = {"of": "molecules", "fingerprint": "morgan", "radius": radius, "n_bits": n_bits, **_installed()}
        make = _Fingerprint(molecules, radius, n_bits)
        return self._get(about, (_bytes(m.text) for m in molecules), len(molecules), make, spread).arrays["bits"]

    def _get(
        self,
        about: Mapping[str, Any],
        contents: Iterable[bytes],
        n: int,
        make: Callable[[int, int], Piece],
        spread: Spread,
    ) -> Piece:
        """The entry, which is verified once by this object and then only looked up."""
        hashed = hashlib.sha256(_json(about))
        for content in contents:
            hashed.update(b"%d:" % len(content))  # so that no two lists of cells read alike
            hashed.update(content)
        key = hashed.hexdigest()
        if key not in self._opened:
            self._opened[key] = Entry(self.folder / key, about, n, make).get(spread)
        return self._opened[key]


# What makes an entry is a class and no closure: where a system cannot fork, it is sent to other processes.


@dataclass(frozen=True)
class _Read:
    """`parsed` has the molecules that this process has read, so that it does not parse them again to featurise them."""

    cells: Sequence[object]
    standardise: bool
    parsed: dict[int, Molecule] = field(default_factory=dict)

    def __call__(self, start: int, stop: int) -> Piece:
        rows = []
        with without_collector():
            for i in range(start, stop):
                answer = read(self.cells[i], self.standardise)
                rows.append(_plain(answer))
                if isinstance(answer, Molecule):
                    self.parsed[i] = answer
        return Piece({}, rows)


@dataclass(frozen=True)
class _Featurise:
    featurizer: Featurizer
    state: State
    molecules: Sequence[Molecule]

    def __call__(self, start: int, stop: int) -> Piece:
        packed, faults = featurised(self.featurizer, self.molecules[start:stop], self.state)
        sizes = {_SIZES + level: np.diff(starts) for level, starts in packed.offsets.items()}
        return Piece({**packed.fields, **sizes}, [f and [f.step, str(f.reason), f.detail] for f in faults])


@dataclass(frozen=True)
class _Fingerprint:
    molecules: Sequence[Molecule]
    radius: int
    n_bits: int

    def __call__(self, start: int, stop: int) -> Piece:
        chosen = self.molecules[start:stop]
        return Piece({"bits": morgan_bits([m.mol for m in chosen], self.radius, self.n_bits)}, [None] * len(chosen))


def _marked(folder: Path) -> None:
    """Look at the mark that says which version wrote the folder, or leave one in an empty folder."""
    asked = f"keeping features in {folder}"
    mark = folder / _MARK
    try:
        said = json.loads(mark.read_text(encoding="utf-8"))["format"]
    except FileNotFoundError:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            others = [p.name for p in folder.iterdir() if not p.name.startswith(_MARK)]
            if others and not mark.exists():
                came = f"a folder with {min(others)!r} and no {_MARK} in it"
                raise InputError(asked, came, "a store, or a new or empty folder", "name another one") from None
            temporary = folder / f"{_MARK}.{uuid.uuid4().hex}"
            temporary.write_text(json.dumps({"format": FORMAT}), encoding="utf-8")
            os.replace(temporary, mark)
        return
    except (ValueError, KeyError, TypeError, OSError) as error:
        came = f"no store there ({' '.join(str(error).split())[:200]})"
        raise InputError(asked, came, "a store, or a new or empty folder", "name another one") from None
    if said != FORMAT:
        remedy = "install the version of molmed that wrote it, or name another folder"
        raise InputError(asked, f"a store of format {said!r}", f"format {FORMAT}", remedy)


def _installed() -> dict[str, str]:
    """Whose arrays and whose sentences they are."""
    return {"molmed": version("molmed"), "rdkit": version("rdkit")}


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, allow_nan=False).encode()


def _bytes(cell: object) -> bytes:
    """A cell for the key; a text and a number that reads like it are different cells."""
    if isinstance(cell, str):
        return b"s" + cell.encode("utf-8", "surrogatepass")
    return f"{type(cell).__module__}.{type(cell).__qualname__} {cell!r}".encode("utf-8", "surrogatepass")


def _plain(answer: Molecule | Fault) -> list[Any]:
    if isinstance(answer, Fault):
        return [answer.step, str(answer.reason), answer.detail]
    notes = [str(note) for note in answer.notes]
    try:
        scaffold = answer.scaffold
    except (ValueError, RuntimeError):  # whoever needs it finds out
        scaffold = None
    # a text that is canonical already is not written twice
    smiles = None if answer.smiles == answer.text else answer.smiles
    return [answer.text, answer.changed, list(answer.stripped), notes, smiles, scaffold]


def _restored(row: Sequence[Any], cell: object) -> Molecule | Fault:
    if len(row) == 3:
        return Fault(row[0], Reason(row[1]), row[2])
    text, changed, stripped, notes, smiles, scaffold = row
    assert isinstance(cell, str)
    reasons = tuple(map(Reason, notes))
    return Molecule.written(text, cell, changed, tuple(stripped), reasons, smiles or text, scaffold)
