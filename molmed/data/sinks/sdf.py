"""Structure-data files (.sdf): a drawn structure and the values a record, for viewers and modelling programs."""

import io
import re
from pathlib import Path

import pandas as pd

from molmed.data.packing import pack
from molmed.data.sinks._contract import Sink
from molmed.data.sinks._structure import id_column, structure_column
from molmed.data.sinks._values import texts


class SDF(Sink):
    """One record per row: the id as name line, a mol block with 2-D coordinates, every column but the id as property.

    The block is the structure as given, V2000, V3000 from 1,000 atoms or bonds on. A row whose structure cannot be
    read has a block without atoms, so that records and rows stay one to one, and its text among the properties.
    Unknown values are left out. A property cannot hold line breaks: each becomes a blank. Numbers in the shortest form
    that reads back to the same float32; equal tables are equal files, packed or not. About 0.3 ms a row: for hits
    rather than for libraries.
    """

    extensions = (".sdf", ".sd")

    def _open(self, path: Path) -> None:
        self.structure, self.id = structure_column(self.columns, self.path), id_column(self.columns)
        self.text = io.TextIOWrapper(pack(path, self.packing), encoding="utf-8", newline="")

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        cells = {name: texts(frame[name], kind) for name, kind in self.columns.items()}
        heads = {name: re.sub(r"[<>\r\n]", "_", name) for name in self.columns if name != self.id}
        for row in range(len(frame)):
            name = _line(cells[self.id][row]) if self.id else ""
            self.text.write(_block(cells[self.structure][row], name))
            for column, head in heads.items():
                if value := _line(cells[column][row]):
                    self.text.write(f">  <{head}>\n{value}\n\n")
            self.text.write("$$$$\n")

    def _close(self) -> None:
        self.text.close()


def _line(text: str) -> str:
    """One line that neither ends the record nor looks like the head of a property."""
    line = re.sub(r"\r\n|\r|\n", " ", text) if text.strip() else ""
    return f" {line}" if re.match(r"\$\$\$\$|>([ \t].*)?<.*>", line) else line


_EMPTY = "\n     molmed\n\n  0  0  0  0  0  0  0  0  0  0999 V2000\nM  END\n"


def _block(smiles: str, name: str) -> str:
    from rdkit import Chem, rdBase
    from rdkit.Chem import rdDepictor

    from molmed.chem import Molecule, read

    molecule = read(smiles, standardise=False)
    if not isinstance(molecule, Molecule):
        return name + _EMPTY
    with rdBase.BlockLogs():
        mol = Chem.Mol(molecule.mol)
        mol.SetProp("_Name", "")  # the name goes before the block: RDKit would cut it
        rdDepictor.Compute2DCoords(mol)
        try:
            block: str = Chem.MolToMolBlock(mol)
        except (ValueError, RuntimeError):  # an aromatic system without a Kekule form
            block = Chem.MolToMolBlock(mol, kekulize=False)
    return name + block


ENTRY = SDF
