"""Blocks of a page on their own, as a notebook displays them below a cell."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markupsafe import Markup


@dataclass(frozen=True)
class Shown:
    """What a notebook displays: `html` brings its own style, and no script."""

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return "a drawing for a notebook; its text is in .html"


def shown(*blocks: Markup) -> Shown:
    """Blocks of `molmed.report.page` in a frame that neither takes the notebook's style nor changes it."""
    made = Markup('<div class="molmed">\n<style>{}</style>\n{}\n</div>').format(
        Markup(_style()), Markup("\n").join(blocks)
    )
    return Shown(str(made).encode("utf-8", "replace").decode("utf-8"))


@cache
def _style() -> str:
    return (Path(__file__).parent / "templates" / "notebook.css").read_text(encoding="utf-8")
