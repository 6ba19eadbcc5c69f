"""The fold models as members: one mean, its spread, one artefact."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from molmed.cli import main
from molmed.errors import ArtefactError, ConfigError
from molmed.experiment.config import Config, parse_toml, to_toml
from molmed.experiment.ensemble import Ensemble
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.experiment.predict import predict
from molmed.experiment.run import Run
from molmed.screen.loop import screen

from .conftest import SMALL_FOREST, SMALL_NETWORK, patients, sulfonamides
from .test_load import edit

NEW = ["O=S(=O)(Nc1nccs1)c1ccccc1", "not a smiles", "CCO", "c1ccc2[nH]ccc2c1"]
GRU = replace(SMALL_NETWORK, model=replace(SMALL_NETWORK.model, name="gru", encoder={"width": 16}))
MLP = replace(SMALL_NETWORK, task="diagnosis_table", model=replace(SMALL_NETWORK.model, name="mlp", encoder={}))


def members(run: Run) -> tuple[Any, ...]:
    model = run.predictor.model
    assert isinstance(model, Ensemble)
    return model.members


def alone(run: Run, member: Any) -> Run:
    """The same run with one member as its model."""
    return replace(run, predictor=replace(run.predictor, model=member))


@pytest.fixture(scope="module")
def trees() -> Run:
    """Three forests."""
    return fit(sulfonamides(90), targets="pAct", config=SMALL_FOREST, ensemble=3)


@pytest.fixture(scope="module")
def networks() -> Run:
    """Two recurrent networks; each has the vocabulary of its own rows."""
    return fit(sulfonamides(90), targets="pAct", config=GRU, ensemble=2)


@pytest.fixture(scope="module")
def exams() -> Run:
    """Two networks on an exam table; each has the imputer of its own rows."""
    return fit(patients().iloc[::3], targets="malignant", config=MLP, ensemble=2)


@pytest.fixture(params=["trees", "networks"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.getfixturevalue(request.param)
    return found


def test_the_value_is_the_mean_and_the_spread_the_standard_deviation_of_the_members(run: Run) -> None:
    each = np.stack([alone(run, m).predict(NEW)["pAct"] for m in members(run)])
    out = run.predict(NEW)
    np.testing.assert_allclose(out["pAct"], each.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(out["pAct_spread"], each.std(axis=0), rtol=1e-9, atol=1e-12)
    assert (out["pAct_spread"].dropna() > 0).all()


def test_probabilities_are_averaged_and_then_calibrated(exams: Run) -> None:
    table = patients().head(20)
    raw = np.stack([alone(exams, m).predictor.model.predict({"patient": _cells(exams, table)}) for m in members(exams)])
    platt = exams.predictor.calibration.platt["malignant"]
    out = exams.predict(table)
    np.testing.assert_allclose(out["malignant"], platt(raw.mean(axis=0)[:, 0]), rtol=1e-12)
    np.testing.assert_allclose(out["malignant_spread"], np.std([platt(r[:, 0]) for r in raw], axis=0), rtol=1e-9)


def _cells(run: Run, table: pd.DataFrame) -> list[tuple[Any, ...]]:
    columns = list(run.predictor.slots[0].columns)
    return [tuple(row) for row in table[columns].itertuples(index=False)]


def test_the_spread_stands_behind_the_value_and_only_where_there_are_members(trees: Run, forest: Run) -> None:
    names = list(trees.predict(NEW).columns)
    assert names.index("pAct_spread") == names.index("pAct") + 1
    assert "pAct_spread" not in forest.predict(NEW)
    without = next(iter(predict(trees.predictor, NEW, trust=False)))
    assert {"pAct", "pAct_spread"} <= set(without)
    assert "domain" not in without


def test_a_row_that_cannot_be_read_has_no_spread(run: Run) -> None:
    out = run.predict(NEW)
    assert out["pAct_spread"].isna().tolist() == (out["status"] == "rejected").tolist() == [False, True, False, False]


def test_a_stored_ensemble_predicts_the_same_to_the_last_bit(run: Run, exams: Run, tmp_path: Path) -> None:
    for i, (one, table) in enumerate([(run, NEW), (exams, patients().head(40))]):
        restored = load(one.save(tmp_path / f"{i}.molmed"))
        pd.testing.assert_frame_equal(restored.predict(table), one.predict(table), check_exact=True)
        assert restored.config == one.config
        pd.testing.assert_frame_equal(restored.fold_history, one.fold_history)
        pd.testing.assert_frame_equal(restored.predictions, one.predictions)


def test_its_members_are_the_models_of_the_folds(run: Run) -> None:
    """What stands out of fold for a row is what the member of its fold says, and that member has not seen it."""
    own = run.predictions[run.predictions["part"] == "out_of_fold"]
    for number, member in enumerate(members(run)):
        rows = own[own["fold"] == number]
        said = alone(run, member).predict(rows["smiles"].tolist())["pAct"]
        np.testing.assert_allclose(said, rows["pAct"], rtol=1e-5)


def test_scores_and_calibration_out_of_fold_are_those_of_a_cross_validation(trees: Run) -> None:
    plain = fit(sulfonamides(90), targets="pAct", config=SMALL_FOREST, cv=3)
    assert plain.scores["out_of_fold"] == trees.scores["out_of_fold"]
    assert plain.predictor.calibration == trees.predictor.calibration
    assert plain.facts["split_sha256"] == trees.facts["split_sha256"]
    assert plain.predictor.model.n_members == 1


def test_the_test_part_keeps_the_spread(trees: Run) -> None:
    test = trees.predictions[trees.predictions["part"] == "test"]
    again = trees.predict(test["smiles"].tolist())
    np.testing.assert_array_equal(test["pAct_spread"], again["pAct_spread"])
    assert trees.predictions.loc[trees.predictions["part"] == "out_of_fold", "pAct_spread"].isna().all()


def test_the_mean_is_no_farther_off_than_a_member_is_on_average(run: Run) -> None:
    """By convexity of the square: intervals from single members' errors are rather too wide than too narrow."""
    test = run.predictions[run.predictions["part"] == "test"]
    smiles, measured = test["smiles"].tolist(), test["pAct_measured"].to_numpy()
    each = [np.mean((alone(run, m).predict(smiles)["pAct"] - measured) ** 2) for m in members(run)]
    assert np.mean((test["pAct"] - measured) ** 2) <= np.mean(each)


