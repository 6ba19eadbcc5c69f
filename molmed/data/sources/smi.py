"""SMILES files (.smi .smiles .ism): a structure, then white space and a name."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from molmed.data.sources._contract import Chunk, Source
from molmed.data.text import Truncated, lines
from molmed.errors import InputError
from molmed.results import Reason, Rejected


class SMI(Source):
    """One row per line, columns "smiles" and "id"; the name may hold blanks and may be missing.

    An empty line in the middle is a row with an empty structure, so that row numbers are line numbers; empty
    lines at the end are not rows. A first line whose first word is "smiles" (any case) is a header.
    """

    extensions = (".smi", ".smiles", ".ism")

    def columns(self, path: Path) -> tuple[str, ...]:
        """Always ("smiles", "id")."""
        try:
            some = next((True for line in lines(path) if line.strip()), False)
        except Truncated:
            some = False
        if not some:
            raise InputError(f"reading {path}", "no whole line", "one SMILES a line", "check the export")
        return ("smiles", "id")

    def chunks(self, path: Path, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        self.columns(path)
        found = _rows(path)
        start = 0
        while batch := list(islice(found, rows)):
            columns: dict[str, list[object]] = {"smiles": [], "id": []}
            rejected = []
            for row, line in enumerate(batch, start):
                words: list[str | None] = [None, None] if line is None else [*line.split(None, 1), None, None][:2]
                if line is None:
                    detail = "the compressed file ends in the middle or is damaged"
                    rejected.append(Rejected(row, str(row), "read", Reason.FILE_TRUNCATED, detail))
                columns["smiles"].append(words[0])
                columns["id"].append(words[1].strip() if words[1] else None)
            yield Chunk(start, columns, len(batch), tuple(rejected))
            start += len(batch)


def _rows(path: Path) -> Iterator[str | None]:
    """The lines that are rows; None = the file is cut short here."""
    empty = 0
    first = True
    try:
        for line in lines(path):
            if not line.strip():
                empty += 1
                continue
            yield from [""] * (0 if first else empty)
            empty = 0
            if first and line.split(None, 1)[0].lower() == "smiles":
                first = False
                continue
            first = False
            yield line
    except Truncated:
        yield None


ENTRY = SMI
