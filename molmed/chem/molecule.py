"""The molecule every later room sees."""

from dataclasses import dataclass
from functools import cached_property

from rdkit import Chem

from molmed.chem.scaffold import murcko
from molmed.results import Reason


@dataclass(frozen=True)
class Molecule:
    """A readable structure.

    Args:
        text: SMILES of the standardised parent; its atoms stand in this order in `mol`.
        given: the text as it came.
        changed: whether standardisation made another structure of it.
        stripped: canonical SMILES of the counter-ions and solvents that were removed.
        notes: what the user should know: SALT_STRIPPED, LARGE_MOLECULE.
    """

    text: str
    given: str
    changed: bool = False
    stripped: tuple[str, ...] = ()
    notes: tuple[Reason, ...] = ()

    @classmethod
    def parsed(
        cls,
        mol: Chem.Mol,
        text: str,
        given: str,
        changed: bool = False,
        stripped: tuple[str, ...] = (),
        notes: tuple[Reason, ...] = (),
    ) -> "Molecule":
        """One whose text has been parsed already."""
        made = cls(text, given, changed, stripped, notes)
        made.__dict__["mol"] = mol  # what the property would compute
        return made

    @classmethod
    def written(
        cls,
        text: str,
        given: str,
        changed: bool,
        stripped: tuple[str, ...],
        notes: tuple[Reason, ...],
        smiles: str,
        scaffold: str | None,
    ) -> "Molecule":
        """One whose canonical SMILES is known already, and its scaffold unless it is None."""
        made = cls(text, given, changed, stripped, notes)
        made.__dict__["smiles"] = smiles  # what the properties would compute
        if scaffold is not None:
            made.__dict__["scaffold"] = scaffold
        return made

    @cached_property
    def mol(self) -> Chem.Mol:
        """The parent, sanitised; parsed on first use: a graph network reads the text and never needs it."""
        mol = Chem.MolFromSmiles(self.text)
        if mol is None:
            raise ValueError(f"the text {self.text!r} of a molecule is no SMILES")
        return mol

    @cached_property
    def smiles(self) -> str:
        """Canonical isomeric SMILES of the parent; written on first use, since it costs as much as parsing."""
        return str(Chem.MolToSmiles(self.mol))

    @cached_property
    def scaffold(self) -> str:
        """See `molmed.chem.scaffold.murcko`; computed on first use, since it costs three times as much as parsing."""
        return murcko(self.smiles)
