"""Random forest on count fingerprints and physico-chemical descriptors, one per target."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Float32

from molmed.targets import Target
from molmed.trees._nodes import MEAN, NodeTree
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


class RandomForest(NodeTree):
    """Breiman 2001, through scikit-learn; each target's forest sees the rows where that target is known."""

    Config = RandomForestConfig
    features = ("morgan_count", "physchem")
    gaps = True
    fitting = "fitting a random forest"

    def nodes(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, " rows"],
        target: Target,
        weight: Float[np.ndarray, " rows"],
        seed: int,
    ) -> dict[str, np.ndarray]:
        """See `NodeTree`."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestClassifier if target.kind == "binary" else RandomForestRegressor
        forest = kind(
            n_estimators=self.config.n_trees,
            max_features=self.config.max_features,
            min_samples_leaf=self.config.min_leaf,
            n_jobs=self.config.jobs,
            random_state=seed,
        )
        return _node_arrays(forest.fit(x, y, sample_weight=None if np.all(weight == 1) else weight), target)


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
