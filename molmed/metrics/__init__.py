"""Scores on whole arrays; nan = unknown."""

from molmed.metrics.bootstrap import interval, paired_difference
from molmed.metrics.registry import METRICS, Metric, metric, shown

__all__ = ["METRICS", "Metric", "interval", "metric", "paired_difference", "shown"]
