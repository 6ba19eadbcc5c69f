"""Who watches a run: the CSV file holds its history, the bar shows on a terminal only."""

import csv
import io
import math
from pathlib import Path

import pytest
from rich.console import Console

from molmed.results import Epoch
from molmed.train.history import History
from molmed.train.observers import CSVLog, ProgressBar

EPOCHS = (
    Epoch(0, 1.5, {"loss": 2.0, "loss/a": 1.0}, 1e-3, 0.25, True),
    Epoch(1, 0.1 + 0.2, {"loss": 2.5, "loss/a": math.nan}, 5e-4, 0.5, False),
    Epoch(2, 0.2, {"loss": 1.0, "loss/a": 0.5}, 1e-4, 0.125, True),
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def log(path: Path, *, done: tuple[Epoch, ...] = (), new: tuple[Epoch, ...] = ()) -> None:
    observer = CSVLog(path)
    if done:
        observer.on_resume(done)
    observer.on_start(len(new), 4)
    for epoch in new:
        observer.on_batch(0, 1.0)
        observer.on_epoch(epoch)
    observer.on_end()


def test_the_file_holds_the_history(tmp_path: Path) -> None:
    log(tmp_path / "history.csv", new=EPOCHS)
    found = rows(tmp_path / "history.csv")
    expected = History(EPOCHS).rows()
    assert list(found[0]) == list(expected[0]) == [
        "epoch", "train_loss", "lr", "seconds", "best", "valid_loss", "valid_loss/a",
    ]  # fmt: skip
    for got, row in zip(found, expected, strict=True):
        assert got == {name: str(value) for name, value in row.items()}
    assert float(found[1]["train_loss"]) == EPOCHS[1].train_loss


def test_an_epoch_is_in_the_file_as_soon_as_it_is_over(tmp_path: Path) -> None:
    observer = CSVLog(tmp_path / "history.csv")
    for n, epoch in enumerate(EPOCHS, 1):
        observer.on_epoch(epoch)
        assert len(rows(tmp_path / "history.csv")) == n
    observer.on_end()


def test_a_resumed_run_has_all_its_epochs_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "history.csv"
    log(path, new=EPOCHS)
    whole = path.read_bytes()
    log(path, new=EPOCHS[:2])  # interrupted after two epochs
    log(path, done=EPOCHS[:2], new=EPOCHS[2:])
    assert path.read_bytes() == whole


def test_a_new_run_starts_a_new_file_where_none_need_be(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "history.csv"
    log(path, new=EPOCHS)
    log(path, new=EPOCHS[:1])
    assert len(rows(path)) == 1


def test_the_best_epoch_is_the_last_one_marked() -> None:
    assert History(EPOCHS).best is EPOCHS[2]
    assert History(EPOCHS[:2]).best is EPOCHS[0]
    with pytest.raises(IndexError):
        _ = History().best


def watch(console: Console) -> None:
    bar = ProgressBar("training dmpnn", console=console)
    bar.on_start(3, 2)
    for epoch in EPOCHS:
        for batch in range(2):
            bar.on_batch(batch, 1.0)
        bar.on_epoch(epoch)
    if bar.progress is not None:
        bar.progress.refresh()
    bar.on_end()


def test_the_bar_is_silent_where_there_is_no_terminal() -> None:
    text = io.StringIO()
    watch(Console(file=text, force_terminal=False))
    assert text.getvalue() == ""


def test_the_bar_shows_label_count_rate_and_losses_on_a_terminal() -> None:
    text = io.StringIO()
    watch(Console(file=text, force_terminal=True, width=160))
    shown = text.getvalue()
    for part in ("training dmpnn", "6/6", "batches/s", "train 0.200", "loss 1.000", "loss/a 0.500"):
        assert part in shown, part


def test_a_bar_that_never_started_may_end() -> None:
    ProgressBar(console=Console(file=io.StringIO(), force_terminal=True)).on_end()
