"""All rows through all trees of a forest at once, in numpy.

Faster than scikit-learn's compiled walk of one tree after the other (100 trees x 5,000 rows: 0.054 s against 0.068 s,
one row: 0.2 ms against 4 ms), and without its import of half a second.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Float32, Int64

_LEAF = -1
_PAIRS = 32_768
"""(row, tree) pairs that walk together; chosen by time: their arrays stay in a core's second-level cache."""
_STEPS = 6
"""Levels walked before those that have reached a leaf are taken out; chosen by time among 2, 3, 4 and 6."""


class Walk:
    """Node arrays (see `FittedNodes`) relaid for walking: level by level, the two children of a node side by side.

    A node's children are `first` and `first + 1`; a leaf is its own `first` and lets nothing pass. The threshold is
    the largest float32 not above scikit-learn's float64 one, which sends every float32 feature the same way.
    """

    def __init__(self, nodes: Mapping[str, np.ndarray]) -> None:
        offsets = nodes["offsets"]
        start = np.repeat(offsets[:-1], np.diff(offsets))
        leaf = nodes["left_child"] == _LEAF
        order = _by_level(offsets[:-1], leaf, nodes["left_child"] + start, nodes["right_child"] + start)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        with np.errstate(over="ignore"):
            threshold = nodes["threshold"].astype(np.float32)
        above = threshold > nodes["threshold"]
        threshold[above] = np.nextafter(threshold[above], np.float32(-np.inf))
        threshold[leaf] = np.inf
        self.n_trees = len(offsets) - 1
        self.width = 1 + int(nodes["feature"].max())
        self._leaf = leaf[order]
        self._feature = np.where(leaf, 0, nodes["feature"])[order].astype(np.int32)
        self._threshold = threshold[order]
        self._gap_right = (~leaf & (nodes["missing_go_to_left"] == 0))[order]
        left = place[np.where(leaf, 0, nodes["left_child"] + start)][order]
        self._first = np.where(self._leaf, np.arange(len(order)), left).astype(np.int32)
        self._value = nodes["value"][order]

    def total(self, x: Float32[np.ndarray, "rows dim"]) -> Float[np.ndarray, " rows"]:
        """The sum of the trees' values, in tree order: independent of how rows are chunked; nan = gap."""
        out = np.zeros(len(x))
        rows = min(max(_PAIRS // self.n_trees, 64), 512)
        for begin in range(0, len(x), rows):
            part = out[begin : begin + rows]
            for values in self._values(x[begin : begin + rows]):
                part += values
        return out

    def _values(self, x: np.ndarray) -> np.ndarray:
        """Value of the leaf each row ends in: one line per tree."""
        cells, gaps = x.ravel(), bool(np.isnan(x).any())
        node = np.repeat(np.arange(self.n_trees, dtype=np.int32), len(x))
        row = np.tile(np.arange(len(x), dtype=np.int32) * np.int32(x.shape[1]), self.n_trees)
        ends, walking = node, np.arange(len(node))
        while len(walking):
            for _ in range(_STEPS):
                at = self._feature.take(node, mode="clip")
                at += row
                value = cells.take(at, mode="clip")
                right = value > self._threshold.take(node, mode="clip")
                if gaps:
                    right |= np.isnan(value) & self._gap_right.take(node, mode="clip")
                node = self._first.take(node, mode="clip")
                node += right
            ends[walking] = node
            on = np.flatnonzero(~self._leaf.take(node, mode="clip"))
            walking, node, row = walking[on], node[on], row[on]
        return self._value[ends].reshape(self.n_trees, len(x))


def _by_level(
    roots: Int64[np.ndarray, " trees"], leaf: np.ndarray, left: np.ndarray, right: np.ndarray
) -> Int64[np.ndarray, " nodes"]:
    """Node numbers: the roots in tree order, then level by level the children of each node as a pair."""
    levels, level = [roots], roots
    while len(level := level[~leaf[level]]):
        level = np.stack([left[level], right[level]], axis=1).ravel()
        levels.append(level)
    return np.concatenate(levels)
