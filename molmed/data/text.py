"""Bytes of a text file -> lines, in bounded memory: gzip, encodings, line ends, a file cut short."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from molmed.errors import InputError

_BLOCK = 1 << 17


class Truncated(EOFError):
    """The file ends in the middle; everything before the cut has been yielded."""


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file without their ends ("\\n", "\\r\\n" or "\\r").

    UTF-8 with or without a byte order mark; a line that is not UTF-8 is read as Latin-1. A last line without an
    end counts.

    Raises:
        InputError: the file cannot be opened, is `.gz` but not gzip, or is UTF-16.
        Truncated: a gzip file is cut short or damaged; raised after the lines before the cut.
    """
    held = b""
    first = True
    cut = False
    try:
        for block in _blocks(path):
            if first:
                _refuse_utf16(path, block)
            held += block
            # a "\r" at the very end may be half of "\r\n"
            end = 1 + max(held.rfind(b"\n"), held.rfind(b"\r", 0, -1))
            if end:
                *whole, _ = _split(_decode(held[:end], first))
                held, first = held[end:], False
                yield from whole
    except Truncated:
        cut = True
    *whole, tail = _split(_decode(held, first))
    yield from whole
    if cut:
        raise Truncated(str(path))
    if tail:
        yield tail


def _decode(data: bytes, first: bool) -> str:
    if first:
        data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(_either(line) for line in data.splitlines(keepends=True))


def _either(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _refuse_utf16(path: Path, block: bytes) -> None:
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"reading {path}", "UTF-16 text", "UTF-8 or Latin-1 text", "save it as UTF-8")


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _blocks(path: Path) -> Iterator[bytes]:
    some = False
    with _open(path) as file:
        while True:
            try:
                block = file.read1(_BLOCK)  # read() would lose what stands before a cut
            except (EOFError, zlib.error, gzip.BadGzipFile) as error:
                if isinstance(error, gzip.BadGzipFile) and not some:
                    came = f"no gzip content ({error})"
                    raise InputError(f"reading {path}", came, "a gzip file", "rename it") from None
                raise Truncated(str(path)) from error
            if not block:
                return
            some = True
            yield block


def _open(path: Path) -> gzip.GzipFile | BufferedReader:
    try:
        return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")
    except FileNotFoundError:
        raise InputError(f"reading {path}", "no such file", "an existing file", "check the path") from None
    except IsADirectoryError:
        raise InputError(f"reading {path}", "a folder", "a file", "name a file in it") from None
    except (OSError, ValueError) as error:  # no permission, a name that is too long or holds a NUL character
        came = f"that it cannot be opened ({error})"
        raise InputError(f"reading {str(path)[:200]!r}", came, "a readable file") from None
