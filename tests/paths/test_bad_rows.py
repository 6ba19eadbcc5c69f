"""One table with everything that can be wrong with a row: each has its status and reason, the others come through.

Only the front of the corridor is looked at: source, columns, reading, standardising.
"""

import gzip
import random
from dataclasses import dataclass
from pathlib import Path

import pytest

from molmed.chem import Molecule
from molmed.data.table import Table, chunks
from molmed.errors import InputError
from molmed.experiment.config import DataConfig
from molmed.experiment.rows import Prepared, lay_out, prepare, repeated
from molmed.results import Reason, Status
from molmed.targets import Slot

OK, WARNED, REJECTED = Status.OK, Status.WARNED, Status.REJECTED
GOOD = ("CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1", "C[C@H](N)C(=O)O", "O=C(O)c1ccccc1OC(C)=O")
NOISE = "".join(random.Random(0).choices([chr(c) for c in range(33, 127) if chr(c) not in '",'], k=10_000))
PEPTIDE = "N" + "CC(=O)N" * 500 + "CC(=O)O"  # 2,005 heavy atoms


@dataclass(frozen=True)
class Row:
    """A structure cell, what becomes of it, and (where it goes on) its parent."""

    what: str
    cell: str
    status: Status
    reason: Reason = Reason.NONE
    parent: str = ""


ROWS = (
    Row("plain", GOOD[0], OK, parent="CCO"),
    Row("broken SMILES", "C1CC(=O", REJECTED, Reason.SYNTAX),
    Row("plain", GOOD[1], OK, parent="Oc1ccccc1"),
    Row("five bonds at carbon", "CC(C)(C)(C)C", REJECTED, Reason.VALENCE),
    Row("aromatic without a Kekule form", "c1cccc1C", REJECTED, Reason.AROMATICITY),
    Row("empty cell", "", REJECTED, Reason.EMPTY),
    Row("blank cell", "   ", REJECTED, Reason.EMPTY),
    Row("NaN", "nan", REJECTED, Reason.EMPTY),
    Row("a number", "6.2", REJECTED, Reason.NOT_TEXT),
    Row("a name", "aspirin", REJECTED, Reason.SYNTAX),
    Row("only an empty fragment", ".", REJECTED, Reason.NO_ATOMS),
    Row("an empty fragment beside a molecule", "CCO.", REJECTED, Reason.SYNTAX),
    Row("plain", GOOD[2], OK, parent="CC(=O)Nc1ccc(O)cc1"),
    Row("2,000 atoms", PEPTIDE, WARNED, Reason.LARGE_MOLECULE, parent="peptide"),
    Row("a salt", "CC(=O)[O-].[Na+]", OK, Reason.SALT_STRIPPED, parent="CC(=O)O"),
    Row("a salt drawn as one molecule", "CC(=O)O[Na]", OK, Reason.SALT_STRIPPED, parent="CC(=O)O"),
    Row("a salt of an organic acid", "CCN.OC(=O)C=CC(=O)O", OK, Reason.SALT_STRIPPED, parent="CCN"),
    Row("a mixture", "CCCCCCN.Oc1ccccc1", REJECTED, Reason.MIXTURE),
    Row("isotopic hydrogen", "[2H]C([2H])([2H])O", OK, parent="[2H]C([2H])([2H])O"),
    Row("heavy hydrogen alone", "[2H][2H]", OK, parent="[2H][2H]"),
    Row("a reaction", "CCO>>CC=O", REJECTED, Reason.REACTION),
    Row("10,000 characters of noise", NOISE, REJECTED, Reason.SYNTAX),
    Row("accented text", "éthanol", REJECTED, Reason.SYNTAX),
    Row("a SMILES with one foreign letter", "CC\xd3", REJECTED, Reason.SYNTAX),
    Row("plain", GOOD[3], OK, parent="C[C@H](N)C(=O)O"),
    Row("a quoted cell with a line break", '"CCO\nof good quality"', OK, parent="CCO"),
)  # fmt: skip
# whole lines, since it is the line that is wrong
LINES = (
    ("too many cells", "CCN,many,1.0,more", REJECTED, Reason.ROW_SHAPE),
    ("too few cells", "CCN,few", REJECTED, Reason.ROW_SHAPE),
    ("a quote that is never closed", '"CCN,open,1.0', REJECTED, Reason.ROW_SHAPE),
    ("only delimiters", ",,", REJECTED, Reason.EMPTY),
    ("an id that was there", "CCC,r0,1.0", WARNED, Reason.DUPLICATE_ID),
)
N = len(ROWS) + len(LINES) + 1
SLOTS = (Slot("molecule"),)


def text() -> str:
    lines = ["smiles,id,pIC50"]
    lines += [f"{row.cell},r{i},{i / 2}" for i, row in enumerate(ROWS)]
    lines += [line for _, line, _, _ in LINES]
    return "\n".join([*lines, f"{GOOD[4]},last,7"]) + "\n"


def prepared(table: Table, rows: int = 10_000, config: DataConfig | None = None) -> list[Prepared]:
    layout = lay_out(table, SLOTS, config or DataConfig())
    seen: set[str] = set()
    return [prepare(chunk, layout, repeated(chunk, layout, seen)) for chunk in chunks(table, rows)]


