"""Default standardisation: metals, normalise, reionise, strip, uncharge. No tautomer.

The steps are RDKit's own (rdMolStandardize, after MolVS); they cost about four parses of the SMILES, so a
molecule that `unchanged` proves untouched by all of them skips them.
"""

from collections.abc import Callable, Sequence

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from molmed.chem.counter_ions import is_counter_ion
from molmed.results import Fault, Reason

VERSION = "2"
"""Changes whenever the parent of some molecule changes; a stored model refuses another version."""

with rdBase.BlockLogs():  # in a notebook RDKit says that it makes them
    _METALS = rdMolStandardize.MetalDisconnector()
    _NORMALISER = rdMolStandardize.Normalizer()
    _REIONISER = rdMolStandardize.Reionizer()
    _REMOVER = rdMolStandardize.FragmentRemover()
    _UNCHARGER = rdMolStandardize.Uncharger()


def _metals(mol: Chem.Mol) -> Chem.Mol:
    _METALS.DisconnectInPlace(mol)
    Chem.SanitizeMol(mol)
    return mol


def _normalise(mol: Chem.Mol) -> Chem.Mol:
    # not normalizeInPlace: where a rule gives something that has no Kekule form (sydnones), the copying version keeps
    # the molecule and the other leaves a wreck, which later becomes another molecule (RDKit issue 7189)
    return _NORMALISER.normalize(mol)


def _reionise(mol: Chem.Mol) -> Chem.Mol:
    _REIONISER.reionizeInPlace(mol)
    return mol


def _strip(mol: Chem.Mol) -> Chem.Mol:
    _REMOVER.removeInPlace(mol)
    return mol


def _uncharge(mol: Chem.Mol) -> Chem.Mol:
    _UNCHARGER.unchargeInPlace(mol)
    return mol


def _sanitise(mol: Chem.Mol) -> Chem.Mol:
    Chem.SanitizeMol(mol)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    return mol


Step = Callable[[Chem.Mol], Chem.Mol]
STEPS: tuple[tuple[str, Step], ...] = (
    ("metals", _metals),
    ("normalise", _normalise),
    ("reionise", _reionise),
    ("strip", _strip),
    ("uncharge", _uncharge),
)
"""Ordered, named; each may change the molecule it is given and returns the result."""

# One query for everything a step could act on. RDKit does not show its compiled-in tables to Python, so the
# query is what their left-hand sides have in common: every normalisation needs a charged atom, a sulfoxide
# S(=O), or a neutral N, P, As or Sb drawn with two double bonds, a double and a triple one, or an aromatic
# n=X; reioniser, uncharger and charge corrections need a charged atom or a metal; the metal step a metal.
# The charges of a nitro group are none of them, those of nitrate are. Equality with the full path is tested on 99,991
# PubChem structures.
_TOUCHED = Chem.MolFromSmarts(
    "[!+0&!$([NX3+](=O)[O-])&!$([O-][NX3+](=O)[!-]),"
    "!#1&!#5&!#6&!#7&!#8&!#9&!#14&!#15&!#16&!#17&!#34&!#35&!#53,$([#16X3]=[#8]),"
    "$([#7,#15](=*)=*),$([#7](=*)#*),$(n=*)]"
)


# What decides which steps have something to act on, see `_needed`.
_METAL_LIKE = Chem.MolFromSmarts("[!#1&!#5&!#6&!#7&!#8&!#9&!#14&!#15&!#16&!#17&!#34&!#35&!#53]")
_REDRAWN = Chem.MolFromSmarts("[$([#16X3]=[#8]),$([#7,#15](=*)=*),$([#7](=*)#*),$(n=*)]")
_CHARGED = Chem.MolFromSmarts("[!+0&!$([NX3+](=O)[O-])&!$([O-][NX3+](=O)[!-])]")
_BARE = Chem.MolFromSmarts("[X0]")
"""An atom with neither bonds nor hydrogens, which the reioniser may charge."""


def _needed(mol: Chem.Mol) -> frozenset[str]:
    """The names of the steps that may have something to act on, in doubt all of them; stripping is not among these.

    Every normalisation that needs no neutral drawing of `_REDRAWN` needs two charges of either sign, a cation other
    than an ammonium, or a halide with a bond. The reioniser moves a proton to an anion.
    """
    if mol.HasSubstructMatch(_METAL_LIKE):
        return _ALL
    if mol.HasSubstructMatch(_REDRAWN) or mol.HasSubstructMatch(_BARE):
        return _ALL - {"metals"}
    charged = [mol.GetAtomWithIdx(i) for (i,) in mol.GetSubstructMatches(_CHARGED)]
    if not charged:
        return frozenset()
    if all(a.GetFormalCharge() < 0 and a.GetAtomicNum() in _ANIONS for a in charged):
        return frozenset({"reionise", "uncharge"})
    if all(a.GetFormalCharge() == 1 and a.GetAtomicNum() == 7 and a.GetTotalDegree() == 4 for a in charged):
        return frozenset({"uncharge"})
    return _ALL - {"metals"}


