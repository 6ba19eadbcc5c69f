"""Two molecules beside each other, drawn so that the eye finds what they share."""

from dataclasses import dataclass

from rdkit import Chem

from molmed.draw.molecule import Structure, common_core, follow, lay_out, molecule, readable

MIN_SHARED = 8
"""Atoms a common core needs before it is drawn in one orientation and tinted: more than one ring. Chosen."""


@dataclass(frozen=True)
class Pair:
    """The SVGs of two molecules.

    Args:
        n_shared: atoms of their largest common substructure with whole rings; 0 if it is too small to mean much.
    """

    first: str
    second: str
    n_shared: int


def pair(first: Structure, second: Structure, *, width: int = 260, height: int = 190) -> Pair:
    """Two drawings of this size in pixels; what the molecules have in common lies alike and is tinted.

    Raises:
        InputError: one of them cannot be drawn.
    """
    a, b = readable(first), readable(second)
    lay_out(a)
    lay_out(b)
    core = common_core(a, b)
    if len(core) < MIN_SHARED:
        return Pair(molecule(a, width=width, height=height), molecule(b, width=width, height=height), 0)
    a, b = _alike(a, b, core)
    left = molecule(a, width=width, height=height, tint=[i for i, _ in core])
    right = molecule(b, width=width, height=height, tint=[j for _, j in core])
    return Pair(left, right, len(core))


def _alike(a: Chem.Mol, b: Chem.Mol, core: list[tuple[int, int]]) -> tuple[Chem.Mol, Chem.Mol]:
    """Both laid out alike: b after a or, where that would crowd the atoms of b, a after b; else b is only turned."""
    moved = Chem.Mol(b)
    if follow(moved, a, [(j, i) for i, j in core]):
        return a, moved
    turned = Chem.Mol(a)
    if follow(turned, b, core):
        return turned, b
    return a, moved