def outcome(parts: list[Prepared]) -> list[tuple[int, str, Status, Reason]]:
    return [
        (int(part.rows[i]), part.ids[i], part.status[i], part.reason[i])
        for part in parts
        for i in range(len(part.rows))
    ]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "bad.csv"
    path.write_text(text(), encoding="utf-8", newline="")
    return path


def test_every_row_has_its_status_and_reason(table: Path) -> None:
    found = outcome(prepared(table))
    assert [row for row, *_ in found] == list(range(N))
    said = [(row.what, row.status, row.reason) for row in ROWS]
    said += [(what, status, reason) for what, _, status, reason in LINES]
    said += [("plain", OK, Reason.NONE)]
    for (what, status, reason), (_, _, *got) in zip(said, found, strict=True):
        assert got == [status, reason], what


def test_every_rejected_row_says_why_in_a_line(table: Path) -> None:
    (part,) = prepared(table)
    for i, status in enumerate(part.status):
        if status == REJECTED:
            assert part.step[i] in ("read", "standardise")
            assert 10 < len(part.detail[i]) < 400
            assert "\n" not in part.detail[i]
    assert [(r.row, r.reason) for r in part.rejected()] == [
        (row, reason) for row, _, status, reason in outcome([part]) if status == REJECTED
    ]


def test_what_goes_on_is_the_right_molecule_in_the_right_order(table: Path) -> None:
    (part,) = prepared(table)
    expected = [row for row in ROWS if row.status != REJECTED]
    molecules = part.items["molecule"]
    assert all(isinstance(m, Molecule) for m in molecules)
    assert len(molecules) == len(part.ok) == len(expected) + 2
    for row, molecule in zip(expected, molecules, strict=False):
        if row.parent == "peptide":
            assert molecule.mol.GetNumHeavyAtoms() == 2005
        else:
            assert molecule.smiles == row.parent, row.what
    assert [m.smiles for m in molecules[-2:]] == ["CCC", "CC(=O)Oc1ccccc1C(=O)O"]


def test_a_salt_names_its_parent_and_what_was_removed(table: Path) -> None:
    (part,) = prepared(table)
    salts = [i for i, row in enumerate(ROWS) if row.reason == Reason.SALT_STRIPPED]
    for i in salts:
        assert part.parent[i] == ROWS[i].parent
        assert part.parent[i] in part.detail[i]
    assert ["[Na+]" in part.detail[i] for i in salts] == [True, True, False]


@pytest.mark.parametrize("rows", [1, 2, 7, N])
def test_the_chunk_size_changes_nothing(table: Path, rows: int) -> None:
    assert outcome(prepared(table, rows)) == outcome(prepared(table))


ENCODED = {
    "windows line ends and a byte order mark": lambda t: b"\xef\xbb\xbf" + t.replace("\n", "\r\n").encode(),
    "old mac line ends": lambda t: t.replace("\n", "\r").encode(),
    "latin-1": lambda t: t.encode("latin-1"),
    "no end of the last line": lambda t: t.rstrip("\n").encode(),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_encoding_and_line_ends_change_nothing(table: Path, encoding: str) -> None:
    plain = outcome(prepared(table))
    table.write_bytes(ENCODED[encoding](text()))
    assert outcome(prepared(table)) == plain


def test_gzip_changes_nothing_and_a_cut_costs_only_what_is_behind_it(table: Path) -> None:
    plain = outcome(prepared(table))
    packed = table.with_suffix(".csv.gz")
    content = gzip.compress(text().encode())
    packed.write_bytes(content)
    assert outcome(prepared(packed)) == plain
    packed.write_bytes(content[:-20])
    *before, last = outcome(prepared(packed))
    assert before == plain[: len(before)]
    assert len(before) > 10
    assert last[2:] == (REJECTED, Reason.FILE_TRUNCATED)


def test_a_list_gets_the_reasons_of_the_file() -> None:
    cells = [row.cell.strip('"') for row in ROWS]
    found = outcome(prepared([*cells, None, float("nan"), 6.2]))
    assert [tuple(f[2:]) for f in found[: len(ROWS)]] == [(row.status, row.reason) for row in ROWS]
    assert [f[3] for f in found[len(ROWS) :]] == [Reason.EMPTY, Reason.EMPTY, Reason.NOT_TEXT]


def test_a_column_that_is_not_there_is_answered_with_the_nearest(table: Path) -> None:
    for config in (DataConfig(smiles="smile"), DataConfig(targets=("pIC5O",)), DataConfig(id="ids")):
        with pytest.raises(InputError, match=r"no column '.*did you mean"):
            prepared(table, config=config)


def test_a_table_without_rows_and_one_of_one_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("smiles,y\n", encoding="utf-8")
    assert prepared(path) == []
    path.write_text("smiles,y\nCCO,1\n", encoding="utf-8")
    assert outcome(prepared(path)) == [(0, "0", OK, Reason.NONE)]


def test_a_file_of_nothing_but_bad_rows_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    bad = [row for row in ROWS if row.status == REJECTED]
    path.write_text("smiles,y\n" + "".join(f"{row.cell},1\n" for row in bad), encoding="utf-8")
    assert [tuple(f[2:]) for f in outcome(prepared(path))] == [(row.status, row.reason) for row in bad]
