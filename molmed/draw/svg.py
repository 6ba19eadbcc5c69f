"""What every SVG of this room has in common: a fixed header, ids of its own, no font of its own."""

import hashlib
import re
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
"""The reader's own sans-serif: nothing is embedded or fetched."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_ID = re.compile(r' id="([^"]+)"')
_REFERENCE = re.compile(r'(?:url\(|href=")#([^")]+)')

Pixels = float | int


def compose(body: str, width: int, height: int, label: str) -> str:
    """One SVG element of this size in pixels; `label` is what a screen reader says.

    The namespace of `xlink` is declared because matplotlib's markers use it.
    """
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    spaces = f'xmlns="http://www.w3.org/2000/svg" font-family={quoteattr(FONT)}'
    if "xlink:" in body:
        spaces += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
    whole = f'<svg {spaces} {size} role="img" aria-label={quoteattr(label)}>{_own_ids(body.strip())}</svg>'
    return legal(whole)


def legal(content: str) -> str:
    """The text with a replacement character for each that XML has no place for."""
    return _ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", content)


def text(content: str, x: Pixels, y: Pixels, size: Pixels, colour: str, anchor: str = "middle") -> str:
    """A line of text with its baseline at y."""
    style = f'font-size="{size:g}" text-anchor="{anchor}" fill="{colour}"'
    return f'<text x="{x:g}" y="{y:g}" {style}>{escape(content)}</text>'


def shortened(content: str, size: Pixels, width: Pixels) -> str:
    """The text, cut with an ellipsis to fit; a letter is taken as 0.56 em wide, a mean of sans-serif fonts."""
    room = max(1, int(width / (0.56 * size)))
    return content if len(content) <= room else content[: room - 1].rstrip() + "…"


def _own_ids(body: str) -> str:
    """Unused ids removed, the others made different from those of any other picture in the same page."""
    tags = _TAG.findall(body)
    used = sorted({name for tag in tags for name in _REFERENCE.findall(tag)})
    mark = hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    new = {name: f"{mark}-{number}" for number, name in enumerate(used)}

    def renamed(tag: re.Match[str]) -> str:
        text = _ID.sub(lambda m: f' id="{new[m.group(1)]}"' if m.group(1) in new else "", tag.group())
        return _REFERENCE.sub(lambda m: m.group().replace(m.group(1), new[m.group(1)]), text)

    return _TAG.sub(renamed, body)
