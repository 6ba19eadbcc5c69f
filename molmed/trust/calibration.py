"""A network's or forest's probability -> a probability that can be read as a frequency."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

_CLIP = 1e-6
"""Probabilities are kept this far from 0 and 1 before their logit is taken."""


@dataclass(frozen=True)
class Platt:
    """p -> sigmoid(slope * logit(p) + intercept). slope 1 and intercept 0 change nothing."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(cls, labels: Float[np.ndarray, " rows"], p_positive: Float[np.ndarray, " rows"]) -> "Platt":
        """The slope and intercept of the largest likelihood of out-of-fold probabilities; nan = unknown.

        Unchanged probabilities come back where there is only one class, or where a larger probability does not
        mean a likelier positive (the fitted slope is not above 0): a calibration must not turn the ranking round.

        Source: Platt 1999, "Probabilistic outputs for support vector machines", on the logit and without the
        smoothed targets, through scikit-learn's LogisticRegression without penalty.
        """
        known = ~np.isnan(labels) & ~np.isnan(p_positive)
        labels, p_positive = labels[known], p_positive[known]
        if len(np.unique(labels)) < 2:
            return cls()
        from sklearn.linear_model import LogisticRegression  # 0.5 s: only who fits pays for it

        # L2 with C = 1e6: a perfectly separated small set still has a finite slope
        fitted = LogisticRegression(C=1e6).fit(_logit(p_positive)[:, None], labels)
        slope = float(fitted.coef_[0, 0])
        return cls(slope, float(fitted.intercept_[0])) if slope > 0 else cls()

    def __call__(self, p_positive: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
        """Calibrated probabilities; nan stays nan."""
        if self.slope == 1.0 and self.intercept == 0.0:
            return p_positive
        raised = self.slope * _logit(p_positive) + self.intercept
        return 1 / (1 + np.exp(-np.clip(raised, -700, 700)))  # separated classes make a slope at which exp overflows


def _logit(p: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    clipped = np.clip(p, _CLIP, 1 - _CLIP)
    return np.log(clipped) - np.log1p(-clipped)
