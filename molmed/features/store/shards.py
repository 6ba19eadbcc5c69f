"""One entry of a store: made shard by shard, joined once, verified at every opening, mapped into memory.

An entry is the folder `<key>`. While it is made its shards stand in `<key>.parts`, each written under a name of its own
and renamed when it is whole. So an interrupted making goes on with the shards that are there, and of two processes that
make the same one the slower throws its own away; neither waits for the other, and there is no lock that a killed
process could leave behind. Nothing here knows what is kept.
"""

import errno
import json
import os
import shutil
import uuid
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from molmed.errors import InputError

SHARD_ROWS = 2_000
"""Rows of a shard: graphs of 15 MB. Few enough for little to be lost, many enough for a shard's files not to count."""

Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""How pieces of work are done: `map`, or the same in several processes."""

_INDEX, _ROWS = "index.json", "rows.json"
_ATTEMPTS = 4
"""A disk that gives back other bytes than it was given is not tried for ever. Chosen."""


class DamagedWarning(UserWarning):
    """A part of a store did not hold what was written and has been made again."""


@dataclass(frozen=True)
class Piece:
    """What is kept of some rows.

    Args:
        arrays: by name; each may have any number of rows of its own, and is joined to those of the next piece.
        rows: one JSON value per row.
    """

    arrays: dict[str, np.ndarray]
    rows: list[Any]


@dataclass(frozen=True)
class Entry:
    """What is to be kept and how it is made.

    Args:
        folder: the entry's, named by its key.
        about: JSON that says what it is; another one in an entry of that name is damage.
        n: rows.
        make: (start, stop) -> what is kept of those rows, always the same.
        shard_rows: rows made at a time.
    """

    folder: Path
    about: Mapping[str, Any]
    n: int
    make: Callable[[int, int], Piece]
    shard_rows: int = SHARD_ROWS

    def get(self, spread: Spread = map) -> Piece:
        """The entry, its arrays mapped from the disk and read-only; what is missing of it is made.

        Raises:
            InputError: the folder cannot be written, the disk is full, or it does not keep what it is given.
        """
        ranges = [(i, min(i + self.shard_rows, self.n)) for i in range(0, max(self.n, 1), self.shard_rows)]
        shard = Shard(self)
        for _ in range(_ATTEMPTS):
            found = self._opened()
            if found is not None:
                shutil.rmtree(self.parts, ignore_errors=True)
                return found
            for _ in spread(shard, [r for r in ranges if not shard.place(r).is_dir()]):
                pass
            self._join([shard.place(r) for r in ranges])
        came = "bytes on the disk that are not those that were written, again and again"
        raise InputError(f"keeping features in {self.folder.parent}", came, "a disk without faults", "use another one")

    @property
    def parts(self) -> Path:
        """Where the shards stand until the entry is whole."""
        return self.folder.with_name(self.folder.name + ".parts")

    def _opened(self) -> Piece | None:
        """The whole entry; None if there is none, or none any more because it was damaged."""
        try:
            found = read(self.folder, self.about)
            if len(found.rows) == self.n:
                return found
            reason = f"{len(found.rows)} rows"
        except FileNotFoundError as error:
            if not self.folder.exists():
                return None
            reason = f"no {Path(error.filename).name}"
        except _Damaged as error:
            reason = str(error)
        self._discard(self.folder, reason, "and are made again")
        return None

    def _join(self, shards: Sequence[Path]) -> None:
        """Write the shards one after the other as one entry; where some are damaged, only take those away."""
        damaged = {}
        with writing(self.folder.parent), unless(self.folder.exists), scratch(self.parts) as temporary:
            with Writer(temporary, self.about) as writer:
                for path in shards:
                    try:
                        writer.append(read(path, self.about))
                    except FileNotFoundError as error:
                        if not path.exists():
                            raise  # by another process, which has made the entry
                        damaged[path] = f"no {Path(error.filename).name}"
                    except _Damaged as error:
                        damaged[path] = str(error)
            if not damaged:
                take_name(temporary, self.folder)
        for path, reason in damaged.items():
            self._discard(path, reason, "and are made again, without those beside them")

    def _discard(self, path: Path, reason: str, what_now: str) -> None:
        warnings.warn(
            f"The features kept in {path} are damaged ({reason}): they are not used {what_now}.",
            DamagedWarning,
            stacklevel=2,
        )
        with writing(self.folder.parent):
            self.parts.mkdir(parents=True, exist_ok=True)
            aside = self.parts / f"damaged-{uuid.uuid4().hex}"
            try:
                os.rename(path, aside)
            except FileNotFoundError:
                return  # another process was faster
            shutil.rmtree(aside, ignore_errors=True)


@dataclass(frozen=True)
class Shard:
    """The work on one shard: a function of its range, so that any process can do it."""

    entry: Entry

    def place(self, rows: tuple[int, int]) -> Path:
        """Where the shard of these rows stands."""
        start, stop = rows
        return self.entry.parts / f"{start:012d}-{stop:012d}"

    def __call__(self, rows: tuple[int, int]) -> None:
        """Make the shard, unless it or the whole entry is there."""
        entry, place = self.entry, self.place(rows)
        if place.is_dir() or entry.folder.exists():
            return
        made = entry.make(*rows)
        with writing(entry.folder.parent), unless(entry.folder.exists):
            entry.parts.mkdir(parents=True, exist_ok=True)
            with scratch(entry.parts) as temporary:
                with Writer(temporary, entry.about) as writer:
                    writer.append(made)
                take_name(temporary, place)


class _Damaged(Exception):
    """What is on the disk is not what was written."""


class Writer:
    """Writes pieces one after the other into one folder: a .npy for each array, the rows as JSON, and an index last.

    The index has the sum of every file, so that a folder without one is not whole. One piece is in memory at a time.
    """

    def __init__(self, folder: Path, about: Mapping[str, Any]) -> None:
        self.folder, self.about = folder, about
        self._files: dict[str, BinaryIO] = {}
        self._lengths: dict[str, int] = {}
        self._sums: dict[str, int] = {}
        self._like: dict[str, np.ndarray] = {}
        self._rows: list[Any] = []

    def __enter__(self) -> "Writer":
        return self

    def append(self, piece: Piece) -> None:
        """Add a piece; all pieces have arrays of the same names, types and widths."""
        for name, array in piece.arrays.items():
            if name not in self._files:
                self._files[name] = (self.folder / f"{name}.npy").open("wb")
                self._lengths[name], self._sums[name], self._like[name] = 0, 0, array[:0].copy()
                self._header(name)
            data = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
            self._files[name].write(data)
            self._lengths[name] += len(array)
            self._sums[name] = zlib.crc32(data, self._sums[name])
        self._rows += piece.rows

    def _header(self, name: str) -> None:
        """Of the length so far: numpy leaves room for the number of rows to grow in place."""
        like = self._like[name]
        shape = (self._lengths[name], *like.shape[1:])
        about = {"descr": npy.dtype_to_descr(like.dtype), "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(self._files[name], about)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        arrays = {}
        try:
            for name, file in self._files.items():
                file.seek(0)
                self._header(name)
                like = self._like[name]
                arrays[name] = [self._sums[name], like.dtype.str, [self._lengths[name], *like.shape[1:]]]
        finally:
            for file in self._files.values():
                file.close()
        if kind is None:
            rows = json.dumps(self._rows, allow_nan=False, separators=(",", ":")).encode()
            (self.folder / _ROWS).write_bytes(rows)
            index = {"about": dict(self.about), "arrays": arrays, "rows": zlib.crc32(rows)}
            (self.folder / _INDEX).write_text(json.dumps(index, indent=1), encoding="utf-8")


def read(folder: Path, about: Mapping[str, Any]) -> Piece:
    """What a `Writer` has written, verified: every byte is read once, which takes a thousandth of making it.

    The sums find damage, not malice, so they are CRC-32: twice as fast here as SHA-256.

    Raises:
        FileNotFoundError: a file is missing, or the whole folder.
        _Damaged: something else stands in it.
    """
    try:
        index = json.loads((folder / _INDEX).read_bytes())
        listed, rows_sum, said = index["arrays"], index["rows"], index["about"]
        data = (folder / _ROWS).read_bytes()
        if said != json.loads(json.dumps(dict(about))):
            raise _Damaged(f"{_INDEX} tells of something else")
        if zlib.crc32(data) != rows_sum:
            raise _Damaged(f"other bytes in {_ROWS}")
        arrays = {}
        for name, (sum_, dtype, shape) in listed.items():
            mapped = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
            array = mapped.view(np.ndarray)  # the same memory, without the cost of a subclass at every indexing
            if (array.dtype.str, list(array.shape)) != (dtype, shape):
                raise _Damaged(f"an array of {array.shape} in {name}.npy, not of {tuple(shape)}")
            if zlib.crc32(array.reshape(-1).view(np.uint8).data) != sum_:
                raise _Damaged(f"other bytes in {name}.npy")
            arrays[name] = array
        return Piece(arrays, json.loads(data))
    except FileNotFoundError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, EOFError, OSError) as error:  # JSON's, numpy's
        raise _Damaged(" ".join(str(error).split())[:200]) from None


@contextmanager
def scratch(parent: Path) -> Iterator[Path]:
    """A new folder with a name of its own; what is left of it at the end of the block is removed."""
    folder = parent / f"making-{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def take_name(temporary: Path, name: Path) -> None:
    """Rename a folder, unless another process has put an equal one there: then there is nothing to do."""
    try:
        os.rename(temporary, name)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY) and not name.is_dir():
            raise


@contextmanager
def unless(done: Callable[[], bool]) -> Iterator[None]:
    """A missing file is no error where another process has done the work and cleared its parts away."""
    try:
        yield
    except FileNotFoundError:
        if not done():
            raise


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What the machine says against writing there, as a sentence."""
    try:
        yield
    except OSError as error:
        accepted = "a folder that you may write to, on a disk with room for the features"
        remedy = "free some space, name another folder as the store, or go without one"
        came = f"that it cannot be written ({error.strerror or error})"
        raise InputError(f"keeping features in {folder}", came, accepted, remedy) from None
