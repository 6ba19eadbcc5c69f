"""A screen loses no row, keeps the best ones exactly, and writes whole files or none."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest

import molmed
from molmed.data.bundled import nci_library
from molmed.errors import InputError
from molmed.experiment.run import Run
from molmed.screen.loop import screen


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 600 rows of RDKit's NCI library, two broken ones among them."""
    lines = nci_library().read_text(encoding="utf-8").splitlines()[:600]
    lines[5], lines[300] = "broken( five", "C(C)(C)(C)(C)C valence"
    path = tmp_path_factory.mktemp("library") / "nci.smi"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_every_row_is_written_in_order_and_the_best_are_exact(forest: Run, library: Path, tmp_path: Path) -> None:
    done = screen(library, forest, top=25, out=tmp_path / "out", chunk_rows=70)
    every = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    assert every["row"].tolist() == list(range(600))
    assert every["status"].iloc[[5, 300]].tolist() == ["rejected", "rejected"]
    expected = every[every["pAct"].notna()].sort_values(["pAct", "row"], ascending=[False, True]).head(25)
    assert done.top["row"].tolist() == expected["row"].tolist()
    assert done.top["rank"].tolist() == list(range(1, 26))
    stored = pd.read_parquet(tmp_path / "out" / "top.parquet")
    assert stored["id"].tolist() == done.top["id"].tolist()
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"predictions.parquet", "top.parquet", "summary.json"}


def test_the_summary_accounts_for_every_row(forest: Run, library: Path, tmp_path: Path) -> None:
    done = screen(library, forest, top=5, out=tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert summary["rows"] == done.rows == 600 == sum(c["rows"] for c in summary["counts"])
    assert done.counts["rejected", "syntax"] == 1
    assert done.counts["rejected", "valence"] >= 1


def test_the_chunk_size_changes_nothing(forest: Run, library: Path, tmp_path: Path) -> None:
    """A forest's values are sums in tree order, so even the last bit is the same."""
    tables = []
    for rows in (33, 600):
        screen(library, forest, top=5, out=tmp_path / str(rows), chunk_rows=rows)
        tables.append(pd.read_parquet(tmp_path / str(rows) / "predictions.parquet"))
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_several_libraries_are_one_screen(forest: Run, library: Path, tmp_path: Path) -> None:
    lines = library.read_text(encoding="utf-8").splitlines()
    halves = [tmp_path / "a.smi", tmp_path / "b.smi"]
    for path, part in zip(halves, (lines[:300], lines[300:]), strict=True):
        path.write_text("\n".join(part) + "\n", encoding="utf-8")
    one, two = screen(library, forest, top=20), screen(halves, forest, top=20)
    assert two.rows == one.rows
    assert two.top["id"].tolist() == one.top["id"].tolist()
    assert set(two.top["library"]) <= {str(p) for p in halves}


def test_the_lowest_can_be_the_best(forest: Run, library: Path) -> None:
    done = screen(library, forest, top=10, lowest=True)
    assert done.top["pAct"].is_monotonic_increasing
    assert done.top["pAct"].iloc[0] < screen(library, forest, top=10).top["pAct"].iloc[-1]


def test_a_second_target_can_be_ranked_by(toxic: Run, library: Path) -> None:
    done = screen(library, toxic, top=10, target="heavy")
    assert done.top["heavy"].is_monotonic_decreasing
    with pytest.raises(InputError, match="did you mean 'heavy'"):
        screen(library, toxic, target="heavi")


def test_without_trust_there_are_no_trust_columns(forest: Run, library: Path) -> None:
    done = screen(library, forest, top=3, trust=False)
    assert not [c for c in done.top.columns if "nearest" in c or c in ("domain", "pAct_low")]


def test_a_screen_that_fails_leaves_no_half_table(forest: Run, library: Path, tmp_path: Path) -> None:
    def fail(n: int, done: float) -> None:
        raise RuntimeError("the reader left")

    with pytest.raises(RuntimeError, match="left"):
        screen(library, forest, out=tmp_path / "out", chunk_rows=100, watch=fail)
    assert list((tmp_path / "out").iterdir()) == []


def test_the_door_screens_a_list_with_a_stored_model(stored: Path) -> None:
    done = molmed.screen(["CCO", "c1ccccc1", "nope"], stored, top=2)
    assert len(done.top) == 2
    assert done.rows == 3


def test_nothing_to_keep_is_refused(forest: Run) -> None:
    with pytest.raises(InputError, match="top 0"):
        screen(["CCO"], forest, top=0)


def test_a_library_without_a_readable_row_has_an_empty_top(forest: Run, tmp_path: Path) -> None:
    done = screen(["x(", "y("], forest, out=tmp_path / "out")
    assert len(done.top) == 0
    assert len(pd.read_parquet(tmp_path / "out" / "predictions.parquet")) == 2


def test_who_watches_is_told_which_share_of_the_libraries_is_done(forest: Run, library: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(library.read_bytes())
    told: list[tuple[int, float]] = []
    done = screen(
        [library, other],
        forest,
        top=3,
        trust=False,
        chunk_rows=100,
        watch=lambda rows, share: told.append((rows, share)),
    )
    shares = [share for _, share in told]
    assert sum(rows for rows, _ in told) == done.rows
    assert shares == sorted(shares)
    assert shares[len(shares) // 2 - 1] == pytest.approx(0.5)
    assert shares[-1] == pytest.approx(1.0)


def test_the_share_of_a_library_of_unknown_size_is_unknown(forest: Run, library: Path) -> None:
    told: list[float] = []
    screen([library, library.parent], forest, top=3, trust=False, watch=lambda rows, share: told.append(share))
    assert all(math.isnan(share) for share in told)
