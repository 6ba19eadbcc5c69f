"""A matplotlib figure without pyplot, in pixels, and its way into SVG text."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from molmed.draw import svg
from molmed.draw.palette import FAINT, INK, MUTED

_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's font
    "svg.hashsalt": "molmed",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib; wider than what it is shown in, so nothing collides
    "font.size": 11.5,
    "text.parse_math": False,  # a "$" in a compound's name is a letter
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": FAINT,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.8,
    "ytick.major.width": 0.8,
    "xtick.major.size": 3.5,
    "ytick.major.size": 3.5,
    "legend.frameon": False,
    "legend.fontsize": 10.5,
    "legend.handlelength": 1.4,
    "legend.borderaxespad": 0.2,
    "figure.dpi": 72,
}

_NEEDLESS = re.compile(r"font-family: [^;\"]*; ?| transform=\"rotate\(-0 [^\"]*\"")
_TAG = re.compile(r"<(?:path|use|text|rect|g)\b[^>]*>")
_LONG_NUMBER = re.compile(r"\d+\.\d{3,}")
_MARKS = re.compile(r'(<g clip-path="[^"]+")>\n((?:<use [^>]*? (style="[^"]*")/>\n)+)</g>')


@contextmanager
def styled() -> Iterator[None]:
    """The style of all pictures, for as long as the block runs; the caller's own settings come back."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def axes_of(width: int, height: int) -> tuple[Figure, Axes]:
    """A figure of this size in pixels with one plot in it; to be used inside `styled`."""
    figure = Figure(figsize=(width / 72, height / 72), layout=ConstrainedLayoutEngine(w_pad=4 / 72, h_pad=4 / 72))
    return figure, figure.add_subplot()


def fitting(label: str, width: float | int) -> str:
    """The label as matplotlib can write it: one line, cut with an ellipsis to at most about this many pixels."""
    return svg.shortened(" ".join(svg.legal(label).split()), 11.5, width)


def legend_above(axes: Axes, columns: int = 3) -> None:
    """The legend as a line over the plot, where it hides no data."""
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=columns, handletextpad=0.4, columnspacing=1.1)


def to_svg(figure: Figure, label: str) -> str:
    """The figure as one SVG element with a transparent background; to be used inside `styled`."""
    buffer = io.StringIO()
    with warnings.catch_warnings():  # a letter that matplotlib's font lacks is shown in the reader's font
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    whole = buffer.getvalue()
    body = whole[whole.index(">", whole.index("<svg")) + 1 : whole.rindex("</svg>")]
    # a rule for every element would reach beyond this picture into the page: it becomes the style of a group
    body = re.sub(
        r"<defs>\s*<style.*?</style>\s*</defs>|<metadata>.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL
    )
    body = re.sub(r"\s*\n\s*", "\n", body)
    width, height = (72 * inches for inches in figure.get_size_inches())
    grouped = f'<g style="stroke-linejoin: round; stroke-linecap: butt">{_lean(body)}</g>'
    return svg.compose(grouped, round(width), round(height), label)


def _lean(body: str) -> str:
    """The same picture in half the text: the page's font, hundredths of a pixel, one style per run of marks."""
    body = _TAG.sub(lambda tag: _NEEDLESS.sub("", tag.group()), body)
    body = _TAG.sub(lambda tag: _LONG_NUMBER.sub(lambda n: f"{float(n.group()):.2f}", tag.group()), body)
    return _MARKS.sub(lambda m: f"{m.group(1)} {m.group(3)}>\n{m.group(2).replace(' ' + m.group(3), '')}</g>", body)
