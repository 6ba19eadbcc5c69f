"""SMILES files (.smi): a structure and its id a line, nothing else; what docking programs take."""

import io
from pathlib import Path

import pandas as pd

from molmed.data.packing import pack
from molmed.data.sinks._contract import Sink
from molmed.data.sinks._structure import id_column, structure_column


class SMI(Sink):
    """One line per row: the structure up to its first blank, a tab, the id. The other columns are not written.

    A row without a structure has "." there, the SMILES of nothing, so that lines and rows stay one to one. Equal
    tables are equal files, packed or not.
    """

    extensions = (".smi", ".smiles", ".ism")

    def _open(self, path: Path) -> None:
        self.structure, self.id = structure_column(self.columns, self.path), id_column(self.columns)
        self.text = io.TextIOWrapper(pack(path, self.packing), encoding="utf-8", newline="")

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        ids = frame[self.id] if self.id else [""] * len(frame)
        for smiles, id in zip(frame[self.structure], ids, strict=True):
            word = next(iter(str(smiles).split(None, 1)), ".")
            name = " ".join(str(id).split())
            self.text.write(f"{word}\t{name}\n" if name else f"{word}\n")

    def _close(self) -> None:
        self.text.close()


ENTRY = SMI
