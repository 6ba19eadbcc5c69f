"""How early a screen finds its actives. Labels are 0 and 1; higher scores come first.

Equal scores have no order of their own. Where they straddle what a metric looks at, its mean over all their orders
is taken, so that a score which says nothing is worth what a random one is, however the rows happen to lie.
"""

import math

import numpy as np
from jaxtyping import Float

from molmed.metrics._ties import Groups

Values = Float[np.ndarray, " rows"]


def bedroc(labels: Values, scores: Values, alpha: float = 20.0) -> float:
    """Boltzmann-enhanced discrimination of ROC (Truchon & Bayly 2007); nan if only one class is there.

    RDKit's CalcBEDROC where no scores are equal.
    """
    if np.all(labels == labels[0]):
        return float("nan")
    groups, n, actives = Groups.of(-scores), len(labels), float(labels.sum())
    early = np.exp(-alpha * np.arange(1, n + 1) / n)
    found = groups.sums(labels) @ (np.add.reduceat(early, groups.begins) / groups.sizes)
    share = actives / n
    rie = found / actives / early.mean()
    best = (1 - math.exp(-alpha * share)) / (share * (1 - math.exp(-alpha)))
    worst = (1 - math.exp(alpha * share)) / (share * (1 - math.exp(alpha)))
    return float((rie - worst) / (best - worst))


def enrichment_factor(labels: Values, scores: Values, fraction: float = 0.01) -> float:
    """Share of actives in the top fraction over their share in all; nan without actives.

    The top holds ceil(fraction * rows) rows. RDKit's CalcEnrichment where no scores are equal.
    """
    total = float(labels.sum())
    if total == 0:
        return float("nan")
    groups = Groups.of(-scores)
    top = math.ceil(fraction * len(labels))
    inside = np.clip(top - groups.begins, 0, groups.sizes)
    found = float(groups.sums(labels) @ (inside / groups.sizes))
    return found / top / (total / len(labels))
