"""A file, a data frame, a dict and a list give the same chunks."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed.data.table import chunks, column_names, read
from molmed.errors import ConfigError, InputError

SMILES = ["CCO", "c1ccccc1", "", "bad", "CCN"]


@pytest.mark.parametrize(
    "table",
    [SMILES, tuple(SMILES), np.asarray(SMILES), pd.Series(SMILES, index=[9, 8, 7, 7, 7]), {"smiles": SMILES},
     {"smiles": np.asarray(SMILES)}, pd.DataFrame({"smiles": SMILES}, index=[3, 3, 3, 1, 0])],
    ids=["list", "tuple", "array", "series", "dict", "dict of arrays", "frame"],
)  # fmt: skip
@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_tables_in_memory_are_cut_into_chunks(table: object, rows: int) -> None:
    parts = list(chunks(table, rows))
    assert column_names(table) == ("smiles",)
    assert [part.start for part in parts] == list(range(0, 5, rows))
    assert [cell for part in parts for cell in part.columns["smiles"]] == SMILES
    assert not any(part.rejected for part in parts)


def test_a_file_gives_the_cells_of_a_list(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,n\n" + "".join(f"{s},{i}\n" for i, s in enumerate(SMILES)), encoding="utf-8")
    assert read(path).smiles.tolist() == SMILES
    assert [c for part in chunks(str(path), 2) for c in part.columns["smiles"]] == SMILES


def test_whatever_pandas_calls_missing_is_none() -> None:
    frame = pd.DataFrame(
        {
            "float": [1.5, np.nan],
            "text": pd.array(["CCO", pd.NA], dtype="string"),
            "whole": pd.array([1, pd.NA], dtype="Int64"),
            "time": pd.to_datetime(["2020-01-01", None]),
            "object": ["x", None],
        }
    )
    (part,) = chunks(frame)
    assert [cells[1] for cells in part.columns.values()] == [None] * 5
    assert part.columns["float"][0] == 1.5
    assert part.columns["whole"][0] == 1
    assert part.columns["text"][0] == "CCO"
    (part,) = chunks(["CCO", None, pd.NA, float("nan")])
    assert part.columns["smiles"] == ["CCO", None, None, None]


def test_names_that_are_no_text_become_text() -> None:
    frame = pd.DataFrame([["CCO", 1]])
    (part,) = chunks(frame)
    assert column_names(frame) == ("0", "1")
    assert part.columns == {"0": ["CCO"], "1": [1]}


@pytest.mark.parametrize("table", [[], {"smiles": []}, pd.DataFrame({"smiles": []})], ids=["list", "dict", "frame"])
def test_an_empty_table_has_columns_and_no_chunks(table: object) -> None:
    assert column_names(table) == ("smiles",)
    assert list(chunks(table)) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"smiles": ["CCO", "CC"], "y": [1]}, "lengths.*'smiles': 2, 'y': 1"),
        ({"smiles": "CCO"}, "'smiles'.*str"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "columns a, a"),
    ],
    ids=["lengths differ", "text is no column", "two columns of one name"],
)
def test_tables_that_mean_nothing_are_refused(table: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        list(chunks(table))


def test_the_share_of_a_table_in_memory_is_that_of_its_rows() -> None:
    parts = list(chunks(SMILES, 2))
    assert [part.done for part in parts] == [0.4, 0.8, 1.0]
    assert {part.source for part in parts} == {""}


def test_no_rows_at_a_time_are_refused(tmp_path: Path) -> None:
    for table in (SMILES, tmp_path / "a.csv"):
        with pytest.raises(InputError, match="0 rows at a time"):
            list(chunks(table, 0))


def test_a_setting_that_the_format_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.smi with sheet='Hits'.*no setting 'sheet'; accepted: no settings"):
        column_names(tmp_path / "a.smi", sheet="Hits")


def test_whole_numbers_of_a_typed_file_stay_whole(tmp_path: Path) -> None:
    typed = {"id": pd.array([1, None], dtype="Int64"), "n": [1, 2], "y": [1.5, None], "s": ["C", None]}
    pd.DataFrame(typed).to_parquet(tmp_path / "a.parquet")
    frame = read(tmp_path / "a.parquet")
    assert [str(dtype) for dtype in frame.dtypes] == ["object", "int64", "float64", "object"]
    assert frame.id.tolist() == [1, None]


def test_a_format_costs_nothing_until_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.smi").write_text("CCO\n", encoding="utf-8")
    look = f"from molmed.data import table, write\ntable.column_names({str(tmp_path / 'a.smi')!r})"
    heavy = ["openpyxl", "backports.zstd", "fsspec", "pyarrow.parquet", "pyarrow.dataset", "torch"]
    told = f"{look}\nimport json, sys\nprint(json.dumps([m for m in {heavy} if m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == []
