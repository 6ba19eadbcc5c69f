"""Molecules: read, standardise, scaffolds, fingerprints. RDKit and numpy only."""

from molmed.chem.molecule import Molecule
from molmed.chem.read import read

__all__ = ["Molecule", "read"]
