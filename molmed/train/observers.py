"""Who watches a run. Observers see records and cannot steer."""

import csv
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from molmed.results import Epoch


class Observer:
    """Is told what happens; every method may be left as it is."""

    def on_start(self, epochs: int, batches: int) -> None:
        """Before the first epoch: epochs still to run and batches in each."""
        return None

    def on_batch(self, batch: int, loss: float) -> None:
        """After each batch (0-based)."""
        return None

    def on_epoch(self, epoch: Epoch) -> None:
        """After each epoch's validation."""
        return None

    def on_end(self) -> None:
        """After the last epoch, also when the run fails or the caller stops it."""
        return None


class ProgressBar(Observer):
    """A bar with batches per second's ETA and the losses; writes nothing when stderr is not a terminal."""

    def __init__(self, label: str = "training", console: Console | None = None) -> None:
        self.label = label
        self.console = Console(stderr=True) if console is None else console
        self.progress: Progress | None = None

    def on_start(self, epochs: int, batches: int) -> None:
        if not self.console.is_terminal:
            return
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
        )
        self.task = self.progress.add_task(self.label, total=epochs * batches, losses="")
        self.progress.start()

    def on_batch(self, batch: int, loss: float) -> None:
        if self.progress is not None:
            self.progress.advance(self.task)

    def on_epoch(self, epoch: Epoch) -> None:
        if self.progress is not None:
            valid = "".join(f" {name} {value:.3f}" for name, value in epoch.scores.items())
            self.progress.update(self.task, losses=f"train {epoch.train_loss:.3f}{valid}")

    def on_end(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


class CSVLog(Observer):
    """One line per epoch in a CSV file, flushed at once."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def on_epoch(self, epoch: Epoch) -> None:
        row = {"epoch": epoch.epoch, "train_loss": epoch.train_loss, "lr": epoch.lr, "seconds": epoch.seconds}
        row |= {f"valid_{name}": value for name, value in epoch.scores.items()}
        if self.file is None:
            self.file = self.path.open("w", newline="", encoding="utf-8")
            csv.writer(self.file).writerow(row)
        csv.writer(self.file).writerow(row.values())
        self.file.flush()

    def on_end(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
