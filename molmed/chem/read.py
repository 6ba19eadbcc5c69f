"""A cell of text -> a molecule, or the reason why not. Never an exception."""

import math
import re
from numbers import Real

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
    if text is None or (isinstance(text, Real) and math.isnan(text)):
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    if not isinstance(text, str):
        return Fault("read", Reason.NOT_TEXT, f"a value of type {type(text).__name__} where a SMILES was expected")
    words = text.split(None, 1)
    if not words:
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    smiles = words[0]
    if len(smiles) > MAX_CHARACTERS:
        return Fault("read", Reason.SYNTAX, f"{len(smiles)} characters; at most {MAX_CHARACTERS} are parsed")
    with rdBase.BlockLogs():
        if not (smiles.isascii() and smiles.isprintable()):  # RDKit would cut such characters off at either end
            alien = next(c for c in smiles if not (c.isascii() and c.isprintable()))
            return Fault("read", Reason.SYNTAX, f"not a SMILES: it holds the character {alien!r} (U+{ord(alien):04X})")
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            return _why_not(smiles)
        if mol.GetNumAtoms() == 0:
            return Fault("read", Reason.NO_ATOMS, "the SMILES holds no atom")
        return _parent(mol, smiles, text) if standardise else _molecule(mol, text, False, ())


def _parent(mol: Chem.Mol, smiles: str, given: str) -> Molecule | Fault:
    if unchanged(mol, "." not in smiles):
        return _molecule(mol, given, False, ())
    answer = full_standardise(mol)
    if isinstance(answer, Fault):
        return answer
    parent, stripped = answer
    written = Chem.MolToSmiles(parent)
    if not stripped and written == Chem.MolToSmiles(mol):
        return _molecule(mol, given, False, ())
    # read again, so that a salt has the very features of its parent (hydrogens and radicals of metals differ else)
    again = Chem.MolFromSmiles(written)
    if again is None:
        return Fault("standardise", Reason.STANDARDISE, f"the parent {_shortened(written)} cannot be read")
    return _molecule(again, given, True, stripped)


def _molecule(mol: Chem.Mol, given: str, changed: bool, stripped: tuple[str, ...]) -> Molecule:
    notes = (Reason.SALT_STRIPPED,) * bool(stripped)
    notes += (Reason.LARGE_MOLECULE,) * (mol.GetNumHeavyAtoms() >= LARGE_ATOMS)
    return Molecule(mol, given, changed, stripped, notes)


def _why_not(smiles: str) -> Fault:
    """Parse again without chemistry to say what is wrong; only unreadable rows pay for it."""
    if (value := _number(smiles)) is not None:
        if math.isnan(value):
            return Fault("read", Reason.EMPTY, f"the structure cell holds {smiles!r}")
        return Fault("read", Reason.NOT_TEXT, f"the number {smiles} where a SMILES was expected")
    if not smiles.strip("."):
        return Fault("read", Reason.NO_ATOMS, "the SMILES holds nothing but empty fragments")
    if smiles.replace("->", "").count(">") == 2:  # "->" is a dative bond
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


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
