"""Building blocks of a page, and the page. What a caller passes is text and is escaped; only drawings are not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from molmed.errors import InputError

RESEARCH_USE_ONLY = (
    "For research use only. Predictions are not measurements and must not guide the treatment of patients."
)

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = {"svg", "g", "defs", "clipPath", "style", "title", "path", "rect", "circle", "ellipse"}
_SHAPES |= {"line", "polyline", "polygon", "text", "tspan", "use"}

_HERE = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Section:
    """A titled part of a page; `anchor` is what the table of contents points to."""

    title: str
    body: Markup
    anchor: str


@dataclass(frozen=True)
class Column:
    """A column of a table; numbers stand to the right, with digits of one width."""

    title: str
    numeric: bool = False


def page(
    title: str,
    sections: Sequence[Section],
    *,
    when: str,
    lead: str = "",
    tiles: Mapping[str, tuple[str, str]] | None = None,
) -> str:
    """A whole HTML document: title, date, what it may be used for, contents, sections. No script, nothing loaded.

    Args:
        when: the date (and time) to print; given by the caller so that a page can be made again.
        lead: a sentence or two under the title.
        tiles: the few numbers that matter: caption -> (number, small print).

    Raises:
        InputError: two sections with one anchor.
    """
    anchors = [s.anchor for s in sections]
    if len(set(anchors)) < len(anchors):
        twice = sorted({a for a in anchors if anchors.count(a) > 1})
        raise InputError("composing a page", f"the anchor {twice[0]!r} twice", "one anchor per section")
    text = (
        _environment()
        .get_template("page.html")
        .render(
            title=title,
            sections=sections,
            when=when,
            lead=lead,
            tiles=tiles or {},
            use=RESEARCH_USE_ONLY,
            style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
        )
    )
    return text.encode("utf-8", "replace").decode("utf-8")  # half of a surrogate pair cannot be written to a file


def save(path: str | Path, document: str) -> Path:
    """Write a page, or another text; the path is returned.

    Raises:
        InputError: it cannot be written there.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document, encoding="utf-8")
    except OSError as error:
        came = f"that it cannot be written ({error.strerror or error})"
        raise InputError(f"writing {path}", came, "a file in a folder you may write to") from None
    return path


def section(title: str, *blocks: Markup, anchor: str = "") -> Section:
    """Blocks under a title; the anchor is made from the title unless given."""
    slug = re.sub(r"[^a-z0-9]+", "-", (anchor or title).lower()).strip("-") or "section"
    return Section(title, Markup("\n").join(blocks), slug)


def paragraph(text: str) -> Markup:
    """A paragraph of text."""
    return Markup("<p>{}</p>").format(text)


def subtitle(text: str) -> Markup:
    """A heading inside a section."""
    return Markup("<h3>{}</h3>").format(text)


def group(text: str) -> Markup:
    """A line over a group of cards or figures, below any heading."""
    return Markup('<p class="group">{}</p>').format(text)


def notice(text: str) -> Markup:
    """A paragraph that must not be overlooked."""
    return Markup('<p class="notice">{}</p>').format(text)


def bullets(items: Iterable[str]) -> Markup:
    """A list of sentences."""
    return block("bullets", list(items))


def table(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str | Markup]],
    *,
    caption: str = "",
    strong: Sequence[int] = (),
) -> Markup:
    """A table; a wide one scrolls in its own box.

    Args:
        rows: one cell per column.
        caption: a sentence above it.
        strong: numbers of rows in bold.

    Raises:
        InputError: a row with another number of cells than there are columns.
    """
    for row in rows:
        if len(row) != len(columns):
            raise InputError("composing a table", f"a row of {len(row)} cells", f"{len(columns)} cells")
    return block("table", columns, rows, caption, list(strong))


def figure(svg: str, caption: str = "") -> Markup:
    """A drawing (SVG text made by `molmed.draw`, which escapes what it writes) with a caption.

    Raises:
        InputError: the text is not an SVG.
    """
    return block("figure", drawing(svg), caption)


def drawing(svg: str) -> Markup:
    """SVG text, marked as safe to stand in a page.

    Raises:
        InputError: the text is not one SVG element, or holds more than shapes and text, such as a script or a link.
    """
    asked, accepted = "placing a drawing", "one <svg> element of shapes and text"
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError as error:
        raise InputError(asked, f"text that is not XML ({error})", accepted) from None
    if root.tag != f"{_SVG}svg" or not svg.startswith("<svg"):
        raise InputError(asked, f"text that starts with {svg[:20]!r}", accepted)
    for element in root.iter():
        if element.tag.removeprefix(_SVG) not in _SHAPES:
            raise InputError(asked, f"an element {element.tag!r}", accepted)
        for name, value in element.attrib.items():
            if name.startswith("on") or (name.endswith("href") and not value.startswith("#")):
                raise InputError(asked, f"an attribute {name}={value!r}", accepted)
    return Markup(svg)


def beside(*blocks: Markup) -> Markup:
    """Blocks side by side where there is room, below each other where not."""
    return Markup('<div class="beside">\n{}\n</div>').format(Markup("\n").join(blocks))


def cards(items: Sequence[Markup], *, narrow: bool = False) -> Markup:
    """A grid of cards, which wraps; `narrow` ones hold one drawing each."""
    return Markup('<div class="cards{}">\n{}\n</div>').format(" narrow" if narrow else "", Markup("\n").join(items))


def folded(title: str, *blocks: Markup, small: str = "", unfolded: bool = False, anchor: str = "") -> Markup:
    """Blocks under a line that opens and closes them; printed, they are always open.

    Args:
        small: words behind the title, seen when it is closed as well.
        unfolded: whether they are open to begin with.
        anchor: for links to it.
    """
    return block("folded", title, small, Markup("\n").join(blocks), unfolded, anchor)


def definitions(pairs: Mapping[str, str]) -> Markup:
    """A list of terms with their values."""
    return block("definitions", pairs)


def code(text: str) -> Markup:
    """Text as it stands, letter by letter."""
    return Markup('<pre class="box"><code>{}</code></pre>').format(text)


def block(name: str, *values: Any) -> Markup:
    """A macro of the template `blocks.html` with these values, each escaped unless it is markup already."""
    made: str = getattr(_environment().get_template("blocks.html").module, name)(*values)
    return Markup(made.strip())


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
