"""Protonation undone in the SMILES text itself: ammonium, pyridinium, and anions of oxygen, sulfur and nitrogen.

A third of a vendor's library is drawn ionised, and neutralising one of those molecules by RDKit costs three parses.
Where every charge of a text belongs to a group whose neutral form is known, the neutral text is written instead, and
parsed once. Whether the full path would give the same molecule is tested on the structures it is compared with.
"""

import re
from dataclasses import dataclass

_BRACKET = re.compile(r"\[[^\]]*\]")
_ATOM = re.compile(r"\[[^\]]*\]|Br|Cl|[BCNOPSFIbcnops*]")
_CHARGED = re.compile(
    r"\+|-[-0-9]*\]"
)  # an explicit single bond is a minus as well, but stands before no bracket's end
_CATIONS = {"[NH3+]": ("N", 2), "[NH2+]": ("N", 1), "[NH+]": ("N", 0), "[nH+]": ("n", 0)}
"""Protonated nitrogen -> (its neutral symbol, the hydrogens it then has)."""

# a nitro group is drawn charged and stays so
_NITRO = re.compile(r"\[N\+\](?:\(=O\)|\(\[O-\]\)=O)(?:\[O-\])?|\[O-\]\[N\+\](?:\(=O\)|=O)|O=\[N\+\]\(?\[O-\]\)?")
_CARBOXYLATE = r"C\(=O\)\[O-\]|C\(\[O-\]\)=O|\[O-\]C\(=O\)|\[O-\]C=O|O=C\(\[O-\]\)|O=C\[O-\]"
_OUTSIDE_NITRO = re.compile(rf"{_NITRO.pattern}|{_CARBOXYLATE}|\[[OSNn]-\]")
_ANIONS = {"[O-1]": ("O", 1), "[S-1]": ("S", 1), "[N-1]": ("N", 1), "[n-1]": ("[nH]", 1)}
"""Anion that is part of neither a nitro group nor a carboxylate, as it is marked -> the same."""
_NEUTRAL = _CATIONS | _ANIONS


@dataclass(frozen=True)
class Neutral:
    """A neutral text and what must be true of it once it is parsed.

    Args:
        smiles: the text; the atoms are those of the ionised text, in its order.
        hydrogens: (atom, hydrogens it must have): where it has others, the ionised nitrogen was no plain ammonium.
    """

    smiles: str
    hydrogens: tuple[tuple[int, int], ...] = ()


def neutral_text(smiles: str) -> Neutral | None:
    """The neutral form of a text without a dot; None if some charge is of another kind, or unknown.

    A text without any charge comes back as it is.
    """
    if not _CHARGED.search(smiles):
        return Neutral(smiles)
    marked = _OUTSIDE_NITRO.sub(_marked, smiles)
    charged = [t for t in _BRACKET.findall(_NITRO.sub("", marked)) if "+" in t or "-" in t]
    if not all(token in _NEUTRAL for token in charged):
        return None
    cations = any(token in _CATIONS for token in charged)
    nitrogens = any(token in {"[N-1]", "[n-1]"} for token in charged)
    # charges of either sign may be a resonance form, which the normaliser draws anew; only a carboxylate has none
    if (nitrogens and "+" in marked) or (cations and any(token in _ANIONS for token in charged)):
        return None
    hydrogens: tuple[tuple[int, int], ...] = ()
    if cations or nitrogens:  # an anion of oxygen or sulfur has one bond, so there is nothing to look at
        atoms = enumerate(_ATOM.finditer(marked))
        hydrogens = tuple((number, _NEUTRAL[atom[0]][1]) for number, atom in atoms if atom[0] in _NEUTRAL)
    for token in set(charged):
        marked = marked.replace(token, _NEUTRAL[token][0])
    return Neutral(marked, hydrogens)


def _marked(match: re.Match[str]) -> str:
    found = match[0]
    if len(found) == len("[O-]"):
        return f"{found[:2]}-1]"
    return found if "N+" in found else found.replace("[O-]", "O")
