"""Every source gives every row of a file once, in order, in bounded memory, and says what it cannot read.

A new file of the shelf is found by its name. Its author adds to `FORMATS` how a small table is written in each of
its extensions; everything below then runs over it.
"""

import bz2
import gzip
import io
import lzma
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from backports import zstd
from rdkit import Chem

from molmed import catalog
from molmed.data.sources import Chunk, Source
from molmed.data.table import chunks, column_names, open_source
from molmed.errors import InputError
from molmed.results import Reason

Rows = Sequence[tuple[str, str]]
COLUMNS = ("smiles", "id")


@dataclass(frozen=True)
class Format:
    """How the tests write one extension.

    Args:
        content: the bytes of a file with the columns "smiles" and "id" and these rows; without rows a header or
            whatever else makes an empty table of this format.
        text: whether it is plain text, whose encoding and line ends may vary, and which may be packed as a whole.
        names: whether the names of the columns stand in it, so that it can be a table without rows.
        flat: whether a longer file needs no more memory, and if not, why.
    """

    content: Callable[[Rows], bytes]
    text: bool
    names: bool = True
    flat: str = ""


def delimited(mark: str) -> Format:
    return Format(lambda rows: "".join(f"{mark.join(row)}\n" for row in (COLUMNS, *rows)).encode(), text=True)


@lru_cache
def mol_block(smiles: str, v3000: bool) -> str:
    """Without its name line."""
    return Chem.MolToMolBlock(Chem.MolFromSmiles(smiles), forceV3000=v3000).split("\n", 1)[1]


def structures(v3000: bool) -> Format:
    def content(rows: Rows) -> bytes:
        return "".join(f"{id}\n{mol_block(smiles, v3000)}$$$$\n" for smiles, id in rows).encode()

    return Format(content, text=True, names=False)


def parquet(rows: Rows) -> bytes:
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.to_parquet(None, row_group_size=10, index=False)


def excel(rows: Rows) -> bytes:
    book = openpyxl.Workbook()
    for row in (COLUMNS, *rows):
        book.active.append(row)
    book.save(file := io.BytesIO())
    return file.getvalue()


SHARED_TEXTS = "openpyxl holds all different texts of a workbook, which Excel limits to a million rows"


FORMATS = {
    ".csv": delimited(","),
    ".tsv": delimited("\t"),
    ".txt": delimited(";"),
    ".smi": delimited(" "),
    ".smiles": delimited("\t"),
    ".ism": delimited("  "),
    ".sdf": structures(v3000=False),
    ".sd": structures(v3000=True),
    ".mol": structures(v3000=False),
    ".parquet": Format(parquet, text=False),
    ".pq": Format(parquet, text=False),
    ".xlsx": Format(excel, text=False, flat=SHARED_TEXTS),
    ".xlsm": Format(excel, text=False, flat=SHARED_TEXTS),
}
PACKERS = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".zst": lambda content: zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1}),
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}

EXTENSIONS = [(name, e) for name in catalog.names("sources") for e in catalog.load("sources", name).extensions]
KNOWN = [e for _, e in EXTENSIONS if e in FORMATS]
TEXT = [e for e in KNOWN if FORMATS[e].text]
PACKED = [(e, p) for e in TEXT for p in PACKERS]
# canonical, since a mol block has no SMILES of its own
SMILES = ("CCO", "Oc1ccccc1", "C[C@H](N)C(=O)O", "[Cl-].[Na+]", "F/C=C/F", "O=C(O)c1ccccc1", "C[N+](C)(C)C")
ROWS = [(SMILES[i % len(SMILES)], f"m{i * i % 89:02d}-{i}") for i in range(25)]


def write(path: Path, rows: Rows = ROWS) -> Path:
    packer = PACKERS.get(path.suffix)
    content = FORMATS[(path.with_suffix("") if packer else path).suffix].content(rows)
    path.write_bytes(packer(content) if packer else content)
    return path


def whole(parts: Sequence[Chunk]) -> list[tuple[object, ...]]:
    """All rows of the chunks; checks what must hold between and inside chunks."""
    start, done = 0, 0.0
    for part in parts:
        assert part.start == start
        assert done <= part.done <= 1
        done = part.done
        assert tuple(part.columns) == COLUMNS
        assert all(len(cells) == part.n for cells in part.columns.values())
        refused = [r.row for r in part.rejected]
        assert refused == sorted(set(refused))
        assert all(start <= row < start + part.n for row in refused)
        assert all(part.columns[COLUMNS[0]][row - start] is None for row in refused)
        start += part.n
    assert done == 1 or not parts
    return [row for part in parts for row in zip(*part.columns.values(), strict=True)]


