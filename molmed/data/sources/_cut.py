"""Lists of any length -> lists of equally many rows, with the share of the file they reach."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def cut(batches: Iterable[tuple[list[T], float]], rows: int) -> Iterator[tuple[list[T], float]]:
    """`rows` at a time, the last may be shorter; never an empty list.

    Args:
        batches: some rows, and the share of the file read when they had been found.
        rows: at least 1.

    Yields:
        Rows, and the share of the file up to the last of them: counted evenly within a batch, 1 with the last rows.
    """
    held: list[T] = []
    before = 0.0
    for batch, after in batches:
        taken = 0
        while len(held) + len(batch) - taken > rows:  # more than fit: so these are not the last
            step = rows - len(held)
            taken += step
            yield held + batch[taken - step : taken], before + (after - before) * taken / len(batch)
            held = []
        held += batch[taken:]
        before = after
    if held:
        yield held, 1.0
