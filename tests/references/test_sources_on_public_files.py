"""Public files come through whole: as many rows as their manifest says, and the structure column is found."""

import csv
import gzip
from pathlib import Path

import pytest

from molmed.data.columns import guess_smiles
from molmed.data.table import chunks, column_names
from molmed.results import Reason

TORN = "standardisation/rdkit_pubchem100k_validate.tsv.gz"


@pytest.mark.mirror
@pytest.mark.slow
def test_every_row_of_the_mirrored_tables_is_read(mirror: Path) -> None:
    with (mirror / "MANIFEST.csv").open(encoding="utf-8", newline="") as file:
        manifest = list(csv.DictReader(file))
    read = 0
    for entry in manifest:
        path = mirror / entry["path"]
        if Path(path.name.removesuffix(".gz")).suffix not in (".csv", ".tsv", ".smi"):
            continue
        if entry["path"] == TORN:
            continue
        read += 1
        parts = list(chunks(path))
        assert sum(part.n for part in parts) == int(entry["rows"]), path
        assert not any(part.rejected for part in parts), path
        guess = guess_smiles({name: cells[:200] for name, cells in parts[0].columns.items()}).column
        assert guess in column_names(path)
        if not entry["smiles_column"].startswith(("column", "(")):  # it says "column 0" where there is no header
            assert guess == entry["smiles_column"], path
    assert read > 40


@pytest.mark.mirror
@pytest.mark.slow
def test_rows_of_another_width_do_not_hide_their_neighbours(mirror: Path) -> None:
    """Some rows of this file hold two messages, with a tab between them."""
    with gzip.open(mirror / TORN, "rt", encoding="utf-8") as file:
        widths = [line.count("\t") + 1 for line in file]
    rejected = [r for part in chunks(mirror / TORN) for r in part.rejected]
    assert [r.row for r in rejected] == [row for row, width in enumerate(widths) if width != 2]
    assert {r.reason for r in rejected} == {Reason.ROW_SHAPE}