def test_features_that_members_read_alike_are_made_once(trees: Run, networks: Run, exams: Run) -> None:
    def counts(run: Run) -> tuple[int, int]:
        slots = run.predictor.model.slots
        return sum(len(s.states) for s in slots.values()), sum(len(m.slots) for m in members(run))

    assert counts(trees) == (2, 3)
    assert counts(exams) == (2, 2)
    vocabularies = {str(m.slots["molecule"].states[0]) for m in members(networks)}
    assert counts(networks) == (len(vocabularies), 2)


def test_the_history_tells_the_members_apart(networks: Run, trees: Run) -> None:
    assert networks.fold_history["fold"].tolist() == [0] * 4 + [1] * 4
    assert networks.fold_history["valid_loss"].notna().all()
    assert networks.history.empty
    assert 1 <= networks.facts["epochs"] <= 4
    assert trees.history.empty
    assert trees.fold_history.empty


def test_a_screen_has_the_spread_too(trees: Run, tmp_path: Path) -> None:
    done = screen(NEW, trees, top=2, out=tmp_path)
    assert "pAct_spread" in done.top
    assert "pAct_spread" in pd.read_parquet(tmp_path / "predictions.parquet")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"ensemble": 1}, "1 folds; accepted: 2 or more"),
        ({"ensemble": -2}, "-2 folds"),
        ({"ensemble": 3, "cv": 5}, "3 members and 5 folds.*one member for each fold; ask for 3 folds too"),
        ({"config": replace(SMALL_FOREST, ensemble=True), "cv": 0}, "0 folds; accepted: 2 or more"),
    ],
)
def test_members_that_do_not_fit_the_folds_are_refused(settings: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        fit(sulfonamides(40), targets="pAct", **settings)


def test_no_ensemble_leaves_the_folds_as_they_are() -> None:
    kept = fit(sulfonamides(40), targets="pAct", config=replace(SMALL_FOREST, ensemble=True), ensemble=0)
    assert (kept.config.split.folds, kept.config.ensemble, kept.predictor.model.n_members) == (3, False, 1)


def test_the_setting_survives_a_toml() -> None:
    config = Config(ensemble=True)
    assert parse_toml(to_toml(config), "here") == config


@pytest.mark.parametrize("n", [0, 1])
def test_an_ensemble_without_members_is_refused(trees: Run, tmp_path: Path, n: int) -> None:
    folder = trees.save(tmp_path / "m.molmed")
    edit(folder, lambda card: card["model"].update(members=card["model"]["members"][:n]))
    with pytest.raises(ArtefactError, match=f"an ensemble of {n} members"):
        load(folder)


def test_the_verb_trains_an_ensemble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.csv"
    sulfonamides(60).to_csv(table, index=False)
    words = ["train", str(table), "--target", "pAct", "--model", "random_forest", "--tree.n-trees", "10"]
    words += ["--tree.jobs", "1", "--out", str(tmp_path / "m.molmed")]
    assert main([*words, "--ensemble", "3", "--cv", "5"]) == 1
    assert "3 members and 5 folds" in capsys.readouterr().err
    assert main([*words, "--ensemble", "3"]) == 0
    run = load(tmp_path / "m.molmed")
    assert (run.config.ensemble, run.config.split.folds, run.predictor.model.n_members) == (True, 3, 3)
    (tmp_path / "again.toml").write_text(to_toml(run.config), encoding="utf-8")
    again = ["train", str(table), "--config", str(tmp_path / "again.toml"), "--out", str(tmp_path / "again.molmed")]
    assert main(again) == 0
    assert load(tmp_path / "again.molmed").config.split.folds == 3
    assert main([*again, "--ensemble", "2"]) == 0
    assert load(tmp_path / "again.molmed").predictor.model.n_members == 2
