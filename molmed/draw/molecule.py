"""Molecules as line drawings."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor, rdRascalMCES
from rdkit.Chem.Draw import rdMolDraw2D

from molmed.chem import read
from molmed.draw import svg
from molmed.draw.palette import INK, MUTED, diverging, rgb
from molmed.errors import InputError
from molmed.results import Fault

Structure = str | Chem.Mol
"""A SMILES or an RDKit molecule."""

Weights = Sequence[float | int] | np.ndarray
"""One number per atom."""

MAX_ATOMS = 400
"""Heavy atoms that are still drawn; above, a picture of a few hundred pixels shows a smudge. Chosen."""

_BOND_PX = 26.0
"""Length of a bond where there is room for it, so that small molecules are not blown up."""

_TINT = (0.847, 0.902, 0.949)
"""A pale blue behind atoms that are pointed out; 12 : 1 against the bonds drawn over it."""

_ATOMS = {
    6: INK, 1: INK, 0: INK, 7: "#0058a3", 8: "#c01f2e", 9: "#0b7a4b", 17: "#0b7a4b", 35: "#8a3b12", 53: "#5e2a84",
    16: "#8a6300", 15: "#a04a00", 5: "#8a4b5c", 14: "#5b6675", 34: "#8a6300",
}  # fmt: skip
"""Colour by atomic number: the field's habit, darkened to at least 5.4 : 1 on white and 4.2 : 1 on the tint."""

_DEFAULTS = re.compile(
    r" class='[^']*'|fill-rule:evenodd;|fill-opacity:1;|stroke-opacity:1;?|stroke-linecap:butt;|stroke-linejoin:miter;"
)
"""What RDKit writes on every path though it is what SVG assumes: a quarter of the text."""

_CORE_SECONDS = 5
"""A common core that is not found by then counts as none, so that a picture does not depend on the machine's speed."""

_CROWDED = 0.75

_CORE_ATOMS = 100
"""Heavy atoms above which no common core is searched."""


def molecule(
    structure: Structure,
    *,
    width: int = 260,
    height: int = 190,
    legend: str = "",
    atom_weights: Weights | None = None,
    weights_mean: tuple[str, str] = ("lowers", "raises"),
    largest_weight: float | int | None = None,
    align_to: Structure | None = None,
    tint: Collection[int] = (),
) -> str:
    """An SVG of one molecule on a transparent ground, in pixels.

    Args:
        legend: a line of text under the drawing.
        atom_weights: one number per atom, in the molecule's order, shown as colours symmetric about 0; nan is
            not coloured.
        weights_mean: what a negative and a positive weight do, for the colour bar.
        largest_weight: weight of the full colour, to compare several drawings; by default the largest here.
        align_to: another molecule, whose drawing this one follows in the largest common core.
        tint: atoms to point out by a pale ground.

    Raises:
        InputError: the structure cannot be read or drawn, or the weights do not fit its atoms.
    """
    mol = readable(structure)
    lay_out(mol)
    if align_to is not None:
        reference = readable(align_to)
        lay_out(reference)
        follow(mol, reference, common_core(mol, reference))
    grounds: Mapping[int, tuple[float, float, float]] = dict.fromkeys((int(a) for a in tint), _TINT)
    bar = ""
    drawn_height = height - (20 if legend else 0) - (24 if atom_weights is not None else 0)
    if drawn_height < 40 or width < 40:
        raise InputError("drawing a molecule", f"a picture of {width} x {height} pixels", "at least 90 x 90")
    if atom_weights is not None:
        weights = _checked(atom_weights, mol)
        largest = float(largest_weight or np.nanmax(np.abs(weights), initial=0.0) or 1.0)
        grounds = {i: diverging(w / largest) for i, w in enumerate(weights) if np.isfinite(w) and w != 0}
        bar = _colour_bar(width, drawn_height + 2, largest, weights_mean)
    body = _drawn(mol, width, drawn_height, grounds, bonds_too=bool(tint))
    if legend:
        body += svg.text(svg.shortened(legend, 12, width - 8), width / 2, height - 6, 12, INK)
    label = f"structure {Chem.MolToSmiles(mol)}" + (f": {legend}" if legend else "")
    return svg.compose(body + bar, width, height, label)


