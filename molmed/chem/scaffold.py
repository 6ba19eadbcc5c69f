"""Bemis-Murcko scaffolds (Bemis & Murcko 1996, J. Med. Chem. 39, 2887)."""

from rdkit import Chem, rdBase


def murcko(smiles: str) -> str:
    """Canonical SMILES of the scaffold, without stereo; "" for an acyclic or unreadable molecule.

    Stereo is left out as in DeepChem's and chemprop's scaffold splits, so that stereoisomers share a fold.
    """
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        return "" if mol is None else murcko_of(mol)


def murcko_of(mol: Chem.Mol) -> str:
    """The same of a molecule.

    What RDKit's MurckoScaffold.GetScaffoldForMol does; its module loads most of RDKit with it, which every prediction
    would wait for.
    """
    scaffold = Chem.MurckoDecompose(mol)
    scaffold.ClearComputedProps()
    scaffold.UpdatePropertyCache()
    Chem.GetSymmSSSR(scaffold)
    return str(Chem.MolToSmiles(scaffold, isomericSmiles=False))
