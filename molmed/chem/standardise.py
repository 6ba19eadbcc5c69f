"""Default standardisation: metals, normalise, reionise, strip, uncharge. No tautomer.

The steps are RDKit's own (rdMolStandardize, after MolVS); they cost about four parses of the SMILES, so a
molecule that `unchanged` proves untouched by all of them skips them.
"""

from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from molmed.results import Fault, Reason

VERSION = "1"
"""Changes whenever the parent of some molecule changes; a stored model refuses another version."""

_METALS = rdMolStandardize.MetalDisconnector()
_NORMALISER = rdMolStandardize.Normalizer()
_REIONISER = rdMolStandardize.Reionizer()
_REMOVER = rdMolStandardize.FragmentRemover()
_UNCHARGER = rdMolStandardize.Uncharger()


def _metals(mol: Chem.Mol) -> None:
    _METALS.DisconnectInPlace(mol)
    Chem.SanitizeMol(mol)


def _normalise(mol: Chem.Mol) -> None:
    _NORMALISER.normalizeInPlace(mol)


def _reionise(mol: Chem.Mol) -> None:
    _REIONISER.reionizeInPlace(mol)


def _strip(mol: Chem.Mol) -> None:
    _REMOVER.removeInPlace(mol)


def _uncharge(mol: Chem.Mol) -> None:
    _UNCHARGER.unchargeInPlace(mol)


def _sanitise(mol: Chem.Mol) -> None:
    Chem.SanitizeMol(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)


STEPS: tuple[tuple[str, Callable[[Chem.Mol], None]], ...] = (
    ("metals", _metals),
    ("normalise", _normalise),
    ("reionise", _reionise),
    ("strip", _strip),
    ("uncharge", _uncharge),
)
"""Ordered, named; each changes the molecule in place."""

# One query for everything a step could act on. RDKit does not show its compiled-in tables to Python, so the
# query is what their left-hand sides have in common: every normalisation needs a charged atom, a sulfoxide
# S(=O), or a neutral N, P, As or Sb drawn with two double bonds, a double and a triple one, or an aromatic
# n=X; reioniser, uncharger and charge corrections need a charged atom or a metal; the metal step a metal.
# Equality with the full path is tested on 99,991 PubChem structures.
_TOUCHED = Chem.MolFromSmarts(
    "[!+0,!#1&!#5&!#6&!#7&!#8&!#9&!#14&!#15&!#16&!#17&!#34&!#35&!#53,$([#16X3]=[#8]),"
    "$([#7,#15](=*)=*),$([#7](=*)#*),$(n=*)]"
)


def unchanged(mol: Chem.Mol, one_fragment: bool) -> bool:
    """Whether the steps would leave the molecule as it is; may say False for one they would not change."""
    return one_fragment and not mol.HasSubstructMatch(_TOUCHED)


def standardise(mol: Chem.Mol) -> tuple[Chem.Mol, tuple[str, ...]] | Fault:
    """(parent, canonical SMILES of what was removed) by the full path; the input is not modified.

    Salts and solvents of RDKit's list go first (the last fragment is always kept). Of what is left, equal
    fragments count once, one organic fragment (with carbon) is the parent of any inorganic rest, and two
    different organic ones are a mixture. A structure without carbon keeps its largest fragment.
    """
    parent = Chem.Mol(mol)
    for name, change in (*STEPS, ("sanitise", _sanitise)):
        try:
            change(parent)
        except (ValueError, RuntimeError) as error:  # RDKit's sanitisation and invariant errors
            return Fault("standardise", Reason.STANDARDISE, f"{name}: {_one_line(error)}")
    before = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    if len(before) == 1 and len(Chem.GetMolFrags(parent)) == 1:
        return parent, ()
    return _parent_of(before, parent)


def _parent_of(before: tuple[Chem.Mol, ...], kept: Chem.Mol) -> tuple[Chem.Mol, tuple[str, ...]] | Fault:
    fragments = {Chem.MolToSmiles(f): f for f in Chem.GetMolFrags(kept, asMols=True)}
    organic = {s: f for s, f in fragments.items() if f.HasSubstructMatch(_CARBON)}
    if len(organic) > 1:
        return Fault("standardise", Reason.MIXTURE, "different organic parents: " + " and ".join(organic))
    candidates = organic or fragments
    if not candidates:
        return Fault("standardise", Reason.NO_ATOMS, "nothing is left after stripping")
    smiles = max(candidates, key=lambda s: (candidates[s].GetNumHeavyAtoms(), s))
    given = [Chem.MolToSmiles(f) for f in before]
    same = smiles if smiles in given else max(given, key=lambda s: (len(s), s))
    return candidates[smiles], tuple(sorted({s for s in given if s != same}))


_CARBON = Chem.MolFromSmarts("[#6]")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
