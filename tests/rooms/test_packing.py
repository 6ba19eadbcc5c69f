"""Packed files: several members are one text, what follows a member is a member or damage, memory stays bounded."""

import bz2
import gzip
import lzma
import tracemalloc
from pathlib import Path

import pytest
from backports import zstd

from molmed.data.packing import PACKINGS, Truncated, content, pack, packing
from molmed.data.text import lines
from molmed.errors import InputError

PACKERS = {".gz": gzip.compress, ".zst": zstd.compress, ".bz2": bz2.compress, ".xz": lzma.compress}


def test_every_packing_is_tested() -> None:
    assert tuple(PACKERS) == PACKINGS


@pytest.mark.parametrize(
    ("name", "ending"), [("a.csv.gz", ".gz"), ("A.CSV.ZST", ".zst"), ("a.csv", ""), ("agz", ""), ("a.gz.csv", "")]
)
def test_the_last_extension_says_how_a_file_is_packed(name: str, ending: str) -> None:
    assert packing(name) == ending


@pytest.mark.parametrize("ending", PACKERS)
def test_several_members_are_one_text(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(b"".join(map(PACKERS[ending], (b"a\nb", b"", b"c\nd\n"))))
    assert list(lines(path)) == ["a", "bc", "d"]


@pytest.mark.parametrize("ending", PACKERS)
def test_bytes_after_a_member_are_damage_not_text(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(PACKERS[ending](b"a\nb\n") + b"junk that is no member")
    reader = lines(path)
    assert [next(reader), next(reader)] == ["a", "b"]
    with pytest.raises(Truncated):
        next(reader)


def test_xz_may_be_padded(tmp_path: Path) -> None:
    path = tmp_path / "a.txt.xz"
    path.write_bytes(lzma.compress(b"a\n") + b"\0" * 8 + lzma.compress(b"b\n") + b"\0" * 4)
    assert list(lines(path)) == ["a", "b"]


@pytest.mark.parametrize("ending", PACKERS)
def test_no_bytes_are_an_empty_text(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a.txt{ending}").write_bytes(b"")
    assert list(lines(tmp_path / f"a.txt{ending}")) == []


@pytest.mark.parametrize("ending", PACKERS)
def test_what_is_not_packed_at_all_is_refused(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"a.txt{ending}").write_bytes(b"smiles,y\n" * 100)
    with pytest.raises(InputError, match=r"found no (gzip|zstd|bzip2|xz) content"):
        list(lines(tmp_path / f"a.txt{ending}"))


@pytest.mark.parametrize("ending", PACKERS)
def test_a_member_that_unpacks_to_very_much_is_unpacked_bit_by_bit(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{ending}"
    path.write_bytes(PACKERS[ending](b"C" * 99_999 + b"\n" + bytes(50_000_000)))
    tracemalloc.start()
    try:
        assert sum(len(block) for block, _ in content(path)) == 50_100_000
        assert tracemalloc.get_traced_memory()[1] < 12_000_000  # xz alone keeps a window of 8 MiB
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_the_share_read_is_that_of_the_stored_bytes(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.txt{ending}"
    data = b"".join(b"%d\n" % (i * 7919 % 1_000_003) for i in range(200_000))
    path.write_bytes(PACKERS.get(ending, bytes)(data))
    shares = [share for _, share in content(path)]
    assert shares == sorted(shares)
    assert shares[0] < 0.9
    assert shares[-1] == 1


@pytest.mark.parametrize("ending", ["", *PACKERS])
def test_what_is_packed_is_the_content_and_nothing_else(ending: str, tmp_path: Path) -> None:
    data = b"C1CC1 cyclopropane\n" * 1000
    for name in ("a", "b"):
        with pack(tmp_path / f"{name}.smi{ending}", ending) as file:
            file.write(data)
    first, second = ((tmp_path / f"{name}.smi{ending}").read_bytes() for name in "ab")
    assert first == second
    assert b"".join(block for block, _ in content(tmp_path / f"a.smi{ending}")) == data


def test_a_text_without_line_ends_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("molmed.data.text._LONGEST", 10_000_000)
    (tmp_path / "a.csv").write_bytes(bytes(30_000_000))
    with pytest.raises(InputError, match="without a line end"):
        list(lines(tmp_path / "a.csv"))