def readable(structure: Structure) -> Chem.Mol:
    """The molecule to draw; an RDKit molecule is copied.

    Raises:
        InputError: no molecule, no atoms, or too many.
    """
    asked = "drawing a molecule"
    if isinstance(structure, str):
        found = read(structure, standardise=False)
        if isinstance(found, Fault):
            raise InputError(asked, f"{svg.shortened(structure, 1, 34)!r} ({found.detail})", "a readable SMILES")
        mol = found.mol
    else:
        mol = Chem.Mol(structure)
    if mol.GetNumAtoms() == 0:
        raise InputError(asked, "a molecule without atoms", "at least one atom")
    if mol.GetNumHeavyAtoms() > MAX_ATOMS:
        raise InputError(asked, f"{mol.GetNumHeavyAtoms()} heavy atoms", f"at most {MAX_ATOMS}")
    return mol


def common_core(a: Chem.Mol, b: Chem.Mol) -> list[tuple[int, int]]:
    """Pairs (atom of a, atom of b) of the largest connected common substructure; empty if there is none.

    Ring bonds match ring bonds only and aromatic rings are whole. Source: RASCAL (Raymond et al. 2002, Comput. J.
    45, 631) in RDKit, which took 0.08 s for 25 pairs of neighbours for which rdFMCS took 29 s.
    """
    if match := a.GetSubstructMatch(b):
        return [(here, there) for there, here in enumerate(match)]
    if match := b.GetSubstructMatch(a):
        return list(enumerate(match))
    if max(a.GetNumHeavyAtoms(), b.GetNumHeavyAtoms()) > _CORE_ATOMS:
        return []
    options: Any = rdRascalMCES.RascalOptions()
    options.similarityThreshold = 0.3  # chosen: below, the search is long and the core too small to be worth it
    options.ringMatchesRingOnly = True
    options.completeAromaticRings = True
    options.singleLargestFrag = True
    options.maxBondMatchPairs = 4000
    options.timeout = _CORE_SECONDS
    with rdBase.BlockLogs():
        found = rdRascalMCES.FindMCES(a, b, options)
    if not found or found[0].timedOut:
        return []
    return [(int(i), int(j)) for i, j in found[0].atomMatches()]


def follow(mol: Chem.Mol, reference: Chem.Mol, core: Sequence[tuple[int, int]]) -> bool:
    """Lay `mol` out so that its atoms of the core lie where the reference's do; whether that was possible.

    Where atoms would come to lie on each other, the molecule's own layout is turned onto the core instead.
    """
    if not core:
        return False
    pairs = [(there, here) for here, there in core]
    placed = Chem.Mol(mol)
    rdDepictor.GenerateDepictionMatching2DStructure(placed, reference, atomMap=pairs)
    clear = not _crowded(placed)
    if not clear:
        placed = Chem.Mol(mol)
        turned: Any = rdDepictor.ConstrainedDepictionParams()
        turned.alignOnly = True
        rdDepictor.GenerateDepictionMatching2DStructure(placed, reference, atomMap=pairs, params=turned)
    mol.RemoveAllConformers()
    mol.AddConformer(placed.GetConformer())
    return clear


def lay_out(mol: Chem.Mol) -> None:
    """Give a molecule its own flat layout, its long axis horizontal; one that has a flat layout keeps it."""
    if mol.GetNumConformers() == 0 or mol.GetConformer().Is3D():
        rdDepictor.Compute2DCoords(mol, useRingTemplates=True)
        rdDepictor.NormalizeDepiction(mol)
        rdDepictor.StraightenDepiction(mol)


