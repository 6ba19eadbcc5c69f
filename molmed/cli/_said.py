"""What a verb says on the terminal: guesses, tables, bars. Results go to stdout, everything else to stderr."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from molmed.results import Interval

_err = Console(stderr=True)


def say(*sentences: str) -> None:
    """Sentences for the user, on stderr."""
    for sentence in sentences:
        _err.print(sentence, style="dim", highlight=False, markup=False, soft_wrap=True)


def scores(title: str, found: Mapping[str, Mapping[str, Interval]]) -> None:
    """A table of scores with their intervals, on stdout."""
    table = Table()
    table.add_column("target")
    table.add_column("score")
    table.add_column("value", justify="right")
    table.add_column("95 % interval", justify="right")
    for target, by_metric in found.items():
        for i, (name, it) in enumerate(by_metric.items()):
            low_high = "" if it.low != it.low else f"{it.low:.3f} to {it.high:.3f}"
            table.add_row(target if i == 0 else "", name, "" if it.value != it.value else f"{it.value:.3f}", low_high)
    _show(title, table)


def rows(title: str, names: Sequence[str], lines: Iterable[Sequence[str]], right: Sequence[str] = ()) -> None:
    """Any small table, on stdout; columns named in `right` are right-aligned."""
    table = Table(show_header=any(name.strip() for name in names))
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    _show(title, table)


def _show(title: str, table: Table) -> None:
    out = Console()
    out.print(Text(title, style="bold"), soft_wrap=True)  # a table's own title is broken to the table's width
    out.print(table)


class _Bar(BarColumn):
    """A bar where it is known how much there is."""

    def render(self, task: Task) -> ProgressBar | Text:  # type: ignore[override] # nothing is shown by an empty text
        return Text("") if task.total is None else super().render(task)


class _Rate(ProgressColumn):
    """Rows per second, from the start to the last chunk."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.fields["at"] if task.fields["at"] else 0.0
        return Text(f"{rate:,.0f} rows/s", style="dim")


class _Left(ProgressColumn):
    """The time that is left, at the speed since the start."""

    def render(self, task: Task) -> Text:
        done = task.fields["done"]
        if not 0 < done < 1 or not task.elapsed:
            return Text("")
        # counted from the last chunk, so that it runs down between two of them
        left = max(0.0, task.fields["at"] / done - task.elapsed)
        minutes, seconds = divmod(math.ceil(left), 60)
        hours, minutes = divmod(minutes, 60)
        return Text(f"{hours}:{minutes:02d}:{seconds:02d} left", style="cyan")


class RowBar:
    """Rows done, rows per second and the time passed; silent when stderr is not a terminal.

    Where it is told which share of the whole is done, there is a bar and the time that is left as well. The clock
    starts at the first call of `advance`, which may be for 0 rows, so that another bar may run before it.
    """

    def __init__(self, label: str) -> None:
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}", markup=False), _Bar()]
        columns += [TextColumn("{task.completed:,.0f} rows"), _Rate(), TimeElapsedColumn(), _Left()]
        self.progress = Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal)
        self.task = self.progress.add_task(label, total=None, start=False, done=math.nan, at=0.0)
        self.begun = False
        self.rows = 0

    def __enter__(self) -> "RowBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def advance(self, n: int, done: float = math.nan) -> None:
        """n more rows are done.

        Args:
            done: share of the whole that is done with them, in [0, 1]; nan or 0 = not known.
        """
        if not self.begun:
            self.begun = True
            self.progress.start_task(self.task)
            self.progress.start()
        self.rows += n
        at = self.progress.tasks[self.task].elapsed or 0.0
        total = self.rows / done if done > 0 else None
        self.progress.update(self.task, completed=self.rows, total=total, done=done, at=at)