def read(path: Path, rows: int = 10_000) -> list[Chunk]:
    return list(chunks(path, rows))


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
def test_the_tests_can_write_every_extension(name: str, extension: str) -> None:
    assert extension in FORMATS, (
        f"{extension} of the source {name!r} is not tested yet: add to FORMATS in {Path(__file__).name} how a table "
        f"with the columns {COLUMNS} is written in it"
    )


@pytest.mark.parametrize("name", catalog.names("sources"))
def test_a_source_names_its_extensions(name: str) -> None:
    entry = catalog.load("sources", name)
    assert issubclass(entry, Source)
    assert entry.extensions
    for extension in entry.extensions:
        assert extension.startswith(".")
        assert extension == extension.lower()
        assert not extension.endswith(tuple(PACKERS))


def test_an_extension_belongs_to_one_source() -> None:
    extensions = [extension for _, extension in EXTENSIONS]
    assert len(set(extensions)) == len(extensions)


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
def test_a_file_is_opened_by_its_extension_in_any_case(name: str, extension: str) -> None:
    for ending in (extension, extension.upper(), *(extension + p for p in PACKERS if FORMATS[extension].text)):
        assert type(open_source(Path(f"table{ending}"))) is catalog.load("sources", name)


def test_an_unknown_extension_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'\.docx'.*\.csv"):
        open_source(Path("table.docx.gz"))


@pytest.mark.parametrize("extension", [e for e in KNOWN if not FORMATS[e].text])
def test_a_format_that_is_packed_inside_is_not_packed_again(extension: str) -> None:
    with pytest.raises(InputError, match=r"packed inside; accepted: \.\w+; unpack it"):
        open_source(Path(f"table{extension}.gz"))


@pytest.mark.parametrize("extension", KNOWN)
def test_rows_come_in_file_order(extension: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{extension}")
    parts = read(path)
    assert column_names(path) == COLUMNS
    assert whole(parts) == ROWS
    assert not any(part.rejected for part in parts)


@pytest.mark.parametrize("rows", [1, 2, 7, 24, 25, 26])
@pytest.mark.parametrize("extension", KNOWN)
def test_the_chunk_size_changes_nothing_but_the_chunks(extension: str, rows: int, tmp_path: Path) -> None:
    parts = read(write(tmp_path / f"table{extension}"), rows)
    assert whole(parts) == ROWS
    full, last = divmod(len(ROWS), rows)
    assert [part.n for part in parts] == [rows] * full + [last] * (last > 0)


@pytest.mark.parametrize("extension", KNOWN)
def test_one_row_is_one_row(extension: str, tmp_path: Path) -> None:
    assert whole(read(write(tmp_path / f"table{extension}", ROWS[:1]))) == ROWS[:1]


@pytest.mark.parametrize("extension", KNOWN)
def test_a_file_four_times_as_long_needs_no_more_memory(extension: str, tmp_path: Path) -> None:
    if FORMATS[extension].flat:
        pytest.skip(FORMATS[extension].flat)

    def peak(times: int) -> int:
        path = write(tmp_path / f"{times}{extension}", [("CCO", f"{i:010000d}") for i in range(times * 40)])
        tracemalloc.start()
        try:
            for part in chunks(path, 8):
                assert part.n == 8
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8) < 1.3 * peak(2)


@pytest.mark.parametrize("extension", KNOWN)
def test_the_share_read_follows_the_rows(extension: str, tmp_path: Path) -> None:
    parts = read(write(tmp_path / f"table{extension}", [("CCO", str(i)) for i in range(1000)]), 100)
    for number, part in enumerate(parts, 1):
        assert part.done == pytest.approx(number / 10, abs=0.02)