def _crowded(mol: Chem.Mol) -> bool:
    """Whether two atoms lie closer than half a bond (1.5 in RDKit's layouts) to each other."""
    xy = mol.GetConformer().GetPositions()[:, :2]
    apart = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return bool(apart.min(initial=np.inf) < _CROWDED)


def _checked(weights: Weights, mol: Chem.Mol) -> np.ndarray:
    values = np.asarray(weights, dtype=np.float64)
    if values.shape != (mol.GetNumAtoms(),):
        raise InputError("colouring atoms", f"weights of shape {values.shape}", f"one per atom: {mol.GetNumAtoms()}")
    return values


def _drawn(
    mol: Chem.Mol, width: int, height: int, grounds: Mapping[int, tuple[float, float, float]], bonds_too: bool
) -> str:
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    # letters keep their element's colour on the pale tint only: on strong grounds the contrast would be too low
    _set_options(drawer.drawOptions(), coloured=bonds_too or not grounds)
    atoms = list(grounds)
    bonds = []
    if bonds_too:
        bonds = [b.GetIdx() for b in mol.GetBonds() if b.GetBeginAtomIdx() in grounds and b.GetEndAtomIdx() in grounds]
    try:
        ready = rdMolDraw2D.PrepareMolForDrawing(mol, addChiralHs=False)
        drawer.DrawMolecule(
            ready,
            highlightAtoms=atoms,
            highlightAtomColors=dict(grounds),
            highlightBonds=bonds,
            highlightBondColors=dict.fromkeys(bonds, _TINT),
        )
    except (ValueError, RuntimeError) as error:  # RDKit's sanitisation and invariant errors
        raise InputError("drawing a molecule", " ".join(str(error).split())[:200], "one that RDKit can draw") from None
    drawer.FinishDrawing()
    whole = drawer.GetDrawingText()
    body = whole[whole.index("<!-- END OF HEADER -->") + 22 : whole.rindex("</svg>")]
    return _DEFAULTS.sub("", body)


def _set_options(options: Any, coloured: bool) -> None:
    options.clearBackground = False
    options.includeMetadata = False
    options.prepareMolsBeforeDrawing = False
    options.fixedBondLength = _BOND_PX
    options.padding = 0.04
    options.bondLineWidth = 1.5
    options.multipleBondOffset = 0.16
    options.additionalAtomLabelPadding = 0.06
    options.baseFontSize = 0.72
    options.minFontSize = 9
    options.maxFontSize = 15
    options.highlightRadius = 0.42
    options.highlightBondWidthMultiplier = 18
    options.standardColoursForHighlightedAtoms = True
    elements = {number: rgb(colour) for number, colour in _ATOMS.items()} if coloured else {}
    options.setAtomPalette({-1: rgb(INK)} | elements)


def _colour_bar(width: int, top: int, largest: float, mean: tuple[str, str]) -> str:
    """The weights' colours with their ends in words: -x lowers ... 0 ... raises +x."""
    long, steps = min(90.0, width * 0.28), 18
    left = (width - long) / 2
    cells = ""
    for step in range(steps):
        red, green, blue = (round(255 * c) for c in diverging(2 * (step + 0.5) / steps - 1))
        x = left + step * long / steps
        place = f'x="{x:.2f}" y="{top + 4:g}" width="{long / steps + 0.3:.2f}" height="9"'
        cells += f'<rect {place} fill="#{red:02x}{green:02x}{blue:02x}"/>'
    number = f"{largest:.2g}"
    room = left - 8 - 0.56 * 10.5 * (len(number) + 2)
    below, above = (svg.shortened(word, 10.5, room) for word in mean)
    return (
        cells
        + svg.text(f"{below} −{number}", left - 5, top + 12, 10.5, INK, "end")
        + svg.text(f"+{number} {above}", left + long + 5, top + 12, 10.5, INK, "start")
        + svg.text("0", width / 2, top + 22, 9, MUTED)
    )
