"""A structure without its stereo: what diastereomers, enantiomers and unassigned drawings share."""

from rdkit import Chem

from molmed.chem.molecule import Molecule

_STEREO = frozenset("@/\\")


def skeleton(molecule: Molecule) -> str:
    """Canonical SMILES without stereo; isotopes stay."""
    if not _STEREO & set(molecule.smiles):
        return molecule.smiles
    flat = Chem.Mol(molecule.mol)
    Chem.RemoveStereochemistry(flat)
    return str(Chem.MolToSmiles(flat))
