"""Who watches a run. Observers see records and cannot steer."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from molmed.results import Epoch
from molmed.train.history import History


class Observer:
    """Is told what happens; every method may be left as it is."""

    def on_resume(self, epochs: Sequence[Epoch]) -> None:
        """Before `on_start` of a run that goes on from a checkpoint: the epochs it has behind it."""
        return None

    def on_start(self, epochs: int, batches: int) -> None:
        """Before the first epoch: epochs still to run and batches in each."""
        return None

    def on_batch(self, batch: int, loss: float) -> None:
        """After the optimiser step that a batch (0-based) was part of: the mean loss over the step's batches."""
        return None

    def on_epoch(self, epoch: Epoch) -> None:
        """After each epoch's validation."""
        return None

    def on_end(self) -> None:
        """After the last epoch, also when the run fails or the caller stops it."""
        return None


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:.1f} batches/s")


class ProgressBar(Observer):
    """A bar with batches per second, the time that is left and the losses; silent when stderr is no terminal."""

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
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}"),
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
    """The rows of `History` in a CSV file, flushed after each epoch; a resumed run's file holds all its epochs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def on_resume(self, epochs: Sequence[Epoch]) -> None:
        for epoch in epochs:
            self.on_epoch(epoch)

    def on_epoch(self, epoch: Epoch) -> None:
        (row,) = History((epoch,)).rows()
        if self.file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.file = self.path.open("w", newline="", encoding="utf-8")
            csv.writer(self.file).writerow(row)
        csv.writer(self.file).writerow(row.values())
        self.file.flush()

    def on_end(self) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None
