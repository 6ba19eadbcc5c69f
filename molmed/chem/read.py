"""A cell of text -> a molecule, or the reason why not. Never an exception."""

import math
import re
from dataclasses import dataclass
from numbers import Real

from rdkit import Chem, rdBase

from molmed.chem.molecule import Molecule
from molmed.chem.protonation import Neutral, neutral_text
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


@dataclass(frozen=True)
class Draft:
    """A cell before it is parsed.

    Args:
        given: the cell.
        smiles: its first word.
        neutral: what may be parsed in its place, and must then pass `acceptable`; None if only the full path will do.
    """

    given: str
    smiles: str
    neutral: Neutral | None


def draft(cell: object, standardise: bool = True) -> Draft | Fault:
    """What a cell says as text, or why it cannot be a SMILES."""
    if cell is None or (isinstance(cell, Real) and math.isnan(cell)):
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    if not isinstance(cell, str):
        return Fault("read", Reason.NOT_TEXT, f"a value of type {type(cell).__name__} where a SMILES was expected")
    words = cell.split(None, 1)
    if not words:
        return Fault("read", Reason.EMPTY, "the structure cell is empty")
    smiles = words[0]
    if len(smiles) > MAX_CHARACTERS:
        return Fault("read", Reason.SYNTAX, f"{len(smiles)} characters; at most {MAX_CHARACTERS} are parsed")
    if not (smiles.isascii() and smiles.isprintable()):  # RDKit would cut such characters off at either end
        alien = next(c for c in smiles if not (c.isascii() and c.isprintable()))
        return Fault("read", Reason.SYNTAX, f"not a SMILES: it holds the character {alien!r} (U+{ord(alien):04X})")
    if not standardise:
        return Draft(cell, smiles, Neutral(smiles))
    return Draft(cell, smiles, None if "." in smiles else neutral_text(smiles))


def read(cell: object, standardise: bool = True) -> Molecule | Fault:
    """The standardised molecule of a SMILES cell, or a `Fault` of step "read" or "standardise".

    Accepted: SMILES, CXSMILES, and a SMILES followed by a name; only the part up to the first blank is read.
    A dummy atom `*` is kept (a fragment library is a legal input). Explicit isotopes are kept.
    """
    found = draft(cell, standardise)
    if isinstance(found, Fault):
        return found
    if found.neutral is not None:
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(found.neutral.smiles)
        if mol is not None and mol.GetNumAtoms() and (not standardise or acceptable(mol, found.neutral)):
            return accepted(found, mol.GetNumHeavyAtoms(), mol)
    return read_fully(found, standardise)


def acceptable(mol: Chem.Mol, neutral: Neutral) -> bool:
    """Whether a parsed neutral text is what the full path would make of the cell."""
    hydrogens = all(mol.GetAtomWithIdx(atom).GetTotalNumHs() == n for atom, n in neutral.hydrogens)
    return hydrogens and unchanged(mol, True)


def accepted(draft: Draft, heavy_atoms: int, mol: Chem.Mol | None = None) -> Molecule:
    """The molecule of a draft whose neutral text has passed; `mol` is that text parsed, where it was."""
    assert draft.neutral is not None
    text = draft.neutral.smiles
    changed, notes = text != draft.smiles, _notes((), heavy_atoms)
    if mol is None:
        return Molecule(text, draft.given, changed, (), notes)
    return Molecule.parsed(mol, text, draft.given, changed, (), notes)


def read_fully(draft: Draft, standardise: bool = True) -> Molecule | Fault:
    """The molecule by every step of the standardisation, or the reason why there is none."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(draft.smiles)
        if mol is None:
            return _why_not(draft.smiles)
        if mol.GetNumAtoms() == 0:
            return Fault("read", Reason.NO_ATOMS, "the SMILES holds no atom")
        if not standardise:
            return Molecule.parsed(mol, draft.smiles, draft.given, False, (), _notes((), mol.GetNumHeavyAtoms()))
        answer = full_standardise(mol)
        if isinstance(answer, Fault):
            return answer
        parent, stripped = answer
        written = Chem.MolToSmiles(parent)
        if not stripped and written == Chem.MolToSmiles(mol):
            return Molecule.parsed(mol, draft.smiles, draft.given, False, (), _notes((), mol.GetNumHeavyAtoms()))
        # read again, so that a salt has the very features of its parent (hydrogens and radicals of metals differ else)
        again = Chem.MolFromSmiles(written)
    if again is None:
        return Fault("standardise", Reason.STANDARDISE, f"the parent {_shortened(written)} cannot be read")
    notes = _notes(stripped, again.GetNumHeavyAtoms())
    return Molecule.parsed(again, written, draft.given, True, stripped, notes)


def _notes(stripped: tuple[str, ...], heavy_atoms: int) -> tuple[Reason, ...]:
    notes = (Reason.SALT_STRIPPED,) * bool(stripped)
    return notes + (Reason.LARGE_MOLECULE,) * (heavy_atoms >= LARGE_ATOMS)


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
