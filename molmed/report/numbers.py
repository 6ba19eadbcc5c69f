"""Numbers as a reader wants them: three significant digits, a true minus, equal decimals within a row."""

import math
from collections.abc import Iterable

from molmed.results import Interval

UNKNOWN = "–"
"""Stands where there is no number."""

_MINUS = "−"


def decimals(values: Iterable[float], digits: int = 3) -> int:
    """Decimals with which the largest of the values has this many significant digits; nan is left out."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest == 0.0:
        return digits - 1
    return min(6, max(0, digits - 1 - math.floor(math.log10(largest))))


def fixed(value: float, places: int) -> str:
    """The value with this many decimals; thousands apart; a dash for nan, words for an infinite one."""
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "unbounded"
    text = f"{abs(value):,.{places}f}"
    return (_MINUS if value < 0 and any(c in "123456789" for c in text) else "") + text


def number(value: float, digits: int = 3) -> str:
    """The value with this many significant digits."""
    return fixed(value, decimals([value], digits))


def signed(value: float, places: int) -> str:
    """As `fixed`, with a plus in front of what is above 0."""
    text = fixed(value, places)
    return f"+{text}" if value > 0 and text not in (UNKNOWN, "unbounded") else text


def between(low: float, high: float, places: int) -> str:
    """An interval: "0.49 to 0.58"."""
    return f"{fixed(low, places)} to {fixed(high, places)}" if not math.isnan(low + high) else UNKNOWN


def with_interval(interval: Interval, places: int) -> str:
    """A value with its interval: "0.54 (0.49 to 0.58)"; the value alone where the interval is not known."""
    inside = between(interval.low, interval.high, places)
    return fixed(interval.value, places) + (f" ({inside})" if inside != UNKNOWN else "")


def count(n: int) -> str:
    """A whole number with its thousands apart."""
    return f"{n:,}"


def percent(level: float) -> str:
    """A share in per cent that no line break parts: 0.9 -> "90 %"."""
    return f"{100 * level:.3g}\N{NO-BREAK SPACE}%"


def percent_with(interval: Interval) -> str:
    """A share with its interval in per cent: "86 % (81 to 90 %)"."""
    if math.isnan(interval.value):
        return UNKNOWN
    text = percent(round(interval.value, 3 if interval.value > 0.99 else 2))
    if math.isnan(interval.low + interval.high):
        return text
    return f"{text} ({100 * interval.low:.0f} to {100 * interval.high:.0f}\N{NO-BREAK SPACE}%)"


def duration(seconds: float) -> str:
    """A time span: "0.42 s", "17 s", "3 min 05 s", "2 h 10 min"."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
