"""Every sink writes a whole file or none, and what it writes can be read back.

A new file of the shelf is found by its name. Its author adds to `FORMATS` how its files are read back and what they
do not keep; everything below then runs over it.
"""

import bz2
import gzip
import json
import lzma
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from backports import zstd
from rdkit import Chem

from molmed import catalog
from molmed.data.cells import is_missing, number
from molmed.data.sinks import Sink
from molmed.data.table import read
from molmed.data.write import open_sink
from molmed.errors import InputError

UNPACKERS = {"": bytes, ".gz": gzip.decompress, ".zst": zstd.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
COLUMNS = {"row": "int64", "id": "object", "smiles": "object", "y": "float64", "y_class": "Int64", "note": "object"}
LONG = "C" * 40_000
TEXTS = [
    "plain", "", "naïve 化合物 𝔘 €", 'quotes " and \' and ""', "comma, semicolon; tab\there", " blanks around ", "=1+1",
    "#N/A", "007", "1e5", ">10", "$$$$", "> <y>", "None", "\u2028 and \x85 and \ufeff", "-", "'", "two\nlines",
]  # fmt: skip
SMILES = ["CCO", "c1ccccc1", "not a smiles", "", "C[C@H](N)C(=O)O", "F/C=C/F", "[Na+].[Cl-]"]
NUMBERS = [1.5, math.nan, -0.0, 0.1, 123456.789, 1e-30, -3e38, 7.0, 1 / 3]


def table(n: int = 40, start: int = 0) -> pd.DataFrame:
    rows = range(start, start + n)
    return pd.DataFrame(
        {
            "row": np.asarray(rows, dtype=np.int64),
            "id": pd.Series([f"m-{i} {TEXTS[2]}" if i % 5 else "" for i in rows], dtype=object),
            "smiles": pd.Series([SMILES[i % len(SMILES)] for i in rows], dtype=object),
            "y": pd.Series([NUMBERS[i % len(NUMBERS)] for i in rows], dtype="float64"),
            "y_class": pd.Series([(0, 1, pd.NA)[i % 3] for i in rows], dtype="Int64"),
            "note": pd.Series([TEXTS[i % len(TEXTS)] for i in rows], dtype=object),
        }
    )


@dataclass(frozen=True)
class Format:
    """How the tests read one extension back.

    Args:
        cells: path -> column name -> cells.
        keeps: what becomes of a text in the column `note`; most formats keep it.
        numbers: float64, or float32 where numbers are text.
        equal: whether equal tables are equal files.
        names: whether an empty table keeps the names of its columns.
        columns: those that are written.
    """

    cells: Callable[[Path], dict[str, list[object]]]
    keeps: Callable[[str], str] = str
    numbers: type = np.float32
    equal: bool = True
    names: bool = True
    columns: tuple[str, ...] = tuple(COLUMNS)


def ours(path: Path) -> dict[str, list[object]]:
    frame = read(path)
    assert frame.attrs["rejected"] == []
    return {name: frame[name].tolist() for name in frame}


def json_lines(path: Path) -> dict[str, list[object]]:
    content = UNPACKERS[path.suffix if path.suffix in UNPACKERS else ""](path.read_bytes()).decode()
    rows = [json.loads(line) for line in content.split("\n")[:-1]]
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


def structures(path: Path) -> dict[str, list[object]]:
    """The SMILES comes from the drawing; as it was given it stands among the properties."""
    found = ours(path)
    drawn = found.pop("smiles")
    given = found.pop("smiles.1")
    assert drawn == [None if is_missing(s) or s == "not a smiles" else Chem.CanonSmiles(s) for s in given]
    return found | {"smiles": given}


def smiles(path: Path) -> dict[str, list[object]]:
    """A line holds the first word of a structure; "." stands for none."""
    found = ours(path)
    words = {"not": "not a smiles", ".": ""}
    return {"id": found["id"], "smiles": [words.get(str(s), s) for s in found["smiles"]]}


def one_line(text: str) -> str:
    return text.replace("\n", " ").replace("$$$$", " $$$$").replace("> <y>", " > <y>")


SDF = Format(structures, keeps=one_line, names=False)
SMI = Format(smiles, names=False, columns=("id", "smiles"))
FORMATS = {
    ".csv": Format(ours),
    ".tsv": Format(ours),
    ".parquet": Format(ours, numbers=np.float64),
    ".pq": Format(ours, numbers=np.float64),
    ".xlsx": Format(ours, numbers=np.float64, equal=False),
    ".jsonl": Format(json_lines, names=False),
    ".ndjson": Format(json_lines, names=False),
    ".sdf": SDF,
    ".sd": SDF,
    ".smi": SMI,
    ".smiles": SMI,
    ".ism": SMI,
}
SHELF = [(name, catalog.load("sinks", name)) for name in catalog.names("sinks")]
EXTENSIONS = [(name, e) for name, sink in SHELF for e in sink.extensions]
ENDINGS = [
    e + p for _, sink in SHELF for e in sink.extensions if e in FORMATS for p in (UNPACKERS if sink.packed else [""])
]


def form(ending: str) -> Format:
    return FORMATS["." + ending.split(".")[1]]


def write(path: Path, *frames: pd.DataFrame) -> Path:
    with open_sink(path, COLUMNS) as sink:
        for frame in frames:
            sink.write(frame)
    return path


def check(found: dict[str, list[object]], expected: pd.DataFrame, of: Format) -> None:
    assert set(found) == set(of.columns)
    for name in of.columns:
        for cell, wanted in zip(found[name], expected[name].tolist(), strict=True):
            if wanted is pd.NA or wanted == "" or wanted != wanted:
                assert is_missing(cell), (name, cell)
            elif isinstance(wanted, str):
                text = of.keeps(wanted) if name == "note" else wanted
                assert cell == text or (text == "None" and cell is None), name
            else:
                kind = of.numbers if name == "y" else type(wanted)
                assert kind(number(cell)) == kind(wanted), name


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
def test_the_tests_can_read_every_extension(name: str, extension: str) -> None:
    assert extension in FORMATS, (
        f"{extension} of the sink {name!r} is not tested yet: add to FORMATS in {Path(__file__).name} how it is read"
    )


@pytest.mark.parametrize(("name", "sink"), SHELF)
def test_a_sink_names_its_extensions(name: str, sink: type[Sink]) -> None:
    assert issubclass(sink, Sink)
    assert sink.extensions
    assert all(e.startswith(".") and e == e.lower() for e in sink.extensions)
    assert not any(e.endswith(tuple(UNPACKERS)[1:]) for e in sink.extensions)


def test_an_extension_belongs_to_one_sink() -> None:
    assert len({e for _, e in EXTENSIONS}) == len(EXTENSIONS)


@pytest.mark.parametrize("name", ["table.docx", "table", "table.parquet.gz", "table.xlsx.zst", ".csv.gzz"])
def test_an_unknown_extension_is_refused_with_the_known_ones(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.csv.*\.parquet.*\.gz"):
        open_sink(tmp_path / name, COLUMNS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_written_is_read_back(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"table{ending}", table(25), table(15, start=25))
    check(form(ending).cells(path), table(), form(ending))


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e in FORMATS])
def test_an_extension_in_capitals_is_the_same(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"TABLE{ending.upper()}", table())
    check(form(ending).cells(path), table(), form(ending))


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_packed_file_holds_the_plain_one(ending: str, tmp_path: Path) -> None:
    if not form(ending).equal:
        pytest.skip("equal tables are not promised to be equal files")
    plain = write(tmp_path / f"a.{ending.split('.')[1]}", table())
    path = write(tmp_path / f"b{ending}", table())
    assert UNPACKERS[path.suffix if ending.count(".") > 1 else ""](path.read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_equal_tables_are_equal_files(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not form(ending).equal:
        pytest.skip("equal tables are not promised to be equal files")
    first = write(tmp_path / f"first{ending}", table(25), table(15, start=25)).read_bytes()
    monkeypatch.setattr("time.time", lambda: 2e9)
    (tmp_path / "other").mkdir()
    second = write(tmp_path / "other" / f"second{ending}", table(25), table(15, start=25)).read_bytes()
    assert first == second


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e in FORMATS])
def test_a_table_without_rows_is_a_file(ending: str, tmp_path: Path) -> None:
    for frames in ([], [table(0)]):
        path = write(tmp_path / f"table{ending}", *frames)
        if form(ending).names:
            assert read(path).columns.tolist() == list(form(ending).columns)
            assert len(read(path)) == 0
        else:
            assert path.read_bytes() == b""


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e in FORMATS])
def test_a_very_long_cell_is_kept_or_marked(ending: str, tmp_path: Path) -> None:
    frame = table(3).assign(note=LONG)
    found = form(ending).cells(write(tmp_path / f"table{ending}", frame)).get("note", [])
    if ending == ".xlsx":
        assert found == [LONG[: 32_767 - 3] + "..."] * 3
    elif "note" in form(ending).columns:
        assert found == [LONG] * 3


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failure_leaves_nothing(ending: str, tmp_path: Path) -> None:
    def fail() -> None:
        with open_sink(tmp_path / f"table{ending}", COLUMNS) as sink:
            sink.write(table())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ENDINGS)
def test_until_the_end_an_older_file_stays(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    path.write_bytes(b"older")
    with open_sink(path, COLUMNS) as sink:
        sink.write(table())
        assert path.read_bytes() == b"older"
    assert path.read_bytes() != b"older"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e in FORMATS])
def test_where_nothing_can_be_written_is_said_at_once(ending: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    (tmp_path / f"folder{ending}").mkdir()
    for path in (f"file/a{ending}", f"folder{ending}", "x" * 300 + ending, f"nul\0{ending}"):
        with pytest.raises(InputError, match=r"writing .*(written|folder of that name)"):
            open_sink(tmp_path / path, COLUMNS)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", f"folder{ending}"]


@pytest.mark.parametrize("ending", [e for e in ENDINGS if e in FORMATS])
def test_missing_folders_are_made(ending: str, tmp_path: Path) -> None:
    assert write(tmp_path / "a" / "b" / f"table{ending}", table(2)).is_file()
