"""Random forest on fingerprints or descriptors, one per target."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Float32

from molmed.errors import ArtefactError, InputError
from molmed.targets import Target
from molmed.trees._contract import Fitted, Tree
from molmed.tunable import Float as FloatRange
from molmed.tunable import Int

_NODE_FIELDS = ("left_child", "right_child", "feature", "threshold", "missing_go_to_left")
_LEAF = -1


class FittedForest(Fitted):
    """Forests as node arrays: per target the trees' nodes one after the other.

    Arrays of target t, prefixed "t<t>/": `offsets` int64 (trees + 1,), nodes of tree i are offsets[i]:
    offsets[i + 1]; per node `left_child`, `right_child` int32 (-1 in a leaf), `feature` int32, `threshold`
    float64, `missing_go_to_left` uint8, `value` float64 (the mean, or the fraction of class 1).
    """

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.n_targets = 1 + max(int(name.split("/")[0][1:]) for name in arrays)

    def predict(self, x: Float32[np.ndarray, "rows dim"]) -> Float[np.ndarray, "rows targets"]:
        """The mean over the trees, summed in tree order: independent of how rows are chunked.

        Raises:
            InputError: fewer columns than the forest splits on.
        """
        needed = 1 + max(int(self.arrays[f"t{t}/feature"].max()) for t in range(self.n_targets))
        if x.shape[1] < needed:
            raise InputError("predicting with a random forest", f"{x.shape[1]} columns", f"at least {needed}")
        out = np.zeros((len(x), self.n_targets))
        for target in range(self.n_targets):
            part = {k: self.arrays[f"t{target}/{k}"] for k in (*_NODE_FIELDS, "value", "offsets")}
            offsets = part.pop("offsets")
            for begin, end in pairwise(offsets):
                out[:, target] += _leaf_values({k: a[begin:end] for k, a in part.items()}, x)
            out[:, target] /= len(offsets) - 1
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        """The node arrays."""
        return self.arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "FittedForest":
        """Restore from node arrays, checked so that a walk from the root always ends in a leaf."""
        groups = {name.split("/")[0] for name in arrays}
        if groups != {f"t{i}" for i in range(len(groups))} or not groups:
            raise ArtefactError("restoring a random forest", f"arrays {sorted(arrays)[:3]}", "t0/..., t1/..., ...")
        for group in groups:
            _check({k.split("/", 1)[1]: a for k, a in arrays.items() if k.startswith(f"{group}/")})
        return cls(arrays)


def _check(part: dict[str, np.ndarray]) -> None:
    expected = {
        "offsets": "int64",
        "left_child": "int32",
        "right_child": "int32",
        "feature": "int32",
        "threshold": "float64",
        "missing_go_to_left": "uint8",
        "value": "float64",
    }
    asked = "restoring a random forest"
    found = {name: str(array.dtype) for name, array in part.items()}
    if found != expected or any(a.ndim != 1 for a in part.values()):
        raise ArtefactError(asked, f"arrays {found}", f"1-D arrays {expected}")
    offsets, nodes = part["offsets"], len(part["value"])
    if any(len(part[k]) != nodes for k in _NODE_FIELDS) or len(offsets) < 2:
        raise ArtefactError(asked, "node arrays of different lengths", "equal lengths")
    if offsets[0] != 0 or offsets[-1] != nodes or np.any(np.diff(offsets) < 1):
        raise ArtefactError(asked, "tree offsets that do not cover the nodes", "ascending offsets from 0")
    local = np.arange(nodes) - np.repeat(offsets[:-1], np.diff(offsets))
    size = np.repeat(np.diff(offsets), np.diff(offsets))
    leaf = part["left_child"] == _LEAF
    for side in ("left_child", "right_child"):
        child = part[side]
        if np.any(np.where(leaf, child != _LEAF, (child <= local) | (child >= size))):
            raise ArtefactError(asked, f"a {side} that does not point forward inside its tree", "a forest's own arrays")
    if np.any(part["feature"][~leaf] < 0):
        raise ArtefactError(asked, "a split on a negative feature number", "feature numbers from 0")
    if np.isnan(part["threshold"]).any() or not np.isfinite(part["value"]).all():
        raise ArtefactError(asked, "a threshold or value that is not a number", "finite values")


def _leaf_values(tree: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Value of the leaf each row ends in; one vectorised step per depth."""
    node = np.zeros(len(x), dtype=np.int64)
    walking = np.flatnonzero(tree["left_child"][node] != _LEAF)
    while len(walking):
        at = node[walking]
        value = x[walking, tree["feature"][at]]
        left = np.where(np.isnan(value), tree["missing_go_to_left"][at] == 1, value <= tree["threshold"][at])
        node[walking] = np.where(left, tree["left_child"][at], tree["right_child"][at])
        walking = walking[tree["left_child"][node[walking]] != _LEAF]
    return tree["value"][node]


