"""How early a screen finds its actives. Labels are 0 and 1; higher scores come first."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, " rows"]


def _ranked(labels: Values, scores: Values) -> list[list[float]]:
    """RDKit's input: one [label] row per compound, best score first; equal scores keep their order."""
    return [[float(label)] for label in labels[np.argsort(-scores, kind="stable")]]


def _scoring() -> Any:
    from rdkit.ML.Scoring import Scoring

    return Scoring


def bedroc(labels: Values, scores: Values, alpha: float = 20.0) -> float:
    """Boltzmann-enhanced discrimination of ROC (Truchon & Bayly 2007); nan if only one class is there."""
    if np.all(labels == labels[0]):
        return float("nan")
    return float(_scoring().CalcBEDROC(_ranked(labels, scores), 0, alpha))


def enrichment_factor(labels: Values, scores: Values, fraction: float = 0.01) -> float:
    """Share of actives in the top fraction over their share in all; nan without actives.

    The top holds ceil(fraction * rows) rows, as in RDKit's CalcEnrichment.
    """
    total = float(labels.sum())
    if total == 0:
        return float("nan")
    top = math.ceil(fraction * len(labels))
    found = float(labels[np.argsort(-scores, kind="stable")][:top].sum())
    return found / top / (total / len(labels))
