"""Loading a model refuses what this installation would compute otherwise, and never runs what stands in it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molmed.artefact.folder import _digest
from molmed.chem import standardise
from molmed.errors import ArtefactError
from molmed.experiment.load import load, predict_with
from molmed.experiment.neural import FittedNetwork, restore_network
from molmed.experiment.run import Run
from molmed.features.morgan_count import MorganCount


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    """Change a card and sign it anew, as somebody who knows the format could."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    change(card)
    card["digest"] = _digest(card)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def test_another_featurizer_version_is_refused_by_name(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MorganCount, "version", "2")
    with pytest.raises(ArtefactError, match=r"'morgan_count' of slot 'molecule'.*version 2 here.*version 1"):
        load(stored)


def test_other_features_under_the_same_version_are_refused(stored: Path) -> None:
    edit(stored, lambda card: card["model"]["slots"]["molecule"]["features"][0].update(digest="0" * 64))
    with pytest.raises(ArtefactError, match="other features for the probe items"):
        load(stored)


def test_another_standardisation_is_refused(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standardise, "VERSION", "0")
    with pytest.raises(ArtefactError, match="standardisation version 0 here"):
        load(stored)


@pytest.mark.parametrize("key", ["targets", "slots", "model", "scores", "facts", "declared", "standardise"])
def test_a_card_without_one_of_its_parts_is_refused(stored: Path, key: str) -> None:
    edit(stored, lambda card: card.pop(key))
    with pytest.raises(ArtefactError, match=key):
        load(stored)


@pytest.mark.parametrize(
    "change",
    [
        lambda card: card["targets"][0].update(kind="prophecy"),
        lambda card: card["targets"][0].update(extra=1),
        lambda card: card["slots"][0].update(subject="planet"),
        lambda card: card.update(model=[]),
        lambda card: card["model"].update(slots={}),
        lambda card: card["model"].update(name="../../evil"),
    ],
)
def test_nonsense_in_a_card_is_refused(stored: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    edit(stored, change)
    with pytest.raises(ArtefactError):
        load(stored)


def test_a_name_in_a_card_cannot_point_to_code(stored: Path, tmp_path: Path) -> None:
    """Names are looked up on the shelves; a path or module of somebody's choice is no entry of one."""
    bomb = tmp_path / "bomb.py"
    bomb.write_text(f"open({str(tmp_path / 'exploded')!r}, 'w').close()\nENTRY = None\n", encoding="utf-8")
    for name in (str(bomb), "bomb", "os.system", f"../{bomb.stem}"):
        edit(stored, lambda card, n=name: card["model"]["slots"]["molecule"]["features"][0].update(name=n))
        with pytest.raises(ArtefactError):
            load(stored)
    assert not (tmp_path / "exploded").exists()


def test_predicting_with_a_path_loads_it(stored: Path) -> None:
    assert predict_with(stored, ["CCO"])["status"].tolist() == ["ok"]


def test_weights_that_are_no_numbers_are_refused(network: Run) -> None:
    model = network.predictor.model
    assert isinstance(model, FittedNetwork)
    tensors = dict(model.tensors())
    name = next(iter(tensors))
    tensors[name] = np.full_like(tensors[name], np.nan)
    with pytest.raises(ArtefactError, match=f"{name} with values that are no numbers"):
        restore_network(model.describe(), tensors, model.slots, network.predictor.slots, model.targets)
