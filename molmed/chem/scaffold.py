"""Bemis-Murcko scaffolds (Bemis & Murcko 1996, J. Med. Chem. 39, 2887)."""

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold


def murcko(smiles: str) -> str:
    """Canonical SMILES of the scaffold, without stereo; "" for an acyclic or unreadable molecule.

    Stereo is left out as in DeepChem's and chemprop's scaffold splits, so that stereoisomers share a fold.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        return "" if mol is None else murcko_of(mol)


def murcko_of(mol: Chem.Mol) -> str:
    """The same of a molecule."""
    return str(Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(mol), isomericSmiles=False))
