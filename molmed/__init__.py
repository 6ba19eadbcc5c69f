"""molmed: drug-discovery molecular modelling, from a SMILES file to ranked, believable predictions."""

__version__ = "0.1.0"
