"""Cards of compounds: the drawing, the value, and beside it the nearest measured neighbour."""

import math
from dataclasses import dataclass, field

from markupsafe import Markup

from molmed import draw
from molmed.errors import InputError
from molmed.report.page import block, drawing

DECENT = 0.3
"""Tanimoto similarity (Morgan, radius 2) from which a common part is looked for; chosen: below, it is one ring."""

WIDTH, HEIGHT = 264, 176
"""Pixels of each of the two drawings of a card."""


@dataclass(frozen=True)
class Neighbour:
    """The nearest measured compound, or another one to look at beside the first.

    Args:
        smiles: "" if its structure is not known here.
        value: what was measured, as text with its unit.
        similarity: Tanimoto, in [0, 1]; nan is not shown, and the two are drawn alike as far as they are.
        lead: what it is, in front of its id.
    """

    id: str
    smiles: str
    value: str
    similarity: float
    lead: str = "nearest measured: "


@dataclass(frozen=True)
class Compound:
    """What a card says about one compound. Every text is shown as it is.

    Args:
        value: the number that matters, without its unit.
        detail: a second line, e.g. the interval.
        domain: words on the applicability domain, "" where there is none.
        outside: whether those words are a warning.
        caption: under its drawing.
    """

    id: str
    smiles: str
    value: str
    unit: str = ""
    rank: str = ""
    detail: str = ""
    domain: str = ""
    outside: bool = False
    caption: str = "predicted"
    neighbour: Neighbour | None = None


@dataclass
class _Card:
    """The fields of the template."""

    id: str
    value: str
    unit: str
    rank: str
    detail: str
    domain: str
    outside: bool
    caption: str
    smiles: str
    drawing: Markup = field(default_factory=Markup)
    undrawn: str = ""
    neighbour_caption: str = ""
    neighbour_value: str = ""
    neighbour_drawing: Markup = field(default_factory=Markup)
    neighbour_undrawn: str = ""


def card(compound: Compound) -> Markup:
    """One card. A structure that cannot be drawn is replaced by the reason."""
    c, near = compound, compound.neighbour
    made = _Card(c.id, c.value, c.unit, c.rank, c.detail, c.domain, c.outside, c.caption, c.smiles)
    if near is not None:
        made.neighbour_caption = f"{near.lead}{near.id}"
        shown = "" if math.isnan(near.similarity) else f"similarity {near.similarity:.2f}"
        made.neighbour_value = ", ".join(filter(None, (near.value, shown)))
    if near is not None and not near.similarity < DECENT and near.smiles:
        try:
            both = draw.pair(c.smiles, near.smiles, width=WIDTH, height=HEIGHT)
        except InputError:  # one of them; drawn alone below, so that the other one is seen
            pass
        else:
            made.drawing, made.neighbour_drawing = drawing(both.first), drawing(both.second)
            if both.n_shared:
                made.caption += ", common part tinted"
            return block("compound", made)
    made.drawing, made.undrawn = _alone(c.smiles)
    if near is not None:
        made.neighbour_drawing, made.neighbour_undrawn = _alone(near.smiles)
    return block("compound", made)


def _alone(smiles: str) -> tuple[Markup, str]:
    if not smiles:
        return Markup(), "structure not known here"
    try:
        return drawing(draw.molecule(smiles, width=WIDTH, height=HEIGHT)), ""
    except InputError as error:
        return Markup(), f"cannot be drawn: {error.came}"
