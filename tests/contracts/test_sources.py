"""Every source gives every row of a file once, in order, in bounded memory, and says what it cannot read.

A new file of the shelf is found by its name. Its author adds to `FORMATS` how a small table is written in each of
its extensions; everything below then runs over it.
"""

import gzip
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

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
        text: whether it is plain text, whose encoding and line ends may vary.
    """

    content: Callable[[Rows], bytes]
    text: bool


def delimited(mark: str) -> Format:
    return Format(lambda rows: "".join(f"{mark.join(row)}\n" for row in (COLUMNS, *rows)).encode(), text=True)


FORMATS = {
    ".csv": delimited(","),
    ".tsv": delimited("\t"),
    ".txt": delimited(";"),
    ".smi": delimited(" "),
    ".smiles": delimited("\t"),
    ".ism": delimited("  "),
}

EXTENSIONS = [(name, e) for name in catalog.names("sources") for e in catalog.load("sources", name).extensions]
KNOWN = [e for _, e in EXTENSIONS if e in FORMATS]
TEXT = [e for e in KNOWN if FORMATS[e].text]
SMILES = ("CCO", "c1ccccc1O", "not-a-smiles", "C[C@H](N)C(=O)O", "[Na+].[Cl-]", "F/C=C/F", "O=C(O)c1ccccc1")
ROWS = [(SMILES[i % len(SMILES)], f"m{i * i % 89:02d}-{i}") for i in range(25)]


def write(path: Path, rows: Rows = ROWS) -> Path:
    extension = Path(path.name.removesuffix(".gz")).suffix
    content = FORMATS[extension].content(rows)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def whole(parts: Sequence[Chunk]) -> list[tuple[object, ...]]:
    """All rows of the chunks; checks what must hold between and inside chunks."""
    start = 0
    for part in parts:
        assert part.start == start
        assert tuple(part.columns) == COLUMNS
        assert all(len(cells) == part.n for cells in part.columns.values())
        refused = [r.row for r in part.rejected]
        assert refused == sorted(set(refused))
        assert all(start <= row < start + part.n for row in refused)
        assert all(cells[row - start] is None for cells in part.columns.values() for row in refused)
        start += part.n
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
        assert not extension.endswith(".gz")


def test_an_extension_belongs_to_one_source() -> None:
    extensions = [extension for _, extension in EXTENSIONS]
    assert len(set(extensions)) == len(extensions)


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
def test_a_file_is_opened_by_its_extension_in_any_case(name: str, extension: str) -> None:
    for ending in (extension, extension.upper(), f"{extension}.gz"):
        assert type(open_source(Path(f"table{ending}"))) is catalog.load("sources", name)


def test_an_unknown_extension_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'\.docx'.*\.csv"):
        open_source(Path("table.docx.gz"))


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
    def peak(times: int) -> int:
        path = write(tmp_path / f"{times}{extension}", [("CCO", f"{i:02000d}") for i in range(times * 300)])
        tracemalloc.start()
        try:
            for part in chunks(path, 30):
                assert part.n == 30
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(8) < 1.3 * peak(2)


@pytest.mark.parametrize("extension", KNOWN)
def test_gzip_changes_nothing(extension: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{extension}.gz")
    assert column_names(path) == COLUMNS
    assert whole(read(path, 7)) == ROWS


@pytest.mark.parametrize("extension", KNOWN)
def test_of_a_gzip_file_cut_short_comes_what_stands_before_the_cut(extension: str, tmp_path: Path) -> None:
    long = [(SMILES[i % len(SMILES)], f"{i * 7919 % 100_003:05d}") for i in range(3000)]
    path = write(tmp_path / f"table{extension}.gz", long)
    content = path.read_bytes()
    lengths = []
    for kept in (len(content) // 2, len(content) * 3 // 4, len(content) - 9, len(content) - 1):
        path.write_bytes(content[:kept])
        parts = read(path, 1000)
        rows = whole(parts)
        faults = [r for part in parts for r in part.rejected]
        assert [(f.row, f.reason) for f in faults] == [(len(rows) - 1, Reason.FILE_TRUNCATED)]
        assert rows[:-1] == long[: len(rows) - 1]
        lengths.append(len(rows))
    assert lengths == sorted(lengths)
    assert 100 < lengths[0] < lengths[1] < len(long)
    assert lengths[-1] == len(long) + 1  # every row is there, but nothing says that these are all


@pytest.mark.parametrize("extension", KNOWN)
def test_a_damaged_gzip_file_is_said_to_be_damaged(extension: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{extension}.gz")
    content = bytearray(path.read_bytes())
    content[-6] ^= 255  # the checksum
    path.write_bytes(content)
    assert [r.reason for part in read(path) for r in part.rejected] == [Reason.FILE_TRUNCATED]


@pytest.mark.parametrize("extension", KNOWN)
def test_what_is_called_gz_but_is_not_is_refused(extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{extension}.gz"
    path.write_bytes(FORMATS[extension].content(ROWS))
    with pytest.raises(InputError, match=r"table.*gzip"):
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
    path = write(tmp_path / f"table{extension}", [])
    assert column_names(path) == COLUMNS
    assert whole(read(path)) == []


@pytest.mark.parametrize("extension", KNOWN)
def test_a_missing_file_and_a_folder_are_refused(extension: str, tmp_path: Path) -> None:
    (tmp_path / f"folder{extension}").mkdir()
    for ending in (extension, f"{extension}.gz"):
        with pytest.raises(InputError, match=r"absent.*no such file"):
            read(tmp_path / f"absent{ending}")
    with pytest.raises(InputError, match=r"folder.*name a file"):
        read(tmp_path / f"folder{extension}")


@pytest.mark.parametrize("extension", KNOWN)
def test_a_name_that_no_file_can_have_is_refused(extension: str, tmp_path: Path) -> None:
    for name in ("x" * 300, "nul\0"):
        with pytest.raises(InputError, match="cannot be opened"):
            read(tmp_path / f"{name}{extension}")
