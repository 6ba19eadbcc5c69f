"""Bytes of a text file -> lines, in bounded memory: gzip, encodings, line ends, a file cut short."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from molmed.errors import InputError

_BLOCK = 1 << 20


class Truncated(EOFError):
    """The file ends in the middle; everything before the cut has been yielded."""


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file without their ends ("\\n", "\\r\\n" or "\\r").

    UTF-8 with or without a byte order mark, else Latin-1. A last line without an end counts.

    Raises:
        InputError: no such file, or `.gz` that is not gzip.
        Truncated: a gzip file is cut short; raised after the lines before the cut.
    """
    decoder = codecs.getincrementaldecoder(encoding(path))()
    tail = ""
    cut = False
    try:
        for block in _blocks(path):
            tail += decoder.decode(block)
            # a "\r" at the very end may be half of "\r\n"
            held = "\r" if tail.endswith("\r") else ""
            *whole, tail = _split(tail[: len(tail) - len(held)])
            tail += held
            yield from whole
    except Truncated:
        cut = True
    *whole, tail = _split(tail)
    yield from whole
    if cut:
        raise Truncated(str(path))
    if tail:
        yield tail


def encoding(path: Path) -> str:
    """ "utf-8-sig" if the whole file is UTF-8, else "latin-1". Reads the file once, block by block."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in _blocks(path):
            decoder.decode(block)
    except UnicodeDecodeError:
        return "latin-1"
    except Truncated:
        return "utf-8-sig"
    return "utf-8-sig"


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _blocks(path: Path) -> Iterator[bytes]:
    with _open(path) as file:
        while True:
            try:
                block = file.read1(_BLOCK)  # read() would lose what stands before a cut
            except (EOFError, zlib.error) as error:
                raise Truncated(str(path)) from error
            except gzip.BadGzipFile as error:
                raise InputError(f"reading {path}", f"no gzip content ({error})", "a gzip file", "rename it") from None
            if not block:
                return
            yield block


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    try:
        return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")
    except FileNotFoundError:
        raise InputError(f"reading {path}", "no such file", "an existing file", "check the path") from None
    except IsADirectoryError:
        raise InputError(f"reading {path}", "a folder", "a file", "name a file in it") from None
