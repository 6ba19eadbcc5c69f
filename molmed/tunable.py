"""Ranges on configuration fields: one annotation serves validation, the docs, the CLI and the search.

width: Annotated[int, Int(50, 2400, step=50)] = 300
"""

from dataclasses import dataclass, fields
from typing import Any, get_type_hints

from molmed.errors import ConfigError


@dataclass(frozen=True)
class Int:
    """Whole numbers from low to high, both included."""

    low: int
    high: int
    step: int = 1
    log: bool = False

    def accepts(self, value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"


@dataclass(frozen=True)
class Float:
    """Real numbers from low to high, both included."""

    low: float
    high: float
    log: bool = False

    def accepts(self, value: object) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True)
class Choice:
    """One of the listed values."""

    values: tuple[Any, ...]

    def accepts(self, value: object) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(v) for v in self.values)


Range = Int | Float | Choice


def ranges(config: type) -> dict[str, Range]:
    """Field name -> annotated range, for every annotated field of a configuration dataclass."""
    hints = get_type_hints(config, include_extras=True)
    found = {}
    for field in fields(config):
        for mark in getattr(hints[field.name], "__metadata__", ()):
            if isinstance(mark, Int | Float | Choice):
                found[field.name] = mark
    return found


def check(config: Any) -> None:
    """Refuse a configuration whose value lies outside its annotated range.

    Raises:
        ConfigError: naming the field, the value and the range.
    """
    for name, allowed in ranges(type(config)).items():
        value = getattr(config, name)
        if not allowed.accepts(value):
            raise ConfigError(f"setting {type(config).__qualname__}.{name}", repr(value), str(allowed))
