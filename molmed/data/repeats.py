"""Repeated structures in training data: one row each, with the median or the majority label."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from molmed.results import Fault, Reason
from molmed.targets import Target


@dataclass(frozen=True)
class Merged:
    """What is left after merging.

    Args:
        kept: positions of the rows that stay (the first of each structure), ascending.
        values: (kept, targets), the merged labels, nan = unknown.
        faults: position of a row -> why it does not stay.
    """

    kept: Int64[np.ndarray, " kept"]
    values: Float[np.ndarray, "kept targets"]
    faults: dict[int, Fault]


def merge(
    structures: Sequence[str],
    values: Float[np.ndarray, "rows targets"],
    targets: Sequence[Target],
    numbers: Int64[np.ndarray, " rows"],
) -> Merged:
    """Equal structures become one row: regression takes the median, classes the majority; a tie is unknown.

    A structure that a tie leaves without any label is rejected whole, with `Reason.CONFLICT`. `numbers` are the
    rows' numbers in their file, for the messages.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for row, structure in enumerate(structures):
        groups[structure].append(row)
    kept, merged = [], []
    faults: dict[int, Fault] = {}
    for rows in groups.values():
        labels = np.asarray([_agree(values[rows, t], target) for t, target in enumerate(targets)])
        if len(rows) > 1 and np.isnan(labels).all() and not np.isnan(values[rows]).all():
            detail = "the repeats of this structure disagree: rows " + ", ".join(str(numbers[r]) for r in rows)
            faults |= {row: Fault("repeats", Reason.CONFLICT, detail) for row in rows}
            continue
        kept.append(rows[0])
        merged.append(labels)
        for row in rows[1:]:
            faults[row] = Fault("repeats", Reason.MERGED, f"merged into row {numbers[rows[0]]}")
    shape = (len(kept), len(targets))
    return Merged(np.asarray(kept, dtype=np.int64), np.asarray(merged, dtype=np.float64).reshape(shape), faults)


def _agree(labels: np.ndarray, target: Target) -> float:
    known = labels[~np.isnan(labels)]
    if len(known) == 0:
        return float("nan")
    if target.kind == "regression":
        return float(np.median(known))
    classes, counts = np.unique(known, return_counts=True)
    winners = classes[counts == counts.max()]
    return float(winners[0]) if len(winners) == 1 else float("nan")
