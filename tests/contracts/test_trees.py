"""Every tree model of the shelf: it learns, it is its own arrays, and damaged arrays are refused."""

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from molmed import catalog, tunable
from molmed.errors import ArtefactError, ConfigError, InputError
from molmed.targets import Target
from molmed.trees import Fitted, Tree, lightgbm
from molmed.trees._nodes import FittedNodes
from molmed.trees.lightgbm import LightGBM, LightGBMConfig
from molmed.trees.random_forest import RandomForest, RandomForestConfig

NAMES = catalog.names("trees")
TARGETS = (Target("number"), Target("class", kind="binary"))
DIM = 12


def data(rows: int = 120, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Counts as a fingerprint has them, a number and a class that depend on them."""
    rng = np.random.default_rng(seed)
    x = rng.poisson(1.5, size=(rows, DIM)).astype(np.float32)
    number = x[:, 0] - 2.0 * x[:, 1] + rng.normal(0, 0.1, rows)
    return x, np.stack([number, (x[:, 2] + x[:, 3] > 3).astype(float)], axis=1)


def with_gaps(x: np.ndarray) -> np.ndarray:
    gaps = x.copy()
    gaps[np.random.default_rng(5).random(x.shape) < 0.1] = np.nan
    return gaps


def small(entry: type[Tree]) -> Tree:
    """The entry with few trees, quick to learn, and one thread, where it can be told so."""
    wanted = {"n_trees": 20, "jobs": 1, "learning_rate": 0.2, "max_features": 0.5}
    names = {f.name for f in fields(entry.Config)}
    return entry(replace(entry.Config(), **{k: v for k, v in wanted.items() if k in names}))


def fitted(entry: type[Tree], y: np.ndarray | None = None, weight: np.ndarray | None = None, seed: int = 0) -> Fitted:
    x, known = data()
    y = known if y is None else y
    return small(entry).fit(x, y, TARGETS, np.ones_like(y) if weight is None else weight, seed)


@pytest.fixture(params=NAMES)
def entry(request: pytest.FixtureRequest) -> type[Tree]:
    return catalog.load("trees", request.param)


def test_it_learns_a_number_and_a_class(entry: type[Tree]) -> None:
    x, y = data(seed=1)
    predicted = fitted(entry).predict(x)
    assert predicted.shape == y.shape
    assert np.mean((predicted[:, 0] - y[:, 0]) ** 2) < 0.3 * y[:, 0].var()
    assert ((predicted[:, 1] >= 0) & (predicted[:, 1] <= 1)).all()
    assert np.mean((predicted[:, 1] >= 0.5) == y[:, 1]) > 0.85


def test_equal_seeds_give_equal_models(entry: type[Tree]) -> None:
    x, _ = data(seed=1)
    first, again, other = (fitted(entry, seed=seed).predict(x) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_it_restores_from_its_arrays_bit_for_bit(entry: type[Tree], tmp_path: Path) -> None:
    x, _ = data(seed=1)
    model = fitted(entry)
    arrays = model.to_arrays()
    assert all(array.dtype.kind in "biuf" for array in arrays.values())
    expected = model.predict(x)
    np.testing.assert_array_equal(entry.Fitted.from_arrays(arrays).predict(x), expected)
    save_file(arrays, tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(
        entry.Fitted.from_arrays(load_file(tmp_path / "weights.safetensors")).predict(x), expected
    )


def test_a_row_is_predicted_alike_in_any_chunk(entry: type[Tree]) -> None:
    x, _ = data(seed=1)
    model = fitted(entry)
    whole = model.predict(x)
    for size in (1, 7, 50):
        parts = [model.predict(x[start : start + size]) for start in range(0, len(x), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)
    assert model.predict(x[:0]).shape == (0, 2)


def test_a_gap_is_a_legal_feature_where_it_says_so(entry: type[Tree]) -> None:
    if not entry.gaps:
        pytest.skip("this tree takes no gaps")
    (x, y), (new, _) = data(), data(seed=1)
    for training in (x, with_gaps(x)):  # gaps that training had, and gaps that are new
        model = small(entry).fit(training, y, TARGETS, np.ones_like(y), 0)
        predicted = model.predict(with_gaps(new))
        assert np.isfinite(predicted).all()
        assert (predicted != model.predict(new)).any()
        assert np.mean((predicted[:, 1] >= 0.5) == (new[:, 2] + new[:, 3] > 3)) > 0.7
        parts = [model.predict(with_gaps(new)[row : row + 1]) for row in range(len(new))]
        np.testing.assert_array_equal(np.concatenate(parts), predicted)


def test_unknown_labels_are_left_out_target_by_target(entry: type[Tree]) -> None:
    x, y = data()
    y[::3, 0] = np.nan
    y[1::3, 1] = np.nan
    both = fitted(entry, y).predict(x)
    for target in range(2):
        known = ~np.isnan(y[:, target])
        alone = small(entry).fit(x[known], y[known][:, [target]], TARGETS[target : target + 1], np.ones((80, 1)), 0)
        np.testing.assert_array_equal(both[:, target], alone.predict(x)[:, 0])


def test_weights_count(entry: type[Tree]) -> None:
    """Of two labels for the same features the heavier one wins."""
    x = np.zeros((40, DIM), dtype=np.float32)
    y = np.tile([[1.0, 1.0], [0.0, 0.0]], (20, 1))
    weight = np.where(y == 1, 100.0, 1.0)
    model, plain = (small(entry).fit(x, y, TARGETS, w, 0) for w in (weight, np.ones_like(y)))
    assert (model.predict(x[:1]) > 0.9).all()
    assert (np.abs(plain.predict(x[:1]) - 0.5) < 0.2).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: np.where(np.arange(2) == 1, 1.0, y), r"'class'.*1 distinct"),
        (lambda y: np.where(np.arange(2) == 1, np.nan, y), r"'class'.*0 known rows"),
        (lambda y: np.where((np.arange(2) == 0) & (np.arange(len(y)) > 0)[:, None], np.nan, y), r"'number'.*1 known"),
    ],
    ids=["one class only", "no label", "one label"],
)
def test_too_few_labels_are_refused_by_the_targets_name(
    entry: type[Tree], change: Callable[[np.ndarray], np.ndarray], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        fitted(entry, change(data()[1]))


def test_a_kind_it_has_no_model_for_is_refused(entry: type[Tree]) -> None:
    x, y = data()
    with pytest.raises(InputError, match=r"'stage'.*ordinal"):
        small(entry).fit(x, y[:, :1], (Target("stage", kind="ordinal"),), np.ones((len(y), 1)), 0)


def test_no_arrays_are_no_model(entry: type[Tree]) -> None:
    with pytest.raises(ArtefactError):
        entry.Fitted.from_arrays({})


def test_a_missing_or_renamed_array_is_refused(entry: type[Tree]) -> None:
    arrays = fitted(entry).to_arrays()
    for name in arrays:
        without = {k: a for k, a in arrays.items() if k != name}
        for damaged in (without, {**without, f"{name}_": arrays[name]}):
            with pytest.raises(ArtefactError):
                entry.Fitted.from_arrays(damaged)


def test_an_array_of_another_dtype_or_length_is_refused(entry: type[Tree]) -> None:
    arrays = fitted(entry).to_arrays()
    for name, array in arrays.items():
        for damaged in (array.astype(np.float16), array[:-1], np.stack([array, array])):
            with pytest.raises(ArtefactError):
                entry.Fitted.from_arrays({**arrays, name: damaged})


@pytest.mark.parametrize("name", NAMES)
def test_its_featurizers_are_on_the_shelf_and_make_vectors(name: str) -> None:
    made = catalog.load("trees", name)
    assert made.features
    assert {catalog.load("features", features).kind for features in made.features} == {"vector"}


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_its_settings_has_a_range_that_is_held(name: str) -> None:
    config = catalog.load("trees", name).Config
    assert is_dataclass(config)
    types, found = get_type_hints(config), tunable.ranges(config)
    assert {f.name for f in fields(config) if types[f.name] in (int, float)} <= set(found)
    tunable.check(config())
    for field, allowed in found.items():
        if not isinstance(allowed, tunable.Choice):
            with pytest.raises(ConfigError, match=field):
                tunable.check(replace(config(), **{field: allowed.high + 1}))


# The forest itself, against scikit-learn. jobs=1: with threads scikit-learn adds its trees in the order in which
# they finish, and its own sums then differ in the last bit.


GAPS = pytest.mark.parametrize(
    "change",
    [lambda x, new: (x, new), lambda x, new: (with_gaps(x), with_gaps(new)), lambda x, new: (x, with_gaps(new))],
    ids=["full", "with gaps", "with new gaps"],
)


@pytest.mark.parametrize("min_leaf", [1, 5])
@GAPS
def test_the_forest_is_scikit_learns_bit_for_bit(change: Callable[..., Any], min_leaf: int) -> None:
    (x, y), (new, _) = data(), data(600, seed=1)
    x, new = change(x, new)
    settings = {"n_estimators": 30, "max_features": 0.33, "min_samples_leaf": min_leaf, "random_state": 7}
    weight = np.random.default_rng(2).uniform(0.5, 2, size=y.shape)
    ours = RandomForest(RandomForestConfig(n_trees=30, jobs=1, min_leaf=min_leaf)).fit(x, y, TARGETS, weight, 7)
    regressor = RandomForestRegressor(**settings).fit(x, y[:, 0], sample_weight=weight[:, 0])
    classifier = RandomForestClassifier(**settings).fit(x, y[:, 1], sample_weight=weight[:, 1])
    theirs = np.stack([regressor.predict(new), classifier.predict_proba(new)[:, 1]], axis=1)
    np.testing.assert_array_equal(ours.predict(new), theirs)


def test_the_forest_does_not_depend_on_threads() -> None:
    (x, y), (new, _) = data(), data(seed=1)
    one, two = (
        RandomForest(RandomForestConfig(n_trees=30, jobs=jobs)).fit(x, y, TARGETS, np.ones_like(y), 0)
        for jobs in (1, 2)
    )
    np.testing.assert_array_equal(one.predict(new), two.predict(new))


def test_fewer_columns_than_it_splits_on_are_refused(entry: type[Tree]) -> None:
    with pytest.raises(InputError, match="3 columns"):
        fitted(entry).predict(data()[0][:, :3])


def test_a_threshold_between_two_float32_sends_both_its_own_way() -> None:
    """Features are float32 and thresholds float64: rounding one up to its neighbour would move a row."""
    low, high = np.float32(1.0), np.nextafter(np.float32(1.0), np.float32(2.0))
    arrays = {name: array.copy() for name, array in fitted(RandomForest).to_arrays().items() if name.startswith("t0")}
    arrays |= {
        "t0/offsets": np.asarray([0, 3]),
        "t0/left_child": np.asarray([1, -1, -1], dtype=np.int32),
        "t0/right_child": np.asarray([2, -1, -1], dtype=np.int32),
        "t0/feature": np.asarray([0, 0, 0], dtype=np.int32),
        "t0/missing_go_to_left": np.asarray([1, 0, 0], dtype=np.uint8),
        "t0/value": np.asarray([0.0, 10.0, 20.0]),
    }
    x = np.asarray([[low], [high], [np.inf], [-np.inf], [np.nan]], dtype=np.float32)
    for threshold in (float(low), float(low) + 1e-9, float(high) - 1e-9):
        arrays["t0/threshold"] = np.asarray([threshold, 0.0, 0.0])
        assert FittedNodes.from_arrays(arrays).predict(x)[:, 0].tolist() == [10.0, 20.0, 20.0, 10.0, 10.0]


def _set(name: str, at: int, value: Any) -> Callable[[dict[str, np.ndarray]], None]:
    def change(arrays: dict[str, np.ndarray]) -> None:
        arrays[name][at] = value

    return change


def _leaf(arrays: dict[str, np.ndarray]) -> int:
    return int(np.flatnonzero(arrays["t1/left_child"] == -1)[0])


def _half_leaf(arrays: dict[str, np.ndarray]) -> None:
    arrays["t1/right_child"][_leaf(arrays)] = _leaf(arrays) + 1


def _two_parents(arrays: dict[str, np.ndarray]) -> None:
    arrays["t1/left_child"][0] = arrays["t1/right_child"][0]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_set("t1/left_child", 0, 0), "left_child.*forward"),  # a cycle: the walk would never end
        (_set("t1/right_child", 0, 0), "right_child.*forward"),
        (_set("t1/right_child", 0, 10**6), "right_child.*forward"),  # into another tree, or past the end
        (_set("t1/left_child", 0, -7), "left_child.*forward"),
        (_set("t1/right_child", 0, -1), "right_child.*forward"),  # half a split
        (_half_leaf, "right_child.*forward"),  # half a leaf
        (_set("t1/feature", 0, -1), "negative feature"),
        (_set("t1/threshold", 0, np.nan), "not a number"),
        (_set("t1/value", 3, np.inf), "not a number"),
        (_set("t1/offsets", 0, 1), "offsets"),
        (_set("t1/offsets", -1, 10**6), "offsets"),
        (_set("t1/offsets", 2, 0), "offsets"),
        (_two_parents, "no parent or with two"),  # walking level by level, such a tree would double at every level
        (_set("t1/rule", 0, 3), r"rule \[3\]"),
    ],
)
def test_a_damaged_forest_is_refused(damage: Callable[[dict[str, np.ndarray]], None], message: str) -> None:
    arrays = {name: array.copy() for name, array in fitted(RandomForest).to_arrays().items()}
    FittedNodes.from_arrays(arrays)
    damage(arrays)
    with pytest.raises(ArtefactError, match=message):
        FittedNodes.from_arrays(arrays)


@pytest.mark.parametrize("rename", [lambda k: k.replace("t1/", "t2/"), lambda k: k.replace("/", ""), lambda k: "x" + k])
def test_targets_that_are_not_numbered_from_0_are_refused(rename: Callable[[str], str]) -> None:
    arrays = fitted(RandomForest).to_arrays()
    with pytest.raises(ArtefactError, match=r"t0/\.\.\."):
        FittedNodes.from_arrays({rename(name): array for name, array in arrays.items()})


def test_a_forest_without_trees_is_refused() -> None:
    arrays = {name: array[:0] for name, array in fitted(RandomForest).to_arrays().items()}
    with pytest.raises(ArtefactError, match="lengths"):
        FittedNodes.from_arrays(arrays)


# Boosting against LightGBM's own prediction from the same model text.


@pytest.mark.parametrize("loss", ["rmse", "mae"])
@GAPS
def test_the_boosting_is_lightgbms_bit_for_bit(change: Callable[..., Any], loss: str) -> None:
    library = pytest.importorskip("lightgbm")
    (x, y), (new, _) = data(), data(600, seed=1)
    x, new = change(x, new)
    weight = np.random.default_rng(2).uniform(0.5, 2, size=y.shape)
    made = LightGBM(LightGBMConfig(n_trees=60, jobs=1, learning_rate=0.1, loss=loss))
    ours = made.fit(x, y, TARGETS, weight, 7).predict(new)
    for number, target in enumerate(TARGETS):
        text = made._fitted(x, y[:, number], weight[:, number], target, 7)
        theirs = library.Booster(model_str=text).predict(new)
        if target.kind == "regression":
            np.testing.assert_array_equal(ours[:, number], theirs)
        else:  # numpy's exp and that of the C library differ in the last bit
            np.testing.assert_allclose(ours[:, number], theirs, rtol=1e-15, atol=0)


def test_the_boosting_does_not_depend_on_threads() -> None:
    x, y = data(400)
    one, two = (
        LightGBM(LightGBMConfig(n_trees=30, jobs=jobs)).fit(x, y, TARGETS, np.ones_like(y), 0).to_arrays()
        for jobs in (1, 2)
    )
    for name in one:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def test_the_absolute_loss_is_not_moved_by_outliers() -> None:
    x, y = data(400)
    far = y.copy()
    far[::20, 0] = 1000

    def predicted(loss: str) -> float:
        model = LightGBM(LightGBMConfig(n_trees=20, jobs=1, loss=loss)).fit(x, far, TARGETS, np.ones_like(y), 0)
        return float(model.predict(x)[:, 0].mean())

    mean, median = predicted("rmse"), predicted("mae")
    assert abs(mean - y[:, 0].mean()) > 20
    assert abs(median - y[:, 0].mean()) < 2


WITHOUT = {
    "not installed": ("sys.modules['lightgbm'] = None", "not installed.*pip install 'molmed\\[boosting\\]'"),
    "no OpenMP": (
        "import tempfile, pathlib; folder = pathlib.Path(tempfile.mkdtemp()); "
        "(folder / 'lightgbm.py').write_text('raise OSError(\"libgomp.so.1: cannot open shared object file\")'); "
        "sys.path.insert(0, str(folder))",
        "libgomp.so.1: cannot open.*apt install libgomp1",
    ),
}


@pytest.mark.parametrize("missing", WITHOUT)
def test_a_missing_library_is_one_clear_sentence(missing: str) -> None:
    hide, message = WITHOUT[missing]
    code = f"""
import sys
{hide}
import numpy as np
from molmed.errors import InputError
from molmed.targets import Target
from molmed.trees.lightgbm import LightGBM
x = np.zeros((4, 2), dtype=np.float32)
try:
    LightGBM().fit(x, np.asarray([[0.], [1.], [2.], [3.]]), (Target("a"),), np.ones((4, 1)), 0)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert re.search(message, done.stdout), done.stdout


def test_predicting_needs_neither_library(tmp_path: Path) -> None:
    x, _ = data(seed=1)
    for name in NAMES:
        model = fitted(catalog.load("trees", name))
        save_file(model.to_arrays() | {"x": x, "expected": model.predict(x)}, tmp_path / f"{name}.safetensors")
    code = """
import sys
sys.modules["lightgbm"] = sys.modules["sklearn"] = None
from safetensors.numpy import load_file
from molmed import catalog
for name, path in zip(sys.argv[1::2], sys.argv[2::2]):
    arrays = load_file(path)
    x, expected = arrays.pop("x"), arrays.pop("expected")
    assert (catalog.load("trees", name).Fitted.from_arrays(arrays).predict(x) == expected).all(), name
print("equal")
"""
    arguments = [word for name in NAMES for word in (name, str(tmp_path / f"{name}.safetensors"))]
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "equal\n", done.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("num_cat=0", "num_cat=1", 1),
        lambda text: text.replace("decision_type=", "decision_type=1 ", 1),
        lambda text: text.replace("decision_type=", "decision_type=4 ", 1),
    ],
    ids=["a categorical split", "a categorical decision", "zero as missing"],
)
def test_a_tree_of_a_kind_it_cannot_walk_is_noticed(change: Callable[[str], str]) -> None:
    x, y = data()
    text = small(LightGBM)._fitted(x, y[:, 0], np.ones(len(y)), TARGETS[0], 0)
    lightgbm._node_arrays(text, 1)
    with pytest.raises(AssertionError):
        lightgbm._node_arrays(change(text), 1)
