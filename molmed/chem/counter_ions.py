"""Organic acids and bases that make salts of drugs: counter-ions where another organic molecule is the parent.

RDKit's list of salts and solvents ends with the simplest ones (acetate, mesylate, triflate), so without these
every tosylate, maleate or tartrate would be a mixture. Chosen from those that the ChEMBL structure pipeline strips
(Bento et al. 2020, J. Cheminform. 12, 51; a test compares with its lists and says why each of the others is left out:
fatty acids, acids of esters, and whatever else is as often a parent as a counter-ion). One solvent is among them:
RDKit's list has no dimethyl sulfoxide as the normaliser writes it.
"""

from functools import cache

from rdkit import Chem

COUNTER_IONS = {
    "adipic acid": "OC(=O)CCCCC(=O)O",
    "ascorbic acid": "OCC(O)C1OC(=O)C(O)=C1O",
    "aspartic acid": "NC(CC(=O)O)C(=O)O",
    "benzenesulfonic acid": "OS(=O)(=O)c1ccccc1",
    "benzoic acid": "OC(=O)c1ccccc1",
    "camphorsulfonic acid": "CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2",
    "carbonic acid": "OC(=O)O",
    "chlorobenzenesulfonic acid": "OS(=O)(=O)c1ccc(Cl)cc1",
    "cinnamic acid": "OC(=O)C=Cc1ccccc1",
    "citric acid": "OC(=O)CC(O)(CC(=O)O)C(=O)O",
    "cyclamic acid": "OS(=O)(=O)NC1CCCCC1",
    "dodecyl sulfate": "CCCCCCCCCCCCOS(=O)(=O)O",
    "ethane-1,2-disulfonic acid": "OS(=O)(=O)CCS(=O)(=O)O",
    "ethanesulfonic acid": "CCS(=O)(=O)O",
    "ethyl sulfate": "CCOS(=O)(=O)O",
    "gentisic acid": "OC(=O)c1cc(O)ccc1O",
    "glucoheptonic acid": "OCC(O)C(O)C(O)C(O)C(O)C(=O)O",
    "gluconic acid": "OCC(O)C(O)C(O)C(O)C(=O)O",
    "glutamic acid": "NC(CCC(=O)O)C(=O)O",
    "glutaric acid": "OC(=O)CCCC(=O)O",
    "glycolic acid": "OCC(=O)O",
    "isethionic acid": "OCCS(=O)(=O)O",
    "lactic acid": "CC(O)C(=O)O",
    "lactobionic acid": "OCC(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)C(O)C(=O)O",
    "maleic and fumaric acid": "OC(=O)C=CC(=O)O",
    "malic acid": "OC(=O)CC(O)C(=O)O",
    "malonic acid": "OC(=O)CC(=O)O",
    "mandelic acid": "OC(=O)C(O)c1ccccc1",
    "methyl sulfate": "COS(=O)(=O)O",
    "naphthalene-1,5-disulfonic acid": "OS(=O)(=O)c1cccc2c1cccc2S(=O)(=O)O",
    "naphthalene-2-sulfonic acid": "OS(=O)(=O)c1ccc2ccccc2c1",
    "oxalic acid": "OC(=O)C(=O)O",
    "pamoic acid": "OC(=O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O",
    "picric acid": "Oc1c([N+](=O)[O-])cc([N+](=O)[O-])cc1[N+](=O)[O-]",
    "pyroglutamic acid": "OC(=O)C1CCC(=O)N1",
    "saccharin": "O=C1NS(=O)(=O)c2ccccc12",
    "salicylic acid": "OC(=O)c1ccccc1O",
    "succinic acid": "OC(=O)CCC(=O)O",
    "tartaric acid": "OC(=O)C(O)C(O)C(=O)O",
    "thiocyanic acid": "N#CS",
    "toluenesulfonic acid": "Cc1ccc(S(=O)(=O)O)cc1",
    "xinafoic acid": "OC(=O)c1ccc2ccccc2c1O",
    "arginine": "NC(CCCNC(=N)N)C(=O)O",
    "benzathine": "C(CNCc1ccccc1)NCc1ccccc1",
    "choline": "C[N+](C)(C)CCO",
    "dicyclohexylamine": "C1CCC(NC2CCCCC2)CC1",
    "diethanolamine": "OCCNCCO",
    "diethylamine": "CCNCC",
    "ethanolamine": "NCCO",
    "ethylenediamine": "NCCN",
    "lysine": "NCCCCC(N)C(=O)O",
    "meglumine": "CNCC(O)C(O)C(O)C(O)CO",
    "triethanolamine": "OCCN(CCO)CCO",
    "triethylamine": "CCN(CC)CC",
    "tromethamine": "NC(CO)(CO)CO",
    "tert-butylamine": "CC(C)(C)N",
    "hydroxyethylpyrrolidine": "OCCN1CCCC1",
    "dimethyl sulfoxide": "C[S+](C)[O-]",
}
"""Name -> SMILES without charge (but quaternary) and stereo."""


def is_counter_ion(parent: Chem.Mol) -> bool:
    """Whether an uncharged fragment is on the list, whatever its stereo."""
    return Chem.MolToSmiles(parent, isomericSmiles=False) in _canonical()


@cache
def _canonical() -> frozenset[str]:
    return frozenset(Chem.CanonSmiles(smiles) for smiles in COUNTER_IONS.values())
