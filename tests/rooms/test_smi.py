"""SMILES files: a structure and a name a line, row numbers are line numbers."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from molmed.data.sources.smi import _columns
from molmed.data.table import chunks, column_names


@pytest.fixture
def rows(tmp_path: Path):
    def read(text: str) -> list[tuple[object, ...]]:
        path = tmp_path / "a.smi"
        path.write_text(text, encoding="utf-8", newline="")
        assert column_names(path) == ("smiles", "id")
        return [row for part in chunks(path, 2) for row in zip(*part.columns.values(), strict=True)]

    return read


def test_a_name_may_hold_blanks_and_may_be_missing(rows) -> None:
    assert rows("CCO ethanol of life\nCCN\nCC\tm 3\t\n") == [("CCO", "ethanol of life"), ("CCN", None), ("CC", "m 3")]


@pytest.mark.parametrize("header", ["smiles id", "SMILES\tName", "Smiles"])
def test_a_header_is_no_row(rows, header: str) -> None:
    assert rows(f"{header}\nCCO a\n") == [("CCO", "a")]


def test_only_the_first_line_can_be_a_header(rows) -> None:
    assert rows("CCO a\nsmiles id\n") == [("CCO", "a"), ("smiles", "id")]


def test_an_empty_line_in_the_middle_is_a_row_and_at_the_end_is_none(rows) -> None:
    assert rows("CCO a\n\n  \nCCN b\n\n\n") == [("CCO", "a"), (None, None), (None, None), ("CCN", "b")]


def test_blanks_before_a_structure_do_not_count(rows) -> None:
    assert rows("  CCO a\n\tCCN b\n") == [("CCO", "a"), ("CCN", "b")]


def test_commas_and_quotes_have_no_meaning(rows) -> None:
    assert rows('CCO "a", b\nCC,N x\n') == [("CCO", '"a", b'), ("CC,N", "x")]


@given(st.lists(st.text(st.sampled_from("CN=#1 \t\x0b\x1c\x85\xa0\u2003é")), min_size=1, max_size=6))
def test_any_white_space_ends_a_structure(lines: list[str]) -> None:
    """Lines are cut at one sign if that is enough; it must not show."""
    words = [line.split(None, 1) for line in lines]
    smiles, ids = _columns(lines)
    assert smiles == [w[0] if w else None for w in words]
    assert ids == [w[1].strip() or None if len(w) > 1 else None for w in words]
