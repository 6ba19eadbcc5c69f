"""Counts in sentences."""

from collections.abc import Sequence


def count(n: int, one: str, many: str = "") -> str:
    """A count with its noun: "1 row", "2,341 rows"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def verb(n: int, one: str, many: str) -> str:
    """The form that fits the count: verb(n, "is", "are")."""
    return one if n == 1 else many


def share(part: int, whole: int) -> str:
    """A share in per cent: "12 %"; "0.3 %" where it is small."""
    percent = 100 * part / whole if whole else 0.0
    return f"{percent:.0f} %" if percent >= 1 or percent == 0 else f"{percent:.1g} %"


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first few of some names: "a, b and 7 more"."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
