"""Fitted trees as node arrays: what forests and boosting have in common, without the library that fitted them."""

from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Float32

from molmed.errors import ArtefactError, InputError
from molmed.targets import Target
from molmed.trees._contract import Fitted, Tree
from molmed.trees._labels import known_rows
from molmed.trees._walk import Walk

MEAN, SUM, LOGISTIC = 0, 1, 2
"""How the trees' values become one: their mean, their sum, or the probability whose log-odds is their sum."""

_DTYPES = {
    "offsets": "int64",
    "left_child": "int32",
    "right_child": "int32",
    "feature": "int32",
    "threshold": "float64",
    "missing_go_to_left": "uint8",
    "value": "float64",
    "rule": "uint8",
}
_PER_NODE = tuple(name for name in _DTYPES if name not in ("offsets", "rule"))
_LEAF = -1
_RESTORING = "restoring trees"


class FittedNodes(Fitted):
    """Trees as node arrays: per target the trees' nodes one after the other.

    Arrays of target t, prefixed "t<t>/": `offsets` int64 (trees + 1,), nodes of tree i are offsets[i]:
    offsets[i + 1], its root first; per node `left_child`, `right_child` int32 (counted from the root; -1 in a leaf),
    `feature` int32 and `threshold` float64 (a row goes left if its feature is at most the threshold),
    `missing_go_to_left` uint8 (where it goes if the feature is nan), `value` float64; `rule` uint8 (1,): see `MEAN`.
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.n_targets = 1 + max(int(name.split("/")[0][1:]) for name in arrays)

    @cached_property
    def _walks(self) -> list[Walk]:
        return [Walk({name: self.arrays[f"t{t}/{name}"] for name in _DTYPES}) for t in range(self.n_targets)]

    def predict(self, x: Float32[np.ndarray, "rows dim"]) -> Float[np.ndarray, "rows targets"]:
        """Value or probability; the trees are added in their order, independent of how rows are chunked; nan = gap.

        Raises:
            InputError: fewer columns than the trees split on.
        """
        needed = max(walk.width for walk in self._walks)
        if x.shape[1] < needed:
            raise InputError("predicting with trees", f"{x.shape[1]} columns", f"at least {needed}")
        out = np.zeros((len(x), self.n_targets))
        for t, walk in enumerate(self._walks):
            total, rule = walk.total(x), self.arrays[f"t{t}/rule"][0]
            if rule == LOGISTIC:
                with np.errstate(over="ignore"):  # exp of a large number is inf, and 1 / inf the 0 that is wanted
                    out[:, t] = 1 / (1 + np.exp(-total))
            else:
                out[:, t] = total / walk.n_trees if rule == MEAN else total
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The node arrays."""
        return self.arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "FittedNodes":
        """Restore from node arrays, checked so that a walk from the root always ends in a leaf."""
        groups = {name.split("/")[0] for name in arrays}
        if groups != {f"t{i}" for i in range(len(groups))} or not groups:
            raise ArtefactError(_RESTORING, f"arrays {sorted(arrays)[:3]}", "t0/..., t1/..., ...")
        for group in groups:
            _check({k.split("/", 1)[1]: a for k, a in arrays.items() if k.startswith(f"{group}/")})
        return cls(arrays)


def _check(part: dict[str, np.ndarray]) -> None:
    found = {name: str(array.dtype) for name, array in part.items()}
    if found != _DTYPES or any(a.ndim != 1 for a in part.values()):
        raise ArtefactError(_RESTORING, f"arrays {found}", f"1-D arrays {_DTYPES}")
    offsets, nodes = part["offsets"], len(part["value"])
    if any(len(part[name]) != nodes for name in _PER_NODE) or len(offsets) < 2:
        raise ArtefactError(_RESTORING, "node arrays of different lengths", "equal lengths")
    if offsets[0] != 0 or offsets[-1] != nodes or np.any(np.diff(offsets) < 1):
        raise ArtefactError(_RESTORING, "tree offsets that do not cover the nodes", "ascending offsets from 0")
    sizes = np.diff(offsets)
    start, size = np.repeat(offsets[:-1], sizes), np.repeat(sizes, sizes)
    local, leaf = np.arange(nodes) - start, part["left_child"] == _LEAF
    for side in ("left_child", "right_child"):
        child = part[side]
        if np.any(np.where(leaf, child != _LEAF, (child <= local) | (child >= size))):
            came = f"a {side} that does not point forward inside its tree"
            raise ArtefactError(_RESTORING, came, "arrays that molmed wrote")
    children = np.concatenate([(part[side] + start)[~leaf] for side in ("left_child", "right_child")])
    if len(np.unique(children)) != nodes - len(sizes):
        raise ArtefactError(_RESTORING, "a node with no parent or with two", "arrays that molmed wrote")
    if np.any(part["feature"][~leaf] < 0):
        raise ArtefactError(_RESTORING, "a split on a negative feature number", "feature numbers from 0")
    if np.isnan(part["threshold"]).any() or not np.isfinite(part["value"]).all():
        raise ArtefactError(_RESTORING, "a threshold or value that is not a number", "finite values")
    if len(part["rule"]) != 1 or part["rule"][0] not in (MEAN, SUM, LOGISTIC):
        raise ArtefactError(_RESTORING, f"the rule {part['rule'].tolist()}", "one of 0, 1, 2")


class NodeTree(Tree):
    """A tree model that fits each target by itself, and is stored as node arrays."""

    Fitted = FittedNodes
    fitting: ClassVar[str]
    """What is done, for a sentence: "fitting a random forest"."""

    def fit(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, "rows targets"],
        targets: Sequence[Target],
        weight: Float[np.ndarray, "rows targets"],
        seed: int,
    ) -> FittedNodes:
        """Fit one model per target, to the rows where it is known.

        Raises:
            InputError: a target of a kind without a model, with fewer than two known rows, or of one class only.
        """
        arrays: dict[str, np.ndarray] = {}
        for t, target in enumerate(targets):
            known = known_rows(target, y[:, t], f"{self.fitting} to {target.name!r}")
            nodes = self.nodes(x[known], y[known, t], target, weight[known, t], seed)
            arrays |= {f"t{t}/{name}": array for name, array in nodes.items()}
        return FittedNodes(arrays)

    @abstractmethod
    def nodes(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, " rows"],
        target: Target,
        weight: Float[np.ndarray, " rows"],
        seed: int,
    ) -> dict[str, np.ndarray]:
        """The node arrays, see `FittedNodes`, of a model of one target, all labels known."""
