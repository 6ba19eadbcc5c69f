"""A table goes in, a model comes out, and its predictions are the same whichever way rows reach it."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed.data.splits import holdout
from molmed.errors import ConfigError, InputError
from molmed.experiment import build
from molmed.experiment.config import Config
from molmed.experiment.dataset import read_dataset
from molmed.experiment.fit import fit
from molmed.experiment.guess import guessed
from molmed.experiment.load import load
from molmed.experiment.predict import predict
from molmed.experiment.run import Run
from molmed.experiment.scores import plain
from molmed.metrics import metric

from .conftest import SMALL_FOREST, SMALL_NETWORK, patients, sulfonamides

NUMBERS = ["pAct", "pAct_low", "pAct_high"]
MIXED = ["CCO", "not a smiles", "O=S(=O)(Nc1nccs1)c1ccccc1", "", "[Na+].CC(=O)[O-]", None]


@pytest.fixture(params=["forest", "network"])
def run(request: pytest.FixtureRequest) -> Run:
    found: Run = request.getfixturevalue(request.param)
    return found


def test_the_columns_of_a_regression(run: Run) -> None:
    assert list(run.predict(["CCO"]).columns) == [
        *("row", "id", "smiles", "status", "reason", "pAct", "pAct_low", "pAct_high", "domain"),
        *("pAct_nearest_id", "pAct_nearest_similarity", "pAct_nearest_value", "parent", "detail"),
    ]


def test_the_columns_of_two_binary_targets(toxic: Run) -> None:
    columns = list(toxic.predict(["CCO"]).columns)
    assert columns[5:11] == ["active", "active_class", "heavy", "heavy_class", "active_set", "heavy_set"]
    assert {"domain", "active_nearest_id", "heavy_nearest_value"} <= set(columns)


def test_what_the_model_does_not_hold_is_no_column(diagnosis: Run) -> None:
    columns = set(diagnosis.predict(patients().head(3)).columns)
    assert not columns & {"smiles", "parent", "domain"}
    bare = fit(
        sulfonamides(40), targets="pAct", config=replace(SMALL_FOREST, split=replace(SMALL_FOREST.split, folds=0))
    )
    assert not {"pAct_low", "pAct_high"} & set(bare.predict(["CCO"]).columns)


def test_every_row_comes_out_in_order_with_a_status(run: Run) -> None:
    out = run.predict(MIXED)
    assert out["row"].tolist() == list(range(len(MIXED)))
    assert out["status"].tolist() == ["ok", "rejected", "ok", "rejected", "ok", "rejected"]
    assert out["reason"].tolist() == ["", "syntax", "", "empty", "salt_stripped", "empty"]
    assert out["parent"].tolist() == ["", "", "", "", "CC(=O)O", ""]
    assert out["pAct"].isna().tolist() == [s == "rejected" for s in out["status"]]
    assert (out.loc[out.status == "rejected", "detail"] != "").all()


def test_a_measured_compound_is_its_own_nearest_neighbour(run: Run) -> None:
    compounds = run.predictor.domain.compounds  # type: ignore[union-attr]
    out = run.predict(compounds["smiles"].tolist()[:20])
    assert (out["pAct_nearest_similarity"] == 1).all()
    assert (out["domain"] > 0).all()
    np.testing.assert_array_equal(out["pAct_nearest_value"], compounds["value_pAct"].iloc[:20])


def test_intervals_are_centred_and_as_wide_as_the_residuals_say(run: Run) -> None:
    out = run.predict(sulfonamides(30)["smiles"].tolist())
    np.testing.assert_allclose((out["pAct_low"] + out["pAct_high"]) / 2, out["pAct"])
    inside = run.predictions[run.predictions["part"] == "out_of_fold"]
    width = (out["pAct_high"] - out["pAct_low"]).iloc[0] / 2
    held = (inside["pAct"] - inside["pAct_measured"]).abs() <= width
    assert 0.9 <= held.mean() <= 0.93


def test_a_file_equals_a_list_whatever_the_chunk_size(run: Run, tmp_path: Path) -> None:
    smiles = [*sulfonamides(60)["smiles"], *MIXED]
    listed = run.predict(smiles)
    with gzip.open(tmp_path / "library.csv.gz", "wt", encoding="utf-8") as file:
        pd.DataFrame({"n": range(len(smiles)), "smiles": smiles}).to_csv(file, index=False)
    for rows in (1, 7, 1000):
        parts = predict(run.predictor, tmp_path / "library.csv.gz", chunk_rows=rows)
        filed = pd.concat(list(parts), ignore_index=True)
        exact = [c for c in listed.columns if c not in NUMBERS]
        pd.testing.assert_frame_equal(filed[exact], listed[exact])
        # float32 sums of other sizes are rounded otherwise
        np.testing.assert_allclose(filed[NUMBERS], listed[NUMBERS], rtol=1e-5)


def test_the_order_of_the_rows_does_not_matter(run: Run) -> None:
    smiles = sulfonamides(60)["smiles"].tolist()
    forth, back = run.predict(smiles), run.predict(smiles[::-1])
    np.testing.assert_allclose(forth["pAct"], back["pAct"][::-1], rtol=1e-5)


def test_kept_columns_come_out_as_they_went_in(forest: Run) -> None:
    table = pd.DataFrame({"smiles": ["CCO", "x"], "batch": ["A-1", None], "n": [7, 8]})
    out = forest.predict(table, keep=["batch", "n"])
    assert out["in_batch"].tolist() == ["A-1", ""]
    assert out["in_n"].tolist() == ["7", "8"]


def test_a_stored_model_predicts_the_same_to_the_last_bit(run: Run, toxic: Run, diagnosis: Run, tmp_path: Path) -> None:
    for i, (one, table) in enumerate([(run, MIXED), (toxic, MIXED), (diagnosis, patients())]):
        restored = load(one.save(tmp_path / f"{i}.molmed"))
        pd.testing.assert_frame_equal(restored.predict(table), one.predict(table), check_exact=True)
        assert (restored.config, restored.task) == (one.config, one.task)
        assert {p: plain(s) for p, s in restored.scores.items()} == {p: plain(s) for p, s in one.scores.items()}
        pd.testing.assert_frame_equal(restored.predictions, one.predictions)
        pd.testing.assert_frame_equal(restored.rejected, one.rejected)


def test_the_same_seed_gives_the_same_model() -> None:
    runs = [fit(sulfonamides(60), targets="pAct", config=SMALL_NETWORK) for _ in range(2)]
    first, second = (r.predictor.model.tensors() for r in runs)
    for name in first:
        np.testing.assert_array_equal(first[name], second[name])
    other = fit(sulfonamides(60), targets="pAct", config=SMALL_NETWORK, seed=1).predictor.model.tensors()
    assert any(not np.array_equal(first[name], other[name]) for name in first)


def test_what_is_learnt_from_data_is_learnt_from_training_rows_only() -> None:
    """A token, an element and a label that only the test part holds leave no trace in the model's state."""
    table = sulfonamides(80)
    config = replace(
        SMALL_NETWORK,
        task="activity",
        data=replace(SMALL_NETWORK.data, targets=("pAct",)),
        model=replace(SMALL_NETWORK.model, name="gru", encoder={"width": 16}),
        split=replace(SMALL_NETWORK.split, name="random", folds=0),
    )
    data = read_dataset(table, config)
    test = holdout(build.split(config), data.subjects(), config.split.test, config.split.seed)
    table.loc[data.rows[test], "smiles"] += ".[Xe]"
    table.loc[data.rows[test], "pAct"] += 1000.0
    run = fit(table, config=replace(config, data=replace(config.data, standardise=False)))
    assert set(run.predictions.query("part == 'test'")["row"]) == set(data.rows[test])
    model = run.predictor.model
    assert "[Xe]" not in model.slots["molecule"].states[0]["vocabulary"]
    assert model.scales[0].mean < 20  # type: ignore[attr-defined]
    assert run.predictor.domain is not None
    assert not set(run.predictor.domain.compounds["id"]) & set(table["id"].iloc[data.rows[test]])


