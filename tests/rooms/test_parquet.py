"""Parquet: cells are the objects of their types, and a damaged part costs the rows it holds."""

import datetime
import decimal
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from molmed.data.table import chunks, column_names, read
from molmed.errors import InputError
from molmed.results import Reason


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.parquet"


TYPES = {
    "text": (pa.string(), "CCO"),
    "large text": (pa.large_string(), "CCO"),
    "whole": (pa.int8(), 5),
    "unsigned": (pa.uint64(), 2**64 - 1),
    "number": (pa.float64(), 1.5),
    "half": (pa.float16(), np.float16(1.5)),
    "single": (pa.float32(), 1.5),
    "yes": (pa.bool_(), True),
    "day": (pa.date32(), datetime.date(2026, 3, 1)),
    "moment": (pa.timestamp("us"), datetime.datetime(2026, 3, 1, 12, 30)),
    "decimal": (pa.decimal128(5, 2), decimal.Decimal("1.50")),
    "bytes": (pa.binary(), b"CCO"),
    "category": (pa.dictionary(pa.int32(), pa.string()), "active"),
    "category of numbers": (pa.dictionary(pa.int32(), pa.float64()), 2.5),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_cell_is_the_object_of_its_type(name: str, path: Path) -> None:
    kind, value = TYPES[name]
    pq.write_table(pa.table({"x": pa.array([value, None], pa.float32() if name == "half" else kind).cast(kind)}), path)
    (part,) = chunks(path)
    assert part.columns == {"x": [value, None]}
    if not isinstance(value, np.generic):
        assert type(part.columns["x"][0]) is type(value)


def test_a_nested_cell_is_its_json(path: Path) -> None:
    table = pa.table({"list": [[1.5, None], None], "struct": [{"a": 1, "b": "é"}, None]})
    pq.write_table(table, path)
    (part,) = chunks(path)
    assert part.columns == {"list": ["[1.5, null]", None], "struct": ['{"a": 1, "b": "é"}', None]}


def test_nan_is_missing(path: Path) -> None:
    pq.write_table(pa.table({"x": [1.0, float("nan"), None]}), path)
    assert [part.columns["x"] for part in chunks(path)] == [[1.0, None, None]]


def test_text_that_is_not_utf_8_and_times_beyond_python_are_cells(path: Path) -> None:
    text = pa.Array.from_buffers(pa.string(), 2, pa.array([b"caf\xe9", "né".encode()]).buffers())
    far = pa.array([2**62, 0], pa.timestamp("us"))
    pq.write_table(pa.table({"text": text, "time": far}), path)
    (part,) = chunks(path)
    assert part.columns["text"] == ["café", "né"]
    assert str(part.columns["time"][1]).startswith("1970-01-01")


def test_an_index_without_a_name_is_no_column(path: Path) -> None:
    frame = pd.DataFrame({"smiles": ["CCO", "CCN", "C"]}).iloc[[2, 0]]
    frame.to_parquet(path)
    assert "__index_level_0__" in pq.read_schema(path).names
    assert column_names(path) == ("smiles",)
    assert read(path).smiles.tolist() == ["C", "CCO"]
    frame.rename_axis("id").to_parquet(path)
    assert column_names(path) == ("smiles", "id")


def test_repeated_names_are_made_different(path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), path)
    assert column_names(path) == ("x", "x.1")
    assert [part.columns for part in chunks(path)] == [{"x": [1], "x.1": [2]}]


@pytest.mark.parametrize("group", [1, 7, 100, 1000])
def test_row_groups_do_not_show(group: int, path: Path) -> None:
    pq.write_table(pa.table({"x": list(range(100))}), path, row_group_size=group)
    parts = list(chunks(path, 30))
    assert [part.n for part in parts] == [30, 30, 30, 10]
    assert [x for part in parts for x in part.columns["x"]] == list(range(100))


def test_a_table_without_rows_has_columns_and_no_chunks(path: Path) -> None:
    pq.write_table(pa.table({"x": pa.array([], pa.string())}), path)
    assert column_names(path) == ("x",)
    assert list(chunks(path)) == []


def test_a_large_row_group_is_not_held_as_a_whole(path: Path) -> None:
    random = np.random.default_rng(0)
    texts = [random.bytes(500).hex() for _ in range(40_000)]  # 40 MB, 20 MB packed
    pq.write_table(pa.table({"smiles": texts}), path, row_group_size=40_000, use_dictionary=False, compression="zstd")
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    try:
        most = max(pa.total_allocated_bytes() - before for _ in chunks(path, 1000))
        most += tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 12_000_000


def test_a_damaged_row_group_costs_its_rows_and_no_others(path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 2**62, 3000)
    pq.write_table(pa.table({"x": values}), path, row_group_size=1000, use_dictionary=False, write_page_checksum=True)
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    content = bytearray(path.read_bytes())
    middle = column.data_page_offset + 10  # in the header of the page
    content[middle - 10 : middle + 30] = b"\xff" * 40
    path.write_bytes(content)
    parts = list(chunks(path, 700))
    assert [r.row for part in parts for r in part.rejected] == list(range(1000, 2000))
    assert {r.reason for part in parts for r in part.rejected} == {Reason.FILE_TRUNCATED}
    found = [x for part in parts for x in part.columns["x"]]
    assert found == [*values[:1000].tolist(), *[None] * 1000, *values[2000:].tolist()]
    assert [part.n for part in parts] == [700] * 4 + [200]


@pytest.mark.parametrize("wrong", [b"smiles,y\nCCO,1\n", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1"], ids=repr)
def test_what_is_no_parquet_file_is_refused(wrong: bytes, path: Path) -> None:
    path.write_bytes(wrong)
    with pytest.raises(InputError, match="no Parquet content"):
        column_names(path)


def test_a_parquet_file_cut_short_is_refused(path: Path) -> None:
    pq.write_table(pa.table({"x": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.parquet.*no Parquet content"):
        list(chunks(path))
