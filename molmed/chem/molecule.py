"""The molecule every later room sees."""

from dataclasses import dataclass
from functools import cached_property

from rdkit import Chem

from molmed.results import Reason


@dataclass(frozen=True)
class Molecule:
    """A readable structure.

    Args:
        mol: the standardised parent, sanitised.
        given: the text as it came.
        changed: whether standardisation made another structure of it.
        stripped: canonical SMILES of the counter-ions and solvents that were removed.
        notes: what the user should know: SALT_STRIPPED, LARGE_MOLECULE.
    """

    mol: Chem.Mol
    given: str
    changed: bool = False
    stripped: tuple[str, ...] = ()
    notes: tuple[Reason, ...] = ()

    @cached_property
    def smiles(self) -> str:
        """Canonical isomeric SMILES of the parent; written on first use, since it costs as much as parsing."""
        return str(Chem.MolToSmiles(self.mol))