def test_a_fold_is_predicted_by_a_model_that_has_not_seen_it() -> None:
    """A forest that can repeat every label it has seen is no better than the mean on labels without any rule."""
    table = sulfonamides(120)
    table["pAct"] = np.random.default_rng(0).normal(size=len(table))
    run = fit(table, targets="pAct", config=SMALL_FOREST)
    seen = run.predict(run.predictor.domain.compounds["smiles"].tolist())  # type: ignore[union-attr]
    compounds = run.predictor.domain.compounds  # type: ignore[union-attr]
    assert metric("r2")(compounds["value_pAct"].to_numpy(), seen["pAct"].to_numpy()) > 0.5
    assert run.scores["out_of_fold"]["pAct"]["r2"].value < 0.15
    assert run.scores["test"]["pAct"]["r2"].value < 0.15


def test_the_final_network_runs_for_the_median_of_the_folds_epochs(network: Run) -> None:
    assert network.facts["epochs"] == len(network.history) <= SMALL_NETWORK.train.epochs


def test_repeats_of_one_structure_are_merged_and_listed() -> None:
    table = pd.concat([sulfonamides(50), sulfonamides(10).assign(pAct=9.0)], ignore_index=True)
    run = fit(table, targets="pAct", config=SMALL_FOREST)
    merged = run.rejected[run.rejected["reason"] == "merged"]
    assert merged["row"].tolist() == list(range(50, 60))
    assert merged["detail"].tolist() == [f"merged into row {i}" for i in range(10)]
    measured = {**run.predictions.set_index("row")["pAct_measured"]}
    assert measured[0] == pytest.approx((table["pAct"][0] + 9.0) / 2)


