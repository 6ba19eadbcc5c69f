"""Lines come out whole and in order, whatever the block size, the line ends and the encoding do."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molmed.data.packing import BLOCK as _BLOCK
from molmed.data.text import Truncated, lines
from molmed.errors import InputError

ENDS = ("\n", "\r\n", "\r")


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("shift", range(4))
def test_a_line_end_on_the_edge_of_a_block_is_one_line_end(end: str, shift: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    expected = ["x" * (_BLOCK - shift), "", "é" * _BLOCK, "b", ""]
    path.write_bytes(end.join(expected).encode())
    assert list(lines(path)) == expected[:-1]


@pytest.mark.parametrize("shift", range(3))
def test_a_character_on_the_edge_of_a_block_is_one_character(shift: int, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    text = "x" * (_BLOCK - shift) + "é€\n" + "end"
    path.write_bytes(text.encode())
    assert list(lines(path)) == text.split("\n")


def test_a_line_longer_than_many_blocks_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("C" * (5 * _BLOCK) + "\nCC\n", encoding="utf-8")
    assert [len(line) for line in lines(path)] == [5 * _BLOCK, 2]


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.text(alphabet="aé€\t\x0b\u2028\0", max_size=4), st.sampled_from(ENDS)), max_size=8),
    st.booleans(),
)
def test_lines_end_where_files_end_them_and_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory, parts: list[tuple[str, str]], mark: bool
) -> None:
    path = tmp_path_factory.mktemp("lines") / "a.txt"
    text = "".join(line + end for line, end in parts)
    path.write_bytes(b"\xef\xbb\xbf" * mark + text.encode())
    whole = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert list(lines(path)) == (whole[:-1] if whole[-1] == "" else whole)


def test_a_line_that_is_not_utf_8_is_latin_1_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("a,é\n".encode() + "b,ü\n".encode("latin-1") + "c,€\n".encode())
    assert list(lines(path)) == ["a,é", "b,ü", "c,€"]


def test_a_last_letter_that_is_half_a_utf_8_character_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("caf\u00e9".encode("latin-1"))
    assert list(lines(path)) == ["café"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused_with_what_to_do(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(("" if encoding == "utf-16" else "\ufeff").encode(encoding) + "smiles\n".encode(encoding))
    with pytest.raises(InputError, match=r"UTF-16.*UTF-8"):
        list(lines(path))


def test_several_gzip_members_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n"))
    assert list(lines(path)) == ["a", "bc", "d"]


def test_the_lines_before_a_cut_come_first(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    text = "".join(f"line {i * 7919 % 10_007}\n" for i in range(20_000))
    content = gzip.compress(text.encode())
    path.write_bytes(content[: len(content) // 2])
    found = []

    def collect() -> None:
        for line in lines(path):
            found.append(line)  # noqa: PERF402 (list() would lose what came before)

    with pytest.raises(Truncated):
        collect()
    assert 1000 < len(found) < 20_000
    assert found == text.split("\n")[: len(found)]


def test_bytes_after_a_gzip_member_are_damage_not_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.gz"
    path.write_bytes(gzip.compress(b"a\nb\n") + b"junk that is no gzip")
    reader = lines(path)
    assert [next(reader), next(reader)] == ["a", "b"]
    with pytest.raises(Truncated):
        next(reader)
