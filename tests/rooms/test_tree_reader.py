"""Trees read several featurizers side by side, each with its own settings."""

from pathlib import Path
from typing import Any

import pytest

from molmed.errors import ConfigError, UnknownNameError
from molmed.experiment import build
from molmed.experiment.config import Config, DataConfig, ModelConfig


def reader(**model: Any) -> build.Reader:
    config = Config(task="activity", data=DataConfig(targets=("y",)), model=ModelConfig(**model))
    return build.readers(config)["molecule"]


def test_a_tree_reads_its_own_features_unless_told_otherwise() -> None:
    mix = ("morgan_count", "avalon", "erg", "descriptors")
    assert tuple(name for name, _ in reader(name="lightgbm").featurizers) == mix
    (only,) = reader(name="lightgbm", features="physchem").featurizers
    assert only[0] == "physchem"
    named = reader(name="random_forest", features="morgan+descriptors").featurizers
    assert [name for name, _ in named] == ["morgan", "descriptors"]


def test_the_only_featurizer_has_its_settings_as_they_are() -> None:
    ((_, featurizer),) = reader(name="random_forest", features="morgan_count", featurizer={"radius": 3}).featurizers
    assert featurizer.config.radius == 3


def test_of_several_each_has_its_settings_under_its_name() -> None:
    given = {"morgan_count": {"radius": 3}, "descriptors": {"fast": True}}
    made = dict(reader(name="lightgbm", featurizer=given).featurizers)
    assert made["morgan_count"].config.radius == 3
    assert made["descriptors"].config.fast
    assert made["avalon"].config.n_bits == 1024


def test_settings_outside_a_table_are_those_of_the_first() -> None:
    made = dict(reader(name="lightgbm", featurizer={"n_bits": 512, "descriptors": {"fast": True}}).featurizers)
    assert made["morgan_count"].config.n_bits == 512
    assert made["avalon"].config.n_bits == 1024
    assert made["descriptors"].config.fast


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"dim": 3}, r"featurizer morgan_count.*'dim'"),
        ({"morgan": {"radius": 3}}, r"featurizer morgan_count.*'morgan'"),
        ({"avalon": 512}, r"featurizer\.avalon.*512"),
        ({"morgan_count": 512}, r"featurizer\.morgan_count.*512"),
        ({"avalon": {"radius": 3}}, r"featurizer avalon.*'radius'"),
    ],
)
def test_settings_that_belong_to_none_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        reader(name="lightgbm", featurizer=given)


def test_a_wrong_name_among_several_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'avalon'"):
        reader(name="lightgbm", features="morgan_count+avalom")


@pytest.mark.parametrize("features", ["graph", "morgan+tokens"])
def test_what_makes_no_vectors_is_refused(features: str) -> None:
    with pytest.raises(ConfigError, match="makes no vectors"):
        reader(name="random_forest", features=features)


STRICT = '''"""A tree without gaps."""

from molmed.trees.random_forest import RandomForest


class Strict(RandomForest):
    gaps = False


ENTRY = Strict
'''


def test_a_tree_without_gaps_gets_no_features_that_may_hold_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "trees").mkdir()
    (tmp_path / "trees" / "strict.py").write_text(STRICT, encoding="utf-8")
    monkeypatch.setenv("MOLMED_SHELVES", str(tmp_path))
    assert len(reader(name="strict", features="morgan+erg").featurizers) == 2
    with pytest.raises(ConfigError, match="'descriptors', which may hold gaps"):
        reader(name="strict", features="morgan+descriptors")
