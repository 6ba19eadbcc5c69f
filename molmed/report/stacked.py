"""Cells of a table that hold a value and, in small print below it, what belongs to it: narrow enough for a phone."""

from markupsafe import Markup

from molmed.report import numbers
from molmed.results import Interval


def stacked(interval: Interval | None, places: int, *, sign: bool = False) -> Markup:
    """The value with its interval in brackets below it; a dash for None."""
    if interval is None:
        return Markup("{}").format(numbers.UNKNOWN)
    value = numbers.signed(interval.value, places) if sign else numbers.fixed(interval.value, places)
    inside = numbers.between(interval.low, interval.high, places)
    return under(value, f"({inside})" if inside != numbers.UNKNOWN else "")


def under(text: str, small: str) -> Markup:
    """A text with another in small print below it."""
    return Markup('{}<span class="under">{}</span>').format(text, small) if small else Markup("{}").format(text)
