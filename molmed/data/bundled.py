"""Real compounds that come with RDKit itself, so that nothing has to be downloaded."""

from pathlib import Path

import pandas as pd
from rdkit import RDConfig


def nav17() -> pd.DataFrame:
    """1,017 aryl sulfonamides with a measured activity: columns smiles, id, pAct (a -log10 of a concentration).

    The two files of RDKit's Free-Wilson example (`Contrib/FreeWilson/data/CHEMBL2321810*`). The name stands for
    the compounds' chemotype, that of Nav1.7 blockers: the files name no target.
    """
    folder = Path(RDConfig.RDContribDir) / "FreeWilson" / "data"
    structures = pd.read_csv(folder / "CHEMBL2321810.smi", sep=" ", names=["smiles", "id"], dtype={"id": str})
    activities = pd.read_csv(folder / "CHEMBL2321810_act.csv", dtype={"Name": str})
    joined = structures.merge(activities, left_on="id", right_on="Name", how="left", validate="one_to_one")
    return joined.rename(columns={"Act": "pAct"})[["smiles", "id", "pAct"]]


def nci_library() -> Path:
    """The first 5,000 compounds of the NCI Open Database as SMILES: 4,999 rows, 8 of them unreadable."""
    return Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"


NCI_ROWS = 4_999
"""Rows of `nci_library`, for a progress bar."""
