"""Gradient boosting (LightGBM) on count fingerprints, pharmacophore pairs and descriptors, one model per target."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from jaxtyping import Float, Float32

from molmed.errors import InputError
from molmed.targets import Target
from molmed.trees._nodes import LOGISTIC, SUM, NodeTree
from molmed.tunable import Choice, Int
from molmed.tunable import Float as FloatRange

_DEFAULT_LEFT, _MISSING_IS_NAN = 2, 8
"""Bits of LightGBM's `decision_type`: where a missing value goes; that nan is one. The others (1: a category; 4: zero
is missing) do not occur here."""


@dataclass(frozen=True)
class LightGBMConfig:
    """Settings of the boosting, chosen by out-of-fold scores on five sets of 377 to 881 molecules.

    Args:
        n_trees: all are kept; there is no early stopping.
        learning_rate: share of each tree that is added.
        leaves: of a tree at most.
        min_leaf: rows a leaf must hold at least. LightGBM's default, 20, is too many for a few hundred molecules.
        max_features: fraction of the features that a tree may use.
        rows: fraction of the rows that a tree is fitted to, drawn anew for each.
        l2: weight of the penalty on leaf values.
        loss: of a regression. Binary targets have the log loss.
        jobs: threads that fit, -1 = one per core; the model does not depend on it.
    """

    n_trees: Annotated[int, Int(10, 10_000, log=True)] = 500
    learning_rate: Annotated[float, FloatRange(0.001, 1.0, log=True)] = 0.03
    leaves: Annotated[int, Int(2, 255, log=True)] = 15
    min_leaf: Annotated[int, Int(1, 100, log=True)] = 5
    max_features: Annotated[float, FloatRange(0.01, 1.0, log=True)] = 0.1
    rows: Annotated[float, FloatRange(0.1, 1.0)] = 0.8
    l2: Annotated[float, FloatRange(0.0, 100.0)] = 0.0
    loss: Annotated[str, Choice(("rmse", "mae"))] = "rmse"
    jobs: Annotated[int, Int(-1, 256)] = -1


class LightGBM(NodeTree):
    """Ke et al. 2017 (NeurIPS 30) on the features of MapLight (Notwell & Wood 2023, arXiv:2310.00174).

    MapLight fits CatBoost, which took nine times as long here for no better score, and has 1024 Morgan counts where
    ours are 2048. Fitting needs the package lightgbm (extra `boosting`), predicting does not.
    """

    Config = LightGBMConfig
    features = ("morgan_count", "avalon", "erg", "descriptors")
    gaps = True
    fitting = "fitting gradient boosting"

    def __init__(self, config: Any = None) -> None:
        """Raises: InputError: lightgbm is not installed; said here, before features are computed for it."""
        super().__init__(config)
        if importlib.util.find_spec("lightgbm") is None:
            raise _not_usable("that the package lightgbm is not installed", "pip install 'molmed[boosting]'")

    def nodes(
        self,
        x: Float32[np.ndarray, "rows dim"],
        y: Float[np.ndarray, " rows"],
        target: Target,
        weight: Float[np.ndarray, " rows"],
        seed: int,
    ) -> dict[str, np.ndarray]:
        """See `NodeTree`."""
        text = self._fitted(x, y, weight, target, seed)
        return _node_arrays(text, LOGISTIC if target.kind == "binary" else SUM)

    def _fitted(self, x: np.ndarray, y: np.ndarray, weight: np.ndarray, target: Target, seed: int) -> str:
        """The model in LightGBM's own text format."""
        try:
            import lightgbm
        except OSError as error:  # the wheels leave OpenMP to the system
            raise _not_usable(f"a lightgbm that does not load ({error})", "apt install libgomp1") from error
        settings = self.config
        loss = {"rmse": "regression", "mae": "regression_l1"}[settings.loss]
        options = {
            "objective": "binary" if target.kind == "binary" else loss,
            "learning_rate": settings.learning_rate,
            "num_leaves": settings.leaves,
            "min_data_in_leaf": settings.min_leaf,
            "feature_fraction": settings.max_features,
            "bagging_fraction": settings.rows,
            "bagging_freq": 1,
            "lambda_l2": settings.l2,
            "seed": seed,
            "num_threads": max(settings.jobs, 0),
            "deterministic": True,  # with one way of building histograms: else threads change the last bits
            "force_col_wise": True,
            "verbosity": -1,
        }
        return str(lightgbm.train(options, lightgbm.Dataset(x, y, weight=weight), settings.n_trees).model_to_string())


def _not_usable(came: str, command: str) -> InputError:
    return InputError("fitting gradient boosting", came, remedy=f"install it with: {command}")


def _node_arrays(text: str, rule: int) -> dict[str, np.ndarray]:
    """Node arrays of a model text; its numbers are written with all their digits."""
    trees = [_tree(block) for block in text.split("\n\nend of trees")[0].split("\n\nTree=")[1:]]
    joined = {name: np.concatenate([tree[name] for tree in trees]) for name in trees[0]}
    offsets = np.cumsum([0, *(len(tree["value"]) for tree in trees)], dtype=np.int64)
    return {"offsets": offsets, **joined, "rule": np.full(1, rule, dtype=np.uint8)}


def _tree(block: str) -> dict[str, np.ndarray]:
    """One tree: the splits in LightGBM's order, in which children come after parents, then the leaves."""
    fields: Mapping[str, str] = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)

    def numbers(name: str, kind: type[np.generic]) -> np.ndarray:
        return np.asarray(fields[name].split(), dtype=kind)

    leaves, feature = numbers("leaf_value", np.float64), numbers("split_feature", np.int32)
    threshold, decision = numbers("threshold", np.float64), numbers("decision_type", np.int32)
    assert fields["num_cat"] == "0"
    assert not (decision & ~(_DEFAULT_LEFT | _MISSING_IS_NAN)).any()
    # where no gap was seen in training LightGBM takes one for 0
    left = np.where(decision & _MISSING_IS_NAN, decision & _DEFAULT_LEFT, threshold >= 0)

    def child(side: str) -> np.ndarray:
        to = numbers(side, np.int32)  # a split's number, or the complement of a leaf's
        return np.concatenate([np.where(to < 0, len(feature) + ~to, to), np.full(len(leaves), -1)]).astype(np.int32)

    def of_splits(values: np.ndarray, kind: type[np.generic]) -> np.ndarray:
        return np.concatenate([values, np.zeros(len(leaves))]).astype(kind)

    return {
        "left_child": child("left_child"),
        "right_child": child("right_child"),
        "feature": of_splits(feature, np.int32),
        "threshold": of_splits(threshold, np.float64),
        "missing_go_to_left": of_splits(left != 0, np.uint8),
        "value": np.concatenate([np.zeros(len(feature)), leaves]),
    }


ENTRY = LightGBM
