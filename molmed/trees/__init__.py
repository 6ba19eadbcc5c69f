"""Forests and boosting on vector features: the baseline that deep models must beat."""

from molmed.trees._contract import Fitted, Tree

__all__ = ["Fitted", "Tree"]
