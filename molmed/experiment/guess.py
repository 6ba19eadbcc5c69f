"""What the user did not say, found out from the table and always said."""

from collections.abc import Sequence
from dataclasses import replace

from molmed.data import labels
from molmed.data.columns import named
from molmed.data.table import Table, chunks, column_names
from molmed.errors import ConfigError
from molmed.experiment.config import Config

_ROWS = 10_000
"""Labels looked at; a file whose later rows are of another kind says so row by row."""


def guessed(table: Table, config: Config) -> tuple[Config, list[str]]:
    """The configuration with its task named, and sentences on what was guessed.

    Raises:
        ConfigError: no target is named.
        InputError: a target column is not there.
    """
    if config.task:
        return config, []
    if not config.data.targets:
        columns = ", ".join(column_names(table))
        raise ConfigError("training", "no target column named", f"one or more of {columns}", "name it with --target")
    names = column_names(table)
    for column in config.data.targets:
        named(column, names, "finding the target columns")
    first = next(chunks(table, _ROWS), None)
    cells = {c: [] if first is None else first.columns[c] for c in config.data.targets}
    binary = all(_two_classes(column) for column in cells.values())
    task = "toxicity" if binary else "activity"
    kind = "two classes (a probability is learnt)" if binary else "numbers (a value is learnt)"
    said = f"targets {', '.join(cells)} taken as {kind}: task {task!r}; another one with --task"
    return replace(config, task=task), [said]


def _two_classes(cells: Sequence[object]) -> bool:
    values, faults = labels.parse(cells, "binary", "")
    known = {float(v) for v in values if v == v}
    return known == {0.0, 1.0} and not any(faults)
