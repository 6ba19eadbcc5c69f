"""The molecule every later room sees."""

from dataclasses import dataclass

from rdkit import Chem

from molmed.results import Reason


@dataclass(frozen=True)
class Molecule:
    """A readable structure.

    Args:
        mol: the standardised parent, sanitised.
        smiles: its canonical isomeric SMILES.
        given: the text as it came.
        stripped: canonical SMILES of the counter-ions and solvents that were removed.
        notes: what the user should know: SALT_STRIPPED, LARGE_MOLECULE.
    """

    mol: Chem.Mol
    smiles: str
    given: str
    stripped: tuple[str, ...] = ()
    notes: tuple[Reason, ...] = ()
