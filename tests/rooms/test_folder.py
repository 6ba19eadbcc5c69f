"""A folder or a pattern is one table: files in order of their names, rows numbered through, nothing left out unsaid."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from molmed.data.sources import Chunk
from molmed.data.table import chunks, column_names, read
from molmed.errors import InputError
from molmed.results import Reason


def put(folder: Path, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


def smiles(parts: list[Chunk]) -> list[object]:
    return [cell for part in parts for cell in part.columns["smiles"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lib = put(tmp_path / "lib", b__csv="smiles,y\nCCN,2\nCCC\nCCS,3\n", a__csv="smiles,y\nC,0\nCC,1\n")
    return put(lib, c__csv="smiles,y\n")


def test_the_files_of_a_folder_are_one_table(folder: Path) -> None:
    parts = list(chunks(folder, 2))
    assert column_names(folder) == ("smiles", "y")
    assert smiles(parts) == ["C", "CC", "CCN", None, "CCS"]
    assert [(part.start, part.n, Path(part.source).name) for part in parts] == [
        (0, 2, "a.csv"), (2, 2, "b.csv"), (4, 1, "b.csv"),
    ]  # fmt: skip
    assert [(r.row, r.id, r.reason) for part in parts for r in part.rejected] == [(3, "3", Reason.ROW_SHAPE)]
    assert parts[-1].done == 1
    assert 0 < parts[0].done < parts[1].done < 1


def test_a_folder_is_read_as_a_frame(folder: Path) -> None:
    assert read(folder).y.tolist() == ["0", "1", "2", None, "3"]
    assert read(str(folder)).equals(read(folder / "*.csv"))


def test_a_file_alone_keeps_its_numbers(folder: Path) -> None:
    assert [part.start for part in chunks(folder / "b.csv", 2)] == [0, 2]


def test_a_pattern_takes_what_it_matches_in_order(tmp_path: Path) -> None:
    lib = tmp_path / "lib"
    lib.mkdir()
    for number in (10, 2, 1):
        (lib / f"part-{number:02d}.smi.gz").write_bytes(gzip.compress(f"{'C' * number} m{number}\n".encode()))
    put(lib, notes__txt="not a table", readme__md="#")
    assert smiles(list(chunks(f"{lib}/*.smi.gz"))) == ["C", "CC", "C" * 10]
    assert smiles(list(chunks(lib / "part-0?.smi.gz"))) == ["C", "CC"]
    assert smiles(list(chunks(lib / "part-[!0]*"))) == ["C" * 10]


def test_two_stars_go_into_folders(tmp_path: Path) -> None:
    put(tmp_path / "a", x__smi="C\n")
    put(tmp_path / "a" / "b", y__smi="CC\n")
    assert smiles(list(chunks(tmp_path / "**" / "*.smi"))) == ["CC", "C"]


def test_a_name_with_brackets_is_a_name(tmp_path: Path) -> None:
    put(tmp_path, **{"a[1]__smi": "C\n", "a1__smi": "CC\n"})
    assert smiles(list(chunks(tmp_path / "a[1].smi"))) == ["C"]


def test_hidden_and_temporary_files_are_left_out(folder: Path) -> None:
    put(folder, **{".d__csv": "x", "_d__csv": "x", "~$d__csv": "x", "d__csv~": "x", "d__csv__part": "x"})
    put(folder, d__csv__tmp="x", _SUCCESS="")
    assert smiles(list(chunks(folder))) == ["C", "CC", "CCN", None, "CCS"]
    assert smiles(list(chunks(folder / "*"))) == ["C", "CC", "CCN", None, "CCS"]


def test_another_column_is_refused_and_named(folder: Path) -> None:
    put(folder, d__csv="smiles,z\nC,1\n")
    for look in (column_names, lambda table: list(chunks(table))):
        with pytest.raises(InputError, match=r"lib as one table.*no column 'z' in a\.csv, while d\.csv has it"):
            look(folder)


def test_the_order_of_the_columns_may_differ(folder: Path) -> None:
    put(folder, d__csv="y,smiles\n7,CCF\n")
    parts = list(chunks(folder))
    assert smiles(parts)[-1] == "CCF"
    assert all(tuple(part.columns) == ("smiles", "y") for part in parts)


def test_a_file_that_no_source_reads_is_refused_and_not_left_out(folder: Path) -> None:
    put(folder, d__md="#")
    with pytest.raises(InputError, match=r"the file 'd\.md'; accepted: .*\.csv.*a pattern such as .*lib/\*\.csv"):
        list(chunks(folder))


def test_a_folder_in_a_folder_is_refused_and_not_left_out(folder: Path) -> None:
    put(folder / "old", a__csv="smiles\nC\n")
    with pytest.raises(InputError, match=r"folders in the folder \(old\).*pattern"):
        list(chunks(folder))
    (folder / "old").rename(folder / ".old")
    assert len(smiles(list(chunks(folder)))) == 5


@pytest.mark.parametrize("look", [column_names, lambda table: list(chunks(table))], ids=["columns", "chunks"])
def test_nothing_to_read_is_one_clear_sentence(look, tmp_path: Path) -> None:
    put(tmp_path, **{".hidden__csv": "smiles\nC\n"})
    with pytest.raises(InputError, match="a folder without files"):
        look(tmp_path)
    with pytest.raises(InputError, match=r"\*\.csv: found no file that matches the pattern"):
        look(tmp_path / "*.csv")


def test_files_of_several_formats_are_one_table(tmp_path: Path) -> None:
    pd.DataFrame({"smiles": ["CC"], "id": ["b"]}).to_parquet(tmp_path / "b.parquet")
    put(tmp_path, a__smi="C a\n", c__csv="id,smiles\nc,CCC\n")
    assert smiles(list(chunks(tmp_path))) == ["C", "CC", "CCC"]


def test_sd_files_may_have_different_properties(tmp_path: Path) -> None:
    block = "\n\n\n  1  0  0  0  0  0  0  0  0  0999 V2000\n    0.0000    0.0000    0.0000 C   0  0\nM  END\n"
    put(tmp_path, a__sdf=f"a{block}> <x>\n1\n\n$$$$\n", b__sdf=f"b{block}> <y>\n2\n\n$$$$\n", c__sdf=f"{block}$$$$\n")
    parts = list(chunks(tmp_path))
    assert column_names(tmp_path) == ("smiles", "id", "x", "y")
    assert [cell for part in parts for cell in part.columns["id"]] == ["a", "b", None]
    assert [cell for part in parts for cell in part.columns["y"]] == [None, "2", None]
    put(tmp_path, d__csv="smiles,id,x\nC,d,1\n")
    with pytest.raises(InputError, match=r"no column 'y' in d\.csv, while b\.sdf has it"):
        column_names(tmp_path)


def test_a_file_cut_short_costs_one_row_and_the_next_file_follows(tmp_path: Path) -> None:
    content = gzip.compress(b"".join(b"%s m%d\n" % (b"C" * (i % 90 + 1), i * 7919 % 1009) for i in range(2000)))
    (tmp_path / "a.smi.gz").write_bytes(content[: len(content) // 2])
    (tmp_path / "b.smi").write_text("CCO last\n", encoding="utf-8")
    parts = list(chunks(tmp_path, 100))
    found = smiles(parts)
    assert found[-2:] == [None, "CCO"]
    assert [r.row for part in parts for r in part.rejected] == [len(found) - 2]


def test_shares_grow_over_files_and_end_at_one(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.smi").write_text("CCO\n" * 500, encoding="utf-8")
    shares = [part.done for part in chunks(tmp_path, 250)]
    assert shares == pytest.approx([i / 8 for i in range(1, 9)], abs=0.01)
    assert shares[-1] == 1