@pytest.mark.parametrize("extension", KNOWN)
def test_a_chunk_names_its_file(extension: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{extension}")
    assert {part.source for part in read(path, 7)} == {str(path)}


@pytest.mark.parametrize(("extension", "packer"), PACKED)
def test_packing_changes_nothing(extension: str, packer: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{extension}{packer}")
    assert column_names(path) == COLUMNS
    assert whole(read(path, 7)) == ROWS


@pytest.mark.parametrize(("extension", "packer"), PACKED)
def test_of_a_packed_file_cut_short_comes_what_stands_before_the_cut(
    extension: str, packer: str, tmp_path: Path
) -> None:
    length = 2000 if FORMATS[extension].names else 600
    long = [(SMILES[i % len(SMILES)], f"{i * 7919 % 100_003:05d}") for i in range(length)]
    path = write(tmp_path / f"table{extension}{packer}", long)
    content = path.read_bytes()
    lengths = []
    for kept in (len(content) // 2, len(content) * 3 // 4, len(content) - 1):
        path.write_bytes(content[:kept])
        try:
            parts = read(path, 1000)
        except InputError:  # bzip2 and zstd decode whole blocks: nothing stands before the cut
            assert packer in (".bz2", ".zst")
            lengths.append(0)
            continue
        rows = whole(parts)
        faults = [r for part in parts for r in part.rejected]
        assert [(f.row, f.reason) for f in faults] == [(len(rows) - 1, Reason.FILE_TRUNCATED)]
        assert rows[:-1] == long[: len(rows) - 1]
        lengths.append(len(rows))
    assert lengths == sorted(lengths)
    if packer == ".gz":
        assert 100 < lengths[0] < lengths[1] < len(long)
    if packer != ".bz2":
        assert lengths[-1] == len(long) + 1  # every row is there, but nothing says that these are all


@pytest.mark.parametrize(("extension", "packer"), PACKED)
def test_a_damaged_packed_file_is_said_to_be_damaged(extension: str, packer: str, tmp_path: Path) -> None:
    members = [ROWS[:20], ROWS[20:]]
    path = tmp_path / f"table{extension}{packer}"
    parts = [bytearray(PACKERS[packer](FORMATS[extension].content(rows))) for rows in members]
    parts[1][len(parts[1]) // 2] ^= 255
    path.write_bytes(b"".join(parts))
    found = read(path)
    assert [r.reason for part in found for r in part.rejected][-1] == Reason.FILE_TRUNCATED
    assert [row for row in whole(found) if row in ROWS][:20] == ROWS[:20]


@pytest.mark.parametrize(("extension", "packer"), PACKED)
def test_what_is_called_packed_but_is_not_is_refused(extension: str, packer: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{extension}{packer}"
    path.write_bytes(FORMATS[extension].content(ROWS))
    with pytest.raises(InputError, match=r"table.*(gzip|zstd|bzip2|xz)"):
        read(path)


ENDS = {"windows": "\r\n", "old mac": "\r", "unix": "\n"}


@pytest.mark.parametrize("ends", ENDS)
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("extension", TEXT)
def test_line_ends_and_a_byte_order_mark_change_nothing(extension: str, mark: bytes, ends: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{extension}"
    path.write_bytes(mark + FORMATS[extension].content(ROWS).replace(b"\n", ENDS[ends].encode()))
    assert column_names(path) == COLUMNS
    assert whole(read(path)) == ROWS


@pytest.mark.parametrize("extension", TEXT)
def test_the_last_line_needs_no_end(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{extension}"
    path.write_bytes(FORMATS[extension].content(ROWS).rstrip(b"\n"))
    assert whole(read(path)) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
@pytest.mark.parametrize("extension", TEXT)
def test_accents_survive_in_both_encodings(extension: str, encoding: str, tmp_path: Path) -> None:
    accented = [*ROWS[:3], ("CCO", "Müller"), ("CCN", "café")]
    path = tmp_path / f"table{extension}"
    path.write_bytes(FORMATS[extension].content(accented).decode().encode(encoding).rstrip(b"\n"))
    assert whole(read(path)) == accented


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"], ids=["no bytes", "blank lines"])
@pytest.mark.parametrize("extension", KNOWN)
def test_an_empty_file_is_refused(extension: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"table{extension}"
    path.write_bytes(content)
    for look in (column_names, read):
        with pytest.raises(InputError, match=r"reading .*table"):
            look(path)


@pytest.mark.parametrize("extension", KNOWN)
def test_a_header_alone_is_a_table_without_rows(extension: str, tmp_path: Path) -> None:
    if not FORMATS[extension].names:
        pytest.skip("this format has no table without rows")
    path = write(tmp_path / f"table{extension}", [])
    assert column_names(path) == COLUMNS
    assert whole(read(path)) == []


@pytest.mark.parametrize("extension", KNOWN)
def test_a_missing_file_and_an_empty_folder_are_refused(extension: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{extension}").mkdir()
    for ending in (extension, *[f"{extension}.gz"] * FORMATS[extension].text):
        with pytest.raises(InputError, match=r"absent.*no such file"):
            read(tmp_path / f"absent{ending}")
    with pytest.raises(InputError, match=r"folder.*name a file"):
        read(tmp_path / f"folder{extension}")


@pytest.mark.parametrize("extension", KNOWN)
def test_a_name_that_no_file_can_have_is_refused(extension: str, tmp_path: Path) -> None:
    for name in ("x" * 300, "nul\0"):
        with pytest.raises(InputError, match="cannot be opened"):
            read(tmp_path / f"{name}{extension}")
