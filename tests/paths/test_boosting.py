"""Boosting on fingerprints and descriptors from end to end: fit, store, restore, predict, compounds with gaps."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed.errors import ArtefactError
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.experiment.run import Run
from molmed.features.descriptors import Descriptors

from .conftest import sulfonamides

BOOSTING = Config(
    split=SplitConfig("random", test=0.2, folds=2),
    model=ModelConfig("lightgbm", encoder={"n_trees": 40, "learning_rate": 0.1, "jobs": 1}),
)
GAPS = ["CC[Se]CC", "[H][H]"]
"""Compounds that RDKit has no partial charges for, or no spacial score."""


@pytest.fixture(scope="module")
def boosted() -> Run:
    """On a number that the structure decides: how much is written of it."""
    table = pd.concat([sulfonamides(70)[["smiles", "id"]], pd.DataFrame({"smiles": GAPS, "id": ["Se", "H2"]})])
    return fit(table.assign(length=table.smiles.str.len() / 10), targets="length", config=BOOSTING)


def test_it_learns_and_compounds_with_gaps_stay(boosted: Run) -> None:
    assert boosted.facts["rows_used"] == 72
    measured, predicted = (boosted.predictions[c].to_numpy() for c in ("length_measured", "length"))
    assert np.isfinite(predicted).all()
    assert np.corrcoef(measured, predicted)[0, 1] > 0.5
    found = boosted.predict(["CCO", *GAPS])
    assert found["status"].eq("ok").all()
    assert found["length"].notna().all()


def test_the_stored_model_predicts_bit_for_bit(boosted: Run, tmp_path: Path) -> None:
    rows = [*sulfonamides(20)["smiles"], *GAPS]
    expected = boosted.predict(rows)
    again = load(boosted.save(tmp_path / "boosted.molmed"))
    pd.testing.assert_frame_equal(again.predict(rows), expected, check_exact=True)
    alone = pd.concat([again.predict([row]) for row in rows], ignore_index=True)
    pd.testing.assert_series_equal(alone["length"], expected["length"], check_exact=True)


def test_another_list_of_descriptors_is_refused(boosted: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = boosted.save(tmp_path / "boosted.molmed")
    monkeypatch.setattr(Descriptors, "version", "1, with RDKit's 210 descriptors (list 00000000)")
    with pytest.raises(ArtefactError, match=r"'descriptors' of slot.*210 descriptors.*here; accepted.*217 descriptors"):
        load(folder)


def test_a_forest_reads_several_featurizers(tmp_path: Path) -> None:
    model = ModelConfig(
        "random_forest",
        features="morgan_count+physchem",
        featurizer={"morgan_count": {"n_bits": 512}},
        encoder={"n_trees": 10, "jobs": 1},
    )
    run = fit(sulfonamides(60), targets="pAct", config=Config(split=SplitConfig(test=0.2), model=model))
    again = load(run.save(tmp_path / "forest.molmed"))
    features = again.predictor.model.describe()["slots"]["molecule"]["features"]
    assert [f["name"] for f in features] == ["morgan_count", "physchem"]
    pd.testing.assert_frame_equal(again.predict(GAPS), run.predict(GAPS), check_exact=True)


def test_the_card_counts_training_rows_with_gaps(boosted: Run, tmp_path: Path) -> None:
    folder = boosted.save(tmp_path / "boosted.molmed")
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    with_gaps = 2 - boosted.predictions.query("part == 'test'")["id"].isin(["Se", "H2"]).sum()
    assert card["model"]["noted"] == ({"descriptor_missing": with_gaps} if with_gaps else {})
    assert with_gaps
    assert load(folder).predictor.model.describe() == boosted.predictor.model.describe()
