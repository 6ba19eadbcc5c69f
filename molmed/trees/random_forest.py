"""Random forest on count fingerprints and physico-chemical descriptors, one per target."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Float32

from molmed.targets import Target
from molmed.trees._contract import Tree
from molmed.trees._labels import known_rows
from molmed.trees._nodes import MEAN, FittedNodes
from molmed.tunable import Float as FloatRange
from molmed.tunable import Int


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
    features = ("morgan_count", "physchem")
    gaps = True
    Fitted = FittedNodes

    def fit(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, "rows targets"],
        targets: Sequence[Target],
        weight: Float[np.ndarray, "rows targets"],
        seed: int,
    ) -> FittedNodes:
        """Fit one forest per target.

        Raises:
            InputError: a target of a kind without a forest, with fewer than two known rows, or of one class only.
        """
        arrays: dict[str, np.ndarray] = {}
        for number, target in enumerate(targets):
            known = known_rows(target, y[:, number], f"fitting a random forest to {target.name!r}")
            labels = y[known, number]
            weights = None if np.all(weight[known, number] == 1) else weight[known, number]
            forest = self._forest(target, seed).fit(x[known], labels, sample_weight=weights)
            arrays |= {f"t{number}/{k}": a for k, a in _node_arrays(forest, target).items()}
        return FittedNodes(arrays)

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
        "rule": np.full(1, MEAN, dtype=np.uint8),
    }


ENTRY = RandomForest
