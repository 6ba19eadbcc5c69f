"""How well a probability of class 1 tells two classes apart. Labels are 0 and 1."""

from typing import Any

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " rows"]


def _sklearn() -> Any:
    from sklearn import metrics  # 0.5 s: only who scores pays for it

    return metrics


def _one_class(labels: Values) -> bool:
    return bool(np.all(labels == labels[0]))


def auroc(labels: Values, p_positive: Values) -> float:
    """Area under the ROC curve; nan if only one class is there."""
    return float("nan") if _one_class(labels) else float(_sklearn().roc_auc_score(labels, p_positive))


def auprc(labels: Values, p_positive: Values) -> float:
    """Average precision; nan if only one class is there."""
    return float("nan") if _one_class(labels) else float(_sklearn().average_precision_score(labels, p_positive))


def accuracy(labels: Values, p_positive: Values) -> float:
    """Fraction right at threshold 0.5."""
    return float(np.mean((p_positive >= 0.5) == (labels == 1)))


def balanced_accuracy(labels: Values, p_positive: Values) -> float:
    """Mean of sensitivity and specificity at threshold 0.5; nan if only one class is there."""
    if _one_class(labels):
        return float("nan")
    return float(_sklearn().balanced_accuracy_score(labels == 1, p_positive >= 0.5))


def f1(labels: Values, p_positive: Values) -> float:
    """Harmonic mean of precision and recall at threshold 0.5; 0 without a true positive."""
    return float(_sklearn().f1_score(labels == 1, p_positive >= 0.5, zero_division=0.0))


def mcc(labels: Values, p_positive: Values) -> float:
    """Matthews correlation coefficient at threshold 0.5; nan if only one class is there."""
    return float("nan") if _one_class(labels) else float(_sklearn().matthews_corrcoef(labels == 1, p_positive >= 0.5))


def brier(labels: Values, p_positive: Values) -> float:
    """Mean squared error of the probability (Brier 1950)."""
    return float(np.mean((p_positive - labels) ** 2))


def log_loss(labels: Values, p_positive: Values) -> float:
    """Mean -log of the probability given to the true class, probabilities clipped at float64 eps."""
    return float(_sklearn().log_loss(labels, p_positive, labels=[0.0, 1.0]))