_ALL = frozenset({"metals", "normalise", "reionise", "uncharge"})
_ANIONS = frozenset({6, 7, 8, 16})


def unchanged(mol: Chem.Mol, one_fragment: bool) -> bool:
    """Whether the steps would leave the molecule as it is; may say False for one they would not change."""
    return one_fragment and not mol.HasSubstructMatch(_TOUCHED)


def standardise(mol: Chem.Mol) -> tuple[Chem.Mol, tuple[str, ...]] | Fault:
    """(parent, canonical SMILES of what was removed) by the full path; the input, which is sanitised, is not modified.

    Salts and solvents of RDKit's list go first (the last fragment is always kept). Every fragment that is left is
    uncharged by itself: beside a metal that no list names, the parent would keep the charges that balance it. Equal
    fragments count once. One organic fragment (with carbon) is the parent of any inorganic rest; of several, those
    that are known as counter-ions go, and unless exactly one remains they are a mixture. A structure without carbon
    keeps its largest fragment.

    Steps that have nothing to act on are left out; a test compares the parents with those of every step.
    """
    needed = _needed(mol)
    wanted = [(name, step) for name, step in STEPS if name in needed or name == "strip"]
    alone = [step for step in wanted if step[0] == "uncharge"]
    first = [step for step in wanted if step[0] == "metals"]
    whole = _apply(Chem.Mol(mol), first)
    if isinstance(whole, Fault):
        return whole
    one = len(Chem.GetMolFrags(whole)) == 1
    given = () if one else _mark(whole)
    whole = _apply(whole, [step for step in wanted if step not in first + alone])
    if isinstance(whole, Fault):
        return whole
    parts = []
    for fragment in (whole,) if one else Chem.GetMolFrags(whole, asMols=True):
        part = _apply(fragment, [*alone, ("sanitise", _sanitise)] if needed else ())
        if isinstance(part, Fault):
            return part
        parts.append(part)
    return (parts[0], ()) if one else _parent_of(given, parts)


def _apply(mol: Chem.Mol, steps: Sequence[tuple[str, Step]]) -> Chem.Mol | Fault:
    for name, change in steps:
        try:
            mol = change(mol)
        except (ValueError, RuntimeError) as error:  # RDKit's sanitisation and invariant errors
            return Fault("standardise", Reason.STANDARDISE, f"{name}: {_one_line(error)}")
    return mol


_FRAGMENT = "_molmed_fragment"


def _mark(mol: Chem.Mol) -> tuple[Chem.Mol, ...]:
    """The fragments; each atom is marked with the number of its own."""
    for number, atoms in enumerate(Chem.GetMolFrags(mol)):
        for atom in atoms:
            mol.GetAtomWithIdx(atom).SetIntProp(_FRAGMENT, number)
    fragments: tuple[Chem.Mol, ...] = Chem.GetMolFrags(mol, asMols=True, sanitizeFrags=False)
    return fragments


def _parent_of(given: Sequence[Chem.Mol], parts: Sequence[Chem.Mol]) -> tuple[Chem.Mol, tuple[str, ...]] | Fault:
    by_smiles: dict[str, list[Chem.Mol]] = {}
    for part in parts:
        by_smiles.setdefault(Chem.MolToSmiles(part), []).append(part)
    organic = [s for s, equal in by_smiles.items() if equal[0].HasSubstructMatch(_CARBON)]
    if len(organic) > 1:
        parents = [s for s in organic if not is_counter_ion(by_smiles[s][0])]
        if len(parents) != 1:
            detail = "different organic parents: " + " and ".join(parents or organic)
            return Fault("standardise", Reason.MIXTURE, detail)
        organic = parents
    smiles = max(organic or by_smiles, key=lambda s: (by_smiles[s][0].GetNumHeavyAtoms(), s))
    kept = {a.GetIntProp(_FRAGMENT) for part in by_smiles[smiles] for a in part.GetAtoms() if a.HasProp(_FRAGMENT)}
    removed = {Chem.MolToSmiles(fragment) for number, fragment in enumerate(given) if number not in kept}
    return by_smiles[smiles][0], tuple(sorted(removed))


_CARBON = Chem.MolFromSmarts("[#6]")


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
