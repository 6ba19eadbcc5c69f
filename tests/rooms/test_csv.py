"""Delimited text: header or none, the delimiter, quotes, rows of another width."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from molmed.data.sources.csv import CSV, CSVConfig
from molmed.data.table import chunks, column_names, read
from molmed.errors import InputError
from molmed.results import Reason


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return path

    return write


def rows(path: Path) -> list[tuple[object, ...]]:
    return [row for part in chunks(path) for row in zip(*part.columns.values(), strict=True)]


def faults(path: Path) -> list[tuple[int, Reason]]:
    return [(r.row, r.reason) for part in chunks(path) for r in part.rejected]


HEADERS = {
    "usual names": ("smiles,pIC50\n", "CCO,1\n"),
    "only the id is usual": ("my structure,ID\n", "CCO,7\n"),
    "units in brackets": ("SMILES,IC50 [nM],logS [mol/L]\n", "CCO,1,2\n"),
    "a name that ends like an aromatic ring": ("smiles,desc1,func1\n", "CCO,1,2\n"),
    "brackets and rings without a usual name": ("ligand,IC50 [nM],desc1\n", "CCO,1,2\n"),
    "a hash": ("ligand,#,y\n", "CCO,1,2\n"),
    "elements above numbers": ("C,N,O\n", "40.1,5.2,3.3\n"),
    "words that parse as SMILES above numbers": ("no,CN,y\n", "1,2,3\n"),
    "numbers beside a usual name": ("smiles,1,2\n", "CCO,0,1\n"),
    "nothing below": ("structure,y\n", ""),
    "an unusual name above SMILES": ("ligand,y\n", "CCO,1\nCCN,2\n"),
    "a line break inside a name": ('"IC50\n(nM)",smiles\n', "1,CCO\n"),
}
NO_HEADERS = {
    "SMILES alone": "CCO\nCCN\n",
    "one SMILES alone": "CCO\n",
    "SMILES and numbers": "CCO,1\nCCN,2\n",
    "SMILES and names": "CCO,ethanol\nc1ccccc1,benzene\n",
    "the first SMILES is broken": "O=C(C,a\nCC,b\n",
    "the second SMILES is broken": "CCO,a\nC1CC,b\nCCN,c\n",
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_header_is_recognised(table, case: str) -> None:
    header, below = HEADERS[case]
    path = table(header + below)
    assert ",".join(column_names(path)) == header.strip().replace('"', "")
    assert len(rows(path)) == below.count("\n")


@pytest.mark.parametrize("case", NO_HEADERS)
def test_without_a_header_no_row_is_lost(table, case: str) -> None:
    text = NO_HEADERS[case]
    path = table(text)
    assert column_names(path) == tuple(str(i) for i in range(text.split("\n")[0].count(",") + 1))
    assert len(rows(path)) == text.count("\n")


def test_the_user_may_say_whether_there_is_a_header(table) -> None:
    path = table("CCO,1\nCCN,2\n")
    assert CSV(CSVConfig(header=True)).columns(path) == ("CCO", "1")
    (part,) = CSV(CSVConfig(header=True)).chunks(path)
    assert part.columns == {"CCO": ["CCN"], "1": ["2"]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("smiles,y\nCCO,1\n", ("smiles", "y")),
        ("smiles;y\nCCO;1,5\n", ("smiles", "y")),
        ("smiles\ty\nCCO\t1\n", ("smiles", "y")),
        ("smiles\tIC50, nM\nCCO\t1\n", ("smiles", "IC50, nM")),
        ('smiles;"a;b"\nCCO;1\n', ("smiles", "a;b")),
        ("smiles;IC50, nM;x\nCCO;1;2\n", ("smiles", "IC50, nM", "x")),
        ("smiles\nCCO\n", ("smiles",)),
    ],
)
def test_the_delimiter_is_found_in_the_header(table, text: str, names: tuple[str, ...]) -> None:
    path = table(text)
    assert column_names(path) == names
    assert [len(row) for row in rows(path)] == [len(names)]


def test_names_are_made_different_and_not_empty(table) -> None:
    path = table("smiles,x,x,,x.1\nCCO,1,2,3,4\n")
    names = column_names(path)
    assert names[:4] == ("smiles", "x", "x.1", "3")
    assert len(set(names)) == 5
    assert rows(path) == [("CCO", "1", "2", "3", "4")]


def test_quoted_cells_may_hold_the_delimiter_quotes_and_line_breaks(table) -> None:
    path = table('smiles,name\n"CCO","a, ""b""\nc"\nCCN,5" pipe\n')
    assert rows(path) == [("CCO", 'a, "b"\nc'), ("CCN", '5" pipe')]


def test_a_line_of_delimiters_is_a_row_and_a_blank_line_is_none(table) -> None:
    path = table("smiles,y\nCCO,1\n\n   \n,\nCCN,2\n\n")
    assert rows(path) == [("CCO", "1"), ("", ""), ("CCN", "2")]
    assert not faults(path)
    assert rows(table("smiles\ty\n\t\nCCN\t2\n", "table.tsv")) == [("", ""), ("CCN", "2")]


def test_rows_of_another_width_are_rejected_and_nothing_else(table) -> None:
    path = table("smiles,y\nCCO,1,3\nCC\nC,2\n")
    assert rows(path) == [(None, None), (None, None), ("C", "2")]
    assert faults(path) == [(0, Reason.ROW_SHAPE), (1, Reason.ROW_SHAPE)]


@pytest.mark.parametrize("broken", ['CCN,"open', '"CCN,2', 'CCN,2,"'])
@pytest.mark.parametrize("after", [0, 1, 50])
def test_a_quote_that_is_never_closed_costs_one_row(table, broken: str, after: int) -> None:
    rest = [("CC" * i, str(i)) for i in range(1, after + 1)]
    path = table("smiles,y\nCCO,1\n" + broken + "\n" + "".join(f"{s},{y}\n" for s, y in rest))
    assert rows(path) == [("CCO", "1"), (None, None), *rest]
    assert faults(path) == [(1, Reason.ROW_SHAPE)]


def test_an_open_quote_in_a_gzip_file_cut_short_costs_one_row_and_the_cut_another(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    rest = [("C" * (i % 9 + 1), str(i * 7919 % 1009)) for i in range(2000)]
    content = gzip.compress(('smiles,y\n"CCN,2\n' + "".join(f"{s},{y}\n" for s, y in rest)).encode())
    path.write_bytes(content[: len(content) // 2])
    found = rows(path)
    assert len(found) > 500
    assert found == [(None, None), *rest[: len(found) - 2], (None, None)]
    assert faults(path) == [(0, Reason.ROW_SHAPE), (len(found) - 1, Reason.FILE_TRUNCATED)]


def test_a_stray_pair_of_quotes_does_not_swallow_the_rows_between(table) -> None:
    path = table('smiles,y,z\n"CCN,2,0\nCC,3,0\n"CCC,4\nC,5,0\n')
    assert rows(path) == [(None,) * 3, ("CC", "3", "0"), (None,) * 3, ("C", "5", "0")]


def test_a_file_that_is_one_open_quote_is_refused(table) -> None:
    with pytest.raises(InputError, match="quote"):
        column_names(table('"smiles,y\nCCO,1\n'))


def test_a_cell_of_a_hundred_thousand_characters_is_a_cell(table) -> None:
    long = "C" * 200_000
    assert rows(table(f"smiles,y\n{long},1\nCC,2\n")) == [(long, "1"), ("CC", "2")]


def test_control_characters_do_not_end_a_row(table) -> None:
    assert rows(table("smiles,y\nC\0C,1\nC\x0bC,2\nC\u2028C,3\n")) == [
        ("C\0C", "1"),
        ("C\x0bC", "2"),
        ("C\u2028C", "3"),
    ]


def test_reading_a_whole_file_keeps_its_rows_and_lists_the_rejected(table) -> None:
    frame = read(table("smiles,y\nCCO,1\nCC\nC,2\n"))
    assert frame.y.tolist() == ["1", None, "2"]
    assert [(r.row, r.reason) for r in frame.attrs["rejected"]] == [(1, Reason.ROW_SHAPE)]


cells_without_quotes = st.text(st.characters(codec="utf-8", exclude_characters='",\r\n'), max_size=4)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(cells_without_quotes, max_size=4), max_size=12))
def test_lines_without_quotes_are_read_as_the_csv_module_reads_them(
    tmp_path_factory: pytest.TempPathFactory, table: list[list[str]]
) -> None:
    """They are cut by the thousand; one quoted line among them sends all of them through the csv module."""
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    text = "smiles,y\n" + "".join(",".join(row) + "\n" for row in table)
    path.write_text(text + 'CCO,"1"\n', encoding="utf-8", newline="")
    *slow, last = rows(path)
    found = faults(path)
    assert last == ("CCO", "1")
    path.write_text(text, encoding="utf-8", newline="")
    for block in (1 << 17, 9):  # so small that each line is a block of its own
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("molmed.data.packing.BLOCK", block)
            assert rows(path) == slow
            assert faults(path) == found


def test_quoted_and_plain_stretches_of_a_long_file_are_one_table(table) -> None:
    expected = [(f"{'C' * (i % 60 + 1)}", f'{i}, "x"\n' if i // 3000 % 2 else str(i)) for i in range(12_000)]
    quoted = (f'{s},"{n.replace(chr(34), chr(34) * 2)}"\n' if '"' in n else f"{s},{n}\n" for s, n in expected)
    path = table("smiles,note\n" + "".join(quoted))
    assert rows(path) == expected
    assert not faults(path)


def test_settings_reach_the_format(table) -> None:
    path = table("CCO|1\nCCN|2\n")
    assert column_names(path, delimiter="|", header=True) == ("CCO", "1")
    assert read(path, delimiter="|", header=False).iloc[:, 1].tolist() == ["1", "2"]
