"""Packed files (.gz .zst .bz2 .xz) -> their content in bounded memory, and back."""

import bz2
import gzip
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from molmed.data.address import Address, File, name_of, open_bytes, shown
from molmed.errors import InputError

BLOCK = 1 << 17
"""Bytes read, and at most unpacked, at a time."""

_NAMES = {".gz": "gzip", ".zst": "zstd", ".bz2": "bzip2", ".xz": "xz"}
PACKINGS = tuple(_NAMES)


class Truncated(EOFError):
    """The file ends in the middle or is damaged; everything before has been yielded."""


def packing(name: str) -> str:
    """The last extension if it says how the file is packed, else ""."""
    return next((ending for ending in PACKINGS if name.lower().endswith(ending)), "")


def content(address: Address) -> Iterator[tuple[bytes, float]]:
    """The unpacked content block by block, and the share of the stored bytes read so far (nan: size unknown).

    Raises:
        InputError: the file cannot be opened, or is not packed as its extension says.
        Truncated: it ends in the middle or is damaged; raised after what stands before.
    """
    ending = packing(name_of(address))
    with open_bytes(address) as (file, size):
        blocks = _plain(file) if not ending else _gzip(file) if ending == ".gz" else _members(file, ending)
        some = False
        try:
            for block in blocks:
                some = True
                yield block, min(file.tell() / size, 1.0) if size else float("nan")
        except _Damaged as error:
            if not some and error.at_start:
                kind = _NAMES[ending]
                came = f"no {kind} content ({error})"
                raise InputError(f"reading {shown(address)}", came, f"a {kind} file", "rename it") from None
            raise Truncated(str(address)) from error


class _Damaged(Exception):
    """Bytes that cannot be unpacked; `at_start`: the very first ones, not an end that is missing."""

    def __init__(self, why: object, at_start: bool = False) -> None:
        super().__init__(str(why))
        self.at_start = at_start


def _plain(file: File) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _gzip(file: File) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as unpacked:
        while True:
            try:
                block = unpacked.read1(BLOCK)  # read() would lose what stands before a cut
            except gzip.BadGzipFile as error:
                raise _Damaged(error, at_start=True) from error
            except (EOFError, zlib.error) as error:
                raise _Damaged(error) from error
            if not block:
                return
            yield block


def _members(file: File, ending: str) -> Iterator[bytes]:
    """One member after another; unlike the libraries' own files, bytes after a member must be a member too."""
    new, errors = _decoder(ending)
    decoder = new()
    begun = False
    while True:
        data = b""
        if decoder.eof:
            data = decoder.unused_data or file.read(BLOCK)
            while ending == ".xz" and data and not data.strip(b"\0"):  # xz may be padded with zeros
                data = file.read(BLOCK)
            if not data:
                return
            data = data.lstrip(b"\0") if ending == ".xz" else data
            decoder = new()
        elif decoder.needs_input:
            data = file.read(BLOCK)
            if not data and not begun:
                return
            if not data:
                raise _Damaged("it ends in the middle")
        try:
            block = decoder.decompress(data, BLOCK)
        except errors as error:
            raise _Damaged(error, at_start=not begun) from error
        begun = True
        if block:
            yield block


def _decoder(ending: str) -> tuple[Callable[[], Any], tuple[type[Exception], ...]]:
    """(makes a decoder, what it raises on bytes that are not of its kind)."""
    if ending == ".bz2":
        return bz2.BZ2Decompressor, (OSError, ValueError)
    if ending == ".xz":
        return lzma.LZMADecompressor, (lzma.LZMAError,)
    zstd = _zstd()
    return zstd.ZstdDecompressor, (zstd.ZstdError,)


def _zstd() -> Any:
    """Python's own module from 3.14 on, before that its backport."""
    if sys.version_info >= (3, 14):
        from compression import zstd  # type: ignore[import-not-found]
    else:
        from backports import zstd
    return zstd


def pack(path: Path, ending: str) -> File:
    """A new file of this machine that packs what is written to it; equal content makes equal files."""
    if ending == ".gz":
        raw = path.open("wb")
        file = gzip.GzipFile("", "wb", 6, fileobj=raw, mtime=0)  # level of the gzip program; no name and no time inside
        file.myfileobj = raw  # type: ignore[assignment]  # closed with it
        return file
    if ending == ".bz2":
        return bz2.BZ2File(path, "wb")
    if ending == ".xz":
        return lzma.LZMAFile(path, "wb")
    if ending == ".zst":
        return _zstd().ZstdFile(path, "wb")
    return path.open("wb")
