"""Pictures: numbers in, SVG text out. The same input gives the same bytes; no state is shared, nothing is loaded."""

from molmed.draw.coverage import coverage
from molmed.draw.curves import curves
from molmed.draw.distribution import distribution
from molmed.draw.intervals import intervals
from molmed.draw.molecule import molecule
from molmed.draw.pair import Pair, pair
from molmed.draw.parity import parity
from molmed.draw.precision_recall import precision_recall
from molmed.draw.reliability import reliability
from molmed.draw.residuals import residuals
from molmed.draw.roc import roc

__all__ = [
    "Pair",
    "coverage",
    "curves",
    "distribution",
    "intervals",
    "molecule",
    "pair",
    "parity",
    "precision_recall",
    "reliability",
    "residuals",
    "roc",
]
