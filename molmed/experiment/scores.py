"""The scores of several targets, each with its interval."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from jaxtyping import Float

from molmed.metrics import interval, metric, shown
from molmed.results import Interval
from molmed.targets import Target

Scores = dict[str, dict[str, Interval]]
"""target -> metric -> value with interval."""


def score(
    targets: Sequence[Target],
    measured: Float[np.ndarray, "rows targets"],
    predicted: Float[np.ndarray, "rows targets"],
    first: str,
) -> Scores:
    """The metrics that fit the targets' kind, the task's own first; nan in `measured` = unknown."""
    return {
        t.name: {m.name: interval(m, measured[:, i], predicted[:, i]) for m in shown(t.kind, first)}
        for i, t in enumerate(targets)
    }


def headline(scores: Scores, name: str) -> float:
    """The mean of one metric over the targets where it is defined; nan if it is defined for none."""
    values = [by_metric[name].value for by_metric in scores.values() if name in by_metric]
    known = [v for v in values if not np.isnan(v)]
    return float(np.mean(known)) if known else float("nan")


def better(a: float, b: float, name: str) -> bool:
    """Whether headline a beats headline b; a number always beats nan."""
    return not np.isnan(a) and (np.isnan(b) or metric(name).better(a, b))


def plain(scores: Scores) -> dict[str, Any]:
    """JSON of the scores; an undefined number is null."""
    return {
        target: {
            name: {k: None if np.isnan(v) else v for k, v in asdict(interval).items()}
            for name, interval in by_metric.items()
        }
        for target, by_metric in scores.items()
    }


def restore(values: dict[str, Any]) -> Scores:
    """The scores of a card."""
    return {
        target: {
            name: Interval(**{k: float("nan") if v is None else v for k, v in stored.items()})
            for name, stored in by_metric.items()
        }
        for target, by_metric in values.items()
    }