@pytest.mark.parametrize(
    ("labels", "task"),
    [([0, 1] * 20, "toxicity"), (["active", "inactive"] * 20, "toxicity"), ([0.0, 2.5] * 20, "activity")],
)
def test_the_task_is_guessed_from_the_labels_and_said(labels: list[object], task: str) -> None:
    table = sulfonamides(40).assign(y=labels)
    config, said = guessed(table, Config(data=replace(Config().data, targets=("y",))))
    assert config.task == task
    assert task in said[0]


def test_a_diagnosis_is_learnt_by_the_same_trainer(diagnosis: Run) -> None:
    assert diagnosis.scores["test"]["malignant"]["auroc"].value > 0.97


def test_a_cell_of_another_kind_costs_its_row_and_no_other() -> None:
    table = patients().astype(object)
    table.loc[5, "mean radius"] = "illegible"
    run = fit(table, targets="malignant", task="diagnosis_table", config=replace(SMALL_FOREST, task="diagnosis_table"))
    assert run.rejected[["row", "reason"]].values.tolist() == [[5, "cell_not_a_number"]]
    out = run.predict(table.head(10))
    assert out["status"].tolist() == ["ok"] * 5 + ["rejected"] + ["ok"] * 4


def test_a_model_that_is_both_encoder_and_tree_is_neither() -> None:
    with pytest.raises(InputError, match="did you mean 'dmpnn'"):
        fit(sulfonamides(40), targets="pAct", model="dmpn")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"targets": "pAtc"}, "no column 'pAtc'.*did you mean 'pAct'"),
        ({"targets": "pAct", "smiles": "smile"}, "no column 'smile'.*did you mean 'smiles'"),
        ({"targets": "pAct", "id": "ids"}, "no column 'ids'.*did you mean 'id'"),
        ({}, "no target column named.*smiles, id, pAct"),
    ],
)
def test_a_column_that_is_not_there_is_answered_with_the_nearest(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        fit(sulfonamides(40), **change)  # type: ignore[arg-type]


def test_one_class_only_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"learning 'y'.*one class only \(1\)"):
        fit(sulfonamides(40).assign(y=1), targets="y", task="toxicity", config=SMALL_FOREST)


def test_one_row_and_no_row_are_refused() -> None:
    with pytest.raises(InputError, match="at least"):
        fit(sulfonamides(1), targets="pAct", config=SMALL_FOREST)
    with pytest.raises(InputError, match=r"0 rows.*at least one usable row"):
        fit(sulfonamides(0), targets="pAct", smiles="smiles", config=SMALL_FOREST)


def test_labels_that_cannot_be_read_are_counted_in_the_refusal() -> None:
    with pytest.raises(InputError, match="40 rows, 40 target_not_a_number"):
        fit(sulfonamides(40).assign(pAct="high"), targets="pAct", task="activity", config=SMALL_FOREST)


def test_a_setting_out_of_range_is_refused() -> None:
    narrow = replace(SMALL_NETWORK, model=replace(SMALL_NETWORK.model, encoder={"width": 3}))
    with pytest.raises(ConfigError, match=r"width.*from 16 to 2400"):
        fit(sulfonamides(40), targets="pAct", config=narrow)


def test_a_table_of_another_kind_than_the_model_is_for_is_refused(diagnosis: Run) -> None:
    with pytest.raises(InputError, match=r"a model of the columns of a patient: found no column .* it was trained on"):
        diagnosis.predict({"smiles": ["CCO"]})
