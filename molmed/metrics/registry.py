"""The metrics by name, with the direction that is better."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from molmed.errors import UnknownNameError
from molmed.metrics import classification, ranking, regression

Kind = Literal["regression", "binary"]
"""Of the labels a metric compares; the same words as `molmed.targets.Kind`, whose other kinds have none yet."""


@dataclass(frozen=True)
class Metric:
    """A score of whole arrays (measured, predicted); nan in measured = unknown, left out.

    nan also comes back where the score is not defined: no known row, one class only, or a known row whose
    prediction is nan.
    """

    name: str
    function: Callable[[np.ndarray, np.ndarray], float]
    kind: Kind
    greater_is_better: bool

    def __call__(self, measured: Float[np.ndarray, " rows"], predicted: Float[np.ndarray, " rows"]) -> float:
        known = ~np.isnan(measured)
        measured, predicted = measured[known], predicted[known]
        if len(measured) == 0 or np.isnan(predicted).any():
            return float("nan")
        return self.function(measured, predicted)

    def better(self, a: float, b: float) -> bool:
        """Whether score a is strictly better than score b; nan is never better."""
        return a > b if self.greater_is_better else a < b


METRICS: dict[str, Metric] = {
    m.name: m
    for m in (
        Metric("rmse", regression.rmse, "regression", False),
        Metric("mae", regression.mae, "regression", False),
        Metric("r2", regression.r2, "regression", True),
        Metric("pearson", regression.pearson, "regression", True),
        Metric("spearman", regression.spearman, "regression", True),
        Metric("auroc", classification.auroc, "binary", True),
        Metric("auprc", classification.auprc, "binary", True),
        Metric("accuracy", classification.accuracy, "binary", True),
        Metric("balanced_accuracy", classification.balanced_accuracy, "binary", True),
        Metric("f1", classification.f1, "binary", True),
        Metric("mcc", classification.mcc, "binary", True),
        Metric("brier", classification.brier, "binary", False),
        Metric("log_loss", classification.log_loss, "binary", False),
        Metric("bedroc", ranking.bedroc, "binary", True),
        Metric("ef1", ranking.enrichment_factor, "binary", True),
    )
}

_SHOWN: dict[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "r2", "spearman"),
    "binary": ("auroc", "auprc", "balanced_accuracy", "brier"),
}


def metric(name: str) -> Metric:
    """A metric by name.

    Raises:
        UnknownNameError: no such metric.
    """
    if name not in METRICS:
        raise UnknownNameError("looking up a metric", name, METRICS)
    return METRICS[name]


def shown(kind: str, first: str) -> tuple[Metric, ...]:
    """The metrics a table shows for a kind of target, the task's own first."""
    return tuple(metric(name) for name in dict.fromkeys((first, *_SHOWN.get(kind, ()))))
