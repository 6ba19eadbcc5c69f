"""How well a probability of class 1 tells two classes apart. Labels are 0 and 1.

Written on arrays, since a bootstrap asks a thousand times and scikit-learn checks its input each time; equality
with scikit-learn's functions is tested.
"""

import numpy as np
from jaxtyping import Float

from molmed.metrics._ties import Groups

Values = Float[np.ndarray, " rows"]


def _one_class(labels: Values) -> bool:
    return bool(np.all(labels == labels[0]))


def auroc(labels: Values, p_positive: Values) -> float:
    """Area under the ROC curve; nan if only one class is there.

    From the ranks of the positives (Mann & Whitney 1947); a tie between a positive and a negative counts half.
    """
    if _one_class(labels):
        return float("nan")
    groups, positive = Groups.of(p_positive), labels.sum()
    excess = groups.sums(labels) @ groups.mean_ranks() - positive * (positive + 1) / 2
    return float(excess / (positive * (len(labels) - positive)))


def auprc(labels: Values, p_positive: Values) -> float:
    """Average precision; nan if only one class is there."""
    if _one_class(labels):
        return float("nan")
    groups = Groups.of(-p_positive)
    found = groups.sums(labels)
    precision = np.cumsum(found) / np.cumsum(groups.sizes)
    return float(precision @ found / labels.sum())


def _confusion(labels: Values, p_positive: Values) -> tuple[float, float, float, float]:
    """True positives, false positives, false negatives, true negatives at threshold 0.5."""
    truth, said = labels == 1, p_positive >= 0.5
    both, true, positive = float(np.sum(truth & said)), float(truth.sum()), float(said.sum())
    return both, positive - both, true - both, len(labels) - true - positive + both


def accuracy(labels: Values, p_positive: Values) -> float:
    """Fraction right at threshold 0.5."""
    return float(np.mean((p_positive >= 0.5) == (labels == 1)))


def balanced_accuracy(labels: Values, p_positive: Values) -> float:
    """Mean of sensitivity and specificity at threshold 0.5; nan if only one class is there."""
    if _one_class(labels):
        return float("nan")
    tp, fp, fn, tn = _confusion(labels, p_positive)
    return (tp / (tp + fn) + tn / (tn + fp)) / 2


def f1(labels: Values, p_positive: Values) -> float:
    """Harmonic mean of precision and recall at threshold 0.5; 0 without a true positive."""
    tp, fp, fn, _ = _confusion(labels, p_positive)
    return 2 * tp / (2 * tp + fp + fn) if tp else 0.0


def mcc(labels: Values, p_positive: Values) -> float:
    """Matthews correlation coefficient at threshold 0.5; nan if only one class is there, 0 if only one is said."""
    if _one_class(labels):
        return float("nan")
    tp, fp, fn, tn = _confusion(labels, p_positive)
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return float((tp * tn - fp * fn) / np.sqrt(spread)) if spread else 0.0


def brier(labels: Values, p_positive: Values) -> float:
    """Mean squared error of the probability (Brier 1950)."""
    return float(np.mean((p_positive - labels) ** 2))


def log_loss(labels: Values, p_positive: Values) -> float:
    """Mean -log of the probability given to the true class, probabilities clipped at float64 eps."""
    eps = np.finfo(np.float64).eps
    given = np.where(labels == 1, p_positive, 1 - p_positive)
    return float(-np.mean(np.log(np.clip(given, eps, 1 - eps))))
