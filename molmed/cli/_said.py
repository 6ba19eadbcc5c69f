"""What a verb says on the terminal: guesses, tables, bars. Results go to stdout, everything else to stderr."""

from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
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
    table = Table(show_header=any(names))
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for line in lines:
        table.add_row(*(Text(cell) for cell in line))
    _show(title, table)


def _show(title: str, table: Table) -> None:
    out = Console()
    out.print(Text(title, style="bold"), soft_wrap=True)  # a table's own title is broken to the table's width
    out.print(table)


class _Rate(ProgressColumn):
    """Rows per second since the start."""

    def render(self, task: Task) -> Text:
        rate = task.completed / task.elapsed if task.elapsed else 0.0
        return Text(f"{rate:,.0f} rows/s", style="dim")


class RowBar:
    """Rows done, rows per second and the time passed; silent when stderr is not a terminal.

    With `total` there is a bar as well. The clock starts at the first call of `advance`, which may be for 0 rows, so
    that another bar may run before it.
    """

    def __init__(self, label: str, total: int | None = None) -> None:
        columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("{task.description}")]
        columns += [BarColumn()] if total is not None else []
        columns += [TextColumn("{task.completed:,.0f} rows"), _Rate(), TimeElapsedColumn()]
        self.progress = Progress(*columns, console=_err, transient=True, disable=not _err.is_terminal)
        self.task = self.progress.add_task(label, total=total, start=False)
        self.begun = False

    def __enter__(self) -> "RowBar":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def advance(self, n: int) -> None:
        """n more rows are done."""
        if not self.begun:
            self.begun = True
            self.progress.start_task(self.task)
            self.progress.start()
        self.progress.advance(self.task, n)
