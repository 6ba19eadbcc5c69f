"""A cell of text -> a molecule, or the reason why not. Never an exception."""

import math
import re

from rdkit import Chem, rdBase

from molmed.chem.molecule import Molecule
from molmed.chem.standardise import standardise as full_standardise
from molmed.chem.standardise import unchanged
from molmed.results import Fault, Reason

MAX_CHARACTERS = 50_000
"""Longer text is refused without parsing. Chosen: a 2,000-residue peptide is about 30,000 characters."""

LARGE_ATOMS = 200
"""Heavy atoms from which a molecule is marked as large; chosen: far above the 70 of drug-like space."""

_ERRORS = {
    "AtomValenceException": Reason.VALENCE,
    "KekulizeException": Reason.AROMATICITY,
    "AtomKekulizeException": Reason.AROMATICITY,
}


def read(text: object, standardise: bool = True) -> Molecule | Fault:
    """The standardised molecule of a SMILES cell, or a `Fault` of step "read" or "standardise".

    Accepted: SMILES, CXSMILES, and a SMILES followed by a name; only the part up to the first blank is read.
    A dummy atom `*` is kept (a fragment library is a legal input). Explicit isotopes are kept.
    """
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    if not isinstance(text, str):
        return Fault("read", Reason.NOT_TEXT, f"a {type(text).__name__} where a SMILES was expected")
    words = text.split(None, 1)
    if not words:
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    smiles = words[0]
    if len(smiles) > MAX_CHARACTERS:
        return Fault("read", Reason.SYNTAX, f"{len(smiles)} characters; at most {MAX_CHARACTERS} are parsed")
    with rdBase.BlockLogs():
        if not smiles.isprintable():
            return Fault("read", Reason.SYNTAX, "the text holds control characters")
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            return _why_not(smiles)
        if mol.GetNumAtoms() == 0:
            return Fault("read", Reason.NO_ATOMS, "the SMILES holds no atom")
        return _parent(mol, smiles, text) if standardise else _molecule(mol, text, ())


def _parent(mol: Chem.Mol, smiles: str, given: str) -> Molecule | Fault:
    if unchanged(mol, "." not in smiles):
        return _molecule(mol, given, ())
    answer = full_standardise(mol)
    return answer if isinstance(answer, Fault) else _molecule(answer[0], given, answer[1])


def _molecule(mol: Chem.Mol, given: str, stripped: tuple[str, ...]) -> Molecule:
    notes = (Reason.SALT_STRIPPED,) * bool(stripped)
    notes += (Reason.LARGE_MOLECULE,) * (mol.GetNumHeavyAtoms() >= LARGE_ATOMS)
    return Molecule(mol, Chem.MolToSmiles(mol), given, stripped, notes)


def _why_not(smiles: str) -> Fault:
    """Parse again without chemistry to say what is wrong; only unreadable rows pay for it."""
    if ">" in smiles:
        return Fault("read", Reason.REACTION, "a reaction SMILES; one molecule is expected")
    raw = Chem.MolFromSmiles(smiles, sanitize=False)
    if raw is None:
        return Fault("read", Reason.SYNTAX, f"not a SMILES: {_shortened(smiles)}")
    for problem in Chem.DetectChemistryProblems(raw):
        reason = _ERRORS.get(problem.GetType())
        if reason is not None:
            return Fault("read", reason, re.sub(r"\s+", " ", problem.Message()).strip())
    return Fault("read", Reason.SYNTAX, f"RDKit cannot sanitise it: {_shortened(smiles)}")


def _shortened(text: str, n: int = 80) -> str:
    return text if len(text) <= n else text[:n] + "..."
