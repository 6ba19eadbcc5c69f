"""One annotation per field says what values a configuration may take."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from molmed.errors import ConfigError
from molmed.tunable import Choice, Float, Int, check, ranges


@dataclass(frozen=True)
class Example:
    width: Annotated[int, Int(16, 256, step=16)] = 64
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.0
    pooling: Annotated[str, Choice(("mean", "sum"))] = "mean"
    title: str = "free"


def test_ranges_are_found_by_field_and_free_fields_have_none() -> None:
    assert ranges(Example) == {
        "width": Int(16, 256, step=16),
        "dropout": Float(0.0, 0.6),
        "pooling": Choice(("mean", "sum")),
    }


@pytest.mark.parametrize(
    "config",
    [Example(), Example(width=16), Example(width=256), Example(dropout=0.6), Example(pooling="sum"), Example(title="")],
)
def test_values_inside_their_range_pass(config: Example) -> None:
    check(config)


@pytest.mark.parametrize(
    ("config", "field", "allowed"),
    [
        (Example(width=15), "width", "a whole number from 16 to 256"),
        (Example(width=272), "width", "a whole number from 16 to 256"),
        (Example(width=True), "width", "a whole number"),
        (Example(width=64.0), "width", "a whole number"),  # type: ignore[arg-type]
        (Example(dropout=0.61), "dropout", "a number from 0 to 0.6"),
        (Example(dropout=float("nan")), "dropout", "a number from 0 to 0.6"),
        (Example(dropout="0.1"), "dropout", "a number"),  # type: ignore[arg-type]
        (Example(pooling="max"), "pooling", "one of 'mean', 'sum'"),
    ],
)
def test_values_outside_are_refused_with_field_value_and_range(config: Example, field: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as refused:
        check(config)
    text = str(refused.value)
    assert f"Example.{field}" in text
    assert repr(getattr(config, field)) in text
    assert allowed in text


def test_a_whole_number_is_a_number() -> None:
    assert Float(0.0, 2.0).accepts(1)
    assert not Float(0.0, 2.0).accepts(True)