@dataclass(frozen=True)
class RandomForestConfig:
    """Settings of the forest.

    Args:
        n_trees: 500 as in the tuned baseline of MolPipeline and CheMeleon's comparison.
        max_features: fraction of the features tried at a split; 0.33 is Breiman's 1/3 for regression.
        min_leaf: rows a leaf must hold at least.
        jobs: threads that fit, -1 = one per core; the forest does not depend on it.
    """

    n_trees: Annotated[int, Int(10, 5000, log=True)] = 500
    max_features: Annotated[float, FloatRange(0.001, 1.0, log=True)] = 0.33
    min_leaf: Annotated[int, Int(1, 50)] = 1
    jobs: Annotated[int, Int(-1, 256)] = -1


class RandomForest(Tree):
    """Breiman 2001, through scikit-learn; each target's forest sees the rows where that target is known."""

    Config = RandomForestConfig
    features = ("morgan_count",)
    Fitted = FittedForest

    def fit(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, "rows targets"],
        targets: Sequence[Target],
        weight: Float[np.ndarray, "rows targets"],
        seed: int,
    ) -> FittedForest:
        """Fit one forest per target.

        Raises:
            InputError: a target of a kind without a forest, with fewer than two known rows, or of one class only.
        """
        arrays: dict[str, np.ndarray] = {}
        for number, target in enumerate(targets):
            asked = f"fitting a random forest to {target.name!r}"
            if target.kind not in ("regression", "binary"):
                raise InputError(asked, f"a target of kind {target.kind}", "regression, binary")
            known = ~np.isnan(y[:, number])
            labels = y[known, number]
            classes = np.unique(labels)
            if len(labels) < 2 or (target.kind == "binary" and len(classes) < 2):
                raise InputError(
                    asked,
                    f"{len(labels)} known rows with {len(classes)} distinct values",
                    "at least two rows, and both classes for a binary target",
                )
            weights = None if np.all(weight[known, number] == 1) else weight[known, number]
            forest = self._forest(target, seed).fit(x[known], labels, sample_weight=weights)
            arrays |= {f"t{number}/{k}": a for k, a in _node_arrays(forest, target).items()}
        return FittedForest(arrays)

    def _forest(self, target: Target, seed: int) -> Any:
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if target.kind == "binary" else RandomForestRegressor
        return kind(
            n_estimators=self.config.n_trees,
            max_features=self.config.max_features,
            min_samples_leaf=self.config.min_leaf,
            n_jobs=self.config.jobs,
            random_state=seed,
        )


def _node_arrays(forest: Any, target: Target) -> dict[str, np.ndarray]:
    trees = [estimator.tree_ for estimator in forest.estimators_]
    last = 1 if target.kind == "binary" else 0  # the fraction of class 1, or the mean

    def joined(name: str, dtype: str) -> np.ndarray:
        return np.concatenate([getattr(tree, name) for tree in trees]).astype(dtype)

    return {
        "offsets": np.cumsum([0, *(tree.node_count for tree in trees)], dtype=np.int64),
        "left_child": joined("children_left", "int32"),
        "right_child": joined("children_right", "int32"),
        "feature": joined("feature", "int32"),
        "threshold": joined("threshold", "float64"),
        "missing_go_to_left": joined("missing_go_to_left", "uint8"),
        "value": np.concatenate([tree.value[:, 0, last] for tree in trees]).astype(np.float64),
    }


ENTRY = RandomForest
