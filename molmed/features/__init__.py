"""Shelf: object -> packed numpy arrays. One file per way to look at a molecule, a table row or a set of codes."""

from molmed.features._contract import Featurizer, State, notes
from molmed.features._featurised import featurised
from molmed.features._packed import SCHEMAS, Chosen, Field, Packed, concatenate
from molmed.features._reading import read_molecules

__all__ = [
    "SCHEMAS",
    "Chosen",
    "Featurizer",
    "Field",
    "Packed",
    "State",
    "concatenate",
    "featurised",
    "notes",
    "read_molecules",
]
