"""Bytes of a text file -> lines, in bounded memory: packed files, encodings, line ends, a file cut short."""

import codecs
from collections.abc import Iterator

from molmed.data.address import Address, shown
from molmed.data.packing import Truncated as Truncated
from molmed.data.packing import content
from molmed.errors import InputError

_LONGEST = 1 << 28
"""Bytes of one line; chosen: more than any cell, less than what fills a memory (a file without line ends)."""


def lines(address: Address) -> Iterator[str]:
    """The lines of a text file without their ends ("\\n", "\\r\\n" or "\\r"). See `blocks`."""
    for some, _ in blocks(address):
        yield from some


def blocks(address: Address) -> Iterator[tuple[list[str], float]]:
    """The lines some thousands at a time, each time with the share of the file read so far (nan: unknown).

    UTF-8 with or without a byte order mark; a line that is not UTF-8 is read as Latin-1. A last line without an
    end counts.

    Raises:
        InputError: the file cannot be opened, is not packed as its extension says, is UTF-16, or has no line ends.
        Truncated: a packed file is cut short or damaged; raised after the lines before the cut.
    """
    held: list[bytes] = []  # the beginning of a line
    first = True
    done = 0.0
    cut = False
    try:
        for block, done in content(address):
            if first and not held:
                _refuse_utf16(address, block)
            if held and held[-1].endswith(b"\r"):  # it may have been half of "\r\n"
                block = held.pop() + block
            end = 1 + max(block.rfind(b"\n"), block.rfind(b"\r", 0, -1))
            if not end:
                held.append(block)
                _refuse_endless(address, held)
                continue
            *whole, _ = _split(_decode(b"".join((*held, block[:end])), first))
            held, first = [block[end:]], False
            yield whole, done
    except Truncated:
        cut = True
    *whole, tail = _split(_decode(b"".join(held), first))
    if tail and not cut:
        whole.append(tail)
    if whole:
        yield whole, done
    if cut:
        raise Truncated(str(address))


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


def _refuse_utf16(address: Address, block: bytes) -> None:
    if block.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InputError(f"reading {shown(address)}", "UTF-16 text", "UTF-8 or Latin-1 text", "save it as UTF-8")


def _refuse_endless(address: Address, held: list[bytes]) -> None:
    if len(held) % 64 == 0 and sum(map(len, held)) > _LONGEST:
        came = f"{_LONGEST >> 20} MiB without a line end"
        raise InputError(f"reading {shown(address)}", came, "text, line by line", "check the file's format")


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
