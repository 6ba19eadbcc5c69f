"""What holds for every page, and the elements of one."""

import re
from html.parser import HTMLParser

from molmed.report.page import RESEARCH_USE_ONLY

VOID = {"meta", "br", "img", "link", "input", "hr"}
HOSTILE = "<script>alert('x')</script> & \"quoted\" <img src=x onerror=alert(1)>"


class Outline(HTMLParser):
    """The elements of a page, refusing what is not closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> out of order"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())

    def count(self, tag: str, of: str = "") -> int:
        return sum(t == tag and of in (a.get("class") or "").split() + [""] * (not of) for t, a in self.found)


def check(text: str) -> Outline:
    """What holds for every page: closed elements, one title, resolved anchors, no script, nothing loaded."""
    outline = Outline(text)
    assert text.startswith("<!DOCTYPE html>")
    assert outline.count("h1") == 1
    assert not {t for t, _ in outline.found} & {"script", "img", "link", "iframe", "object", "embed", "base"}
    assert not [a for _, attrs in outline.found for a in attrs if a.startswith("on")]
    addresses = [a[n] for _, a in outline.found for n in ("src", "href", "xlink:href", "srcset", "action") if n in a]
    addresses += re.findall(r"url\(([^)]*)\)", text)
    assert all((address or "").startswith("#") for address in addresses)
    assert "@import" not in text
    ids = [a["id"] for _, a in outline.found if "id" in a]
    assert len(ids) == len(set(ids))
    assert {(address or "")[1:] for address in addresses} <= set(ids)
    assert RESEARCH_USE_ONLY in outline.text
    assert len(text.encode()) < 3_000_000
    return outline
