"""Protonation undone in the SMILES text itself: ammonium, pyridinium and carboxylate, the bulk of ionised compounds.

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
_CARBOXYLATE = re.compile(r"C\(=O\)\[O-\]|C\(\[O-\]\)=O|\[O-\]C\(=O\)|\[O-\]C=O|O=C\(\[O-\]\)|O=C\[O-\]")


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
    bare = _CARBOXYLATE.sub("", _NITRO.sub("", smiles))
    for token in _BRACKET.findall(bare):
        if token not in _CATIONS and ("+" in token or "-" in token):
            return None
    text = _CARBOXYLATE.sub(lambda m: m[0].replace("[O-]", "O"), smiles)
    hydrogens = []
    if "H+" in text or "3+]" in text or "2+]" in text:
        for number, atom in enumerate(_ATOM.finditer(text)):
            if atom[0] in _CATIONS:
                hydrogens.append((number, _CATIONS[atom[0]][1]))
        for token, (symbol, _) in _CATIONS.items():
            text = text.replace(token, symbol)
    return Neutral(text, tuple(hydrogens))
