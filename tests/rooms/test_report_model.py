"""The page of a model says how good it is, where it is wrong and what it may not be used for."""

import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem.Scaffolds import MurckoScaffold
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import confusion_matrix, matthews_corrcoef

from molmed.cli import main
from molmed.data.bundled import nav17
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.experiment.run import Run
from molmed.metrics import interval, metric
from molmed.report import numbers
from molmed.report.honest import honest
from molmed.report.model import model_page
from molmed.report.regression import running_mean
from molmed.report.scaffolds import MIN_ROWS, errors_by_scaffold
from molmed.report.shares import promised, share
from molmed.train.config import TrainConfig

from .outline import HOSTILE, Outline, check

WHEN = "25 November 2026"

FOREST = Config(
    unit="pAct",
    split=SplitConfig(test=0.25, folds=2),
    model=ModelConfig("random_forest", encoder={"n_trees": 10, "jobs": 1}),
)


def sulfonamides(n: int = 120) -> pd.DataFrame:
    """Every eighth of the aryl sulfonamides that RDKit carries: smiles, id, pAct."""
    return nav17().iloc[::8].head(n).reset_index(drop=True)


@pytest.fixture(scope="module")
def forest() -> Run:
    """A small forest; three rows could not be used, one of them with a hostile id."""
    bad = pd.DataFrame({"smiles": ["C1CC", "", "CC"], "id": [HOSTILE, "empty", "text"], "pAct": ["5", "6", "x"]})
    return fit(pd.concat([sulfonamides().astype(str), bad]), targets="pAct", config=FOREST)


@pytest.fixture(scope="module")
def toxic() -> Run:
    """A small forest on two binary targets, the second with gaps."""
    table = sulfonamides().assign(active=lambda t: (t.pAct > 6.5).astype(int))
    table["heavy"] = (table.smiles.str.len() > 60).astype(int).where(table.index % 4 > 0)
    config = replace(FOREST, unit="")
    return fit(table[["smiles", "id", "active", "heavy"]], targets=["active", "heavy"], config=config)


@pytest.fixture(scope="module")
def exam() -> Run:
    """Two small networks on an exam table, as an ensemble."""
    data = load_breast_cancer(as_frame=True)
    table = data.data.assign(malignant=1 - data.target).iloc[::2]
    config = Config(
        task="diagnosis_table",
        split=SplitConfig(test=0.3),
        model=ModelConfig("mlp"),
        train=TrainConfig(epochs=6, threads=1),
    )
    return fit(table, targets="malignant", config=config, ensemble=2)


@pytest.fixture(scope="module")
def page(forest: Run) -> Outline:
    return check(model_page(forest, when=WHEN))


def with_errors(run: Run, errors: np.ndarray) -> Run:
    """The run with these errors on its test rows."""
    frame = run.predictions.copy()
    test = frame["part"] == "test"
    frame.loc[test, "pAct"] = frame.loc[test, "pAct_measured"] + errors[: int(test.sum())]
    return replace(run, predictions=frame)


def test_the_page_of_a_model_says_what_it_must(forest: Run) -> None:
    outline = check(model_page(forest, when=WHEN))
    said = outline.text
    assert "random_forest: pAct" in said
    assert forest.task.intended_use in said
    assert f"It must not be used for {forest.task.must_not}" in said
    for part, by_metric in ((p, s["pAct"]) for p, s in forest.scores.items()):
        assert numbers.with_interval(by_metric["rmse"], 3) in said, part
    assert f"± {numbers.number(forest.predictor.calibration.half_width['pAct'])}" in said
    assert 'name = "random_forest"' in said
    assert "within 1 log unit" in said


def test_rejected_rows_are_counted_with_examples(forest: Run) -> None:
    said = check(model_page(forest, when=WHEN)).text
    assert "no structure given 1 row 121, empty" in said
    assert f"row 120, {' '.join(HOSTILE.split())}" in said
    assert len(forest.rejected) == 3


def test_the_worst_predictions_stand_beside_their_nearest_measured_neighbour(forest: Run) -> None:
    outline = check(model_page(forest, when=WHEN))
    assert outline.text.count(" pAct too ") == 6
    assert outline.text.count("nearest measured: ") == 6
    test = forest.predictions[forest.predictions["part"] == "test"]
    worst = test.assign(error=(test["pAct"] - test["pAct_measured"]).abs()).nlargest(1, "error").iloc[0]
    assert numbers.fixed(worst["error"], 2) + " pAct too" in outline.text


def test_a_compound_is_not_its_own_neighbour(forest: Run) -> None:
    own = forest.predictions[forest.predictions["part"] == "out_of_fold"]
    said = check(model_page(replace(forest, predictions=own), when=WHEN)).text
    cards = re.findall(r"(\d{7}) [\d.]+ pAct too .*?nearest measured: (\d{7})", said)
    assert len(cards) == 6
    assert all(id != near for id, near in cards)


def test_a_page_is_made_again_byte_for_byte(forest: Run) -> None:
    assert model_page(forest, when=WHEN) == model_page(forest, when=WHEN)


def test_binary_targets_get_roc_and_reliability(toxic: Run) -> None:
    outline = check(model_page(toxic, when=WHEN))
    labels = [a.get("aria-label") or "" for t, a in outline.found if t == "svg"]
    for target in ("active", "heavy"):
        assert sum(label.startswith(f"ROC curve of {target}") for label in labels) == 1
        assert sum(label.startswith(f"reliability plot of {target}") for label in labels) == 1
    assert "probability of class 1" in outline.text
    assert "AUROC, test (mean)" in outline.text


def test_one_class_only_is_said(toxic: Run) -> None:
    negative = toxic.predictions.assign(active_measured=0.0)
    said = check(model_page(replace(toxic, predictions=negative), when=WHEN)).text
    assert "active: only one class among the rows with a prediction" in said


def test_a_model_without_scores_predictions_and_domain_still_has_a_page(forest: Run) -> None:
    bare = Run(replace(forest.predictor, domain=None), forest.config, forest.task)
    said = check(model_page(bare, when=WHEN, title="Bare & new")).text
    assert "Bare & new" in said
    assert "No score was made" in said


def test_without_test_rows_the_page_says_so(forest: Run) -> None:
    own = forest.predictions[forest.predictions["part"] == "out_of_fold"]
    run = replace(forest, scores={"out_of_fold": forest.scores["out_of_fold"]}, predictions=own)
    assert "No test rows were held out" in check(model_page(run, when=WHEN)).text


def test_without_a_domain_the_worst_are_drawn_alone(forest: Run) -> None:
    run = replace(forest, predictor=replace(forest.predictor, domain=None))
    outline = check(model_page(run, when=WHEN))
    assert outline.text.count(" pAct too ") == 6
    assert "nearest measured" not in outline.text


def test_rows_without_a_structure_come_as_a_table(forest: Run) -> None:
    run = replace(forest, predictions=forest.predictions.drop(columns="smiles"))
    outline = check(model_page(run, when=WHEN))
    assert outline.count("article", "card") == 0
    assert "Worst predictions" in outline.text


def test_the_training_curve_is_drawn(forest: Run) -> None:
    history = pd.DataFrame(
        {"epoch": range(4), "train_loss": [1.0, 0.7, 0.5, 0.4], "best": [True, True, True, False], "seconds": 2.0}
    )
    for extra, said in (({"valid_loss": [1.0, 0.8, 0.7, 0.9]}, "epoch 3 kept"), ({}, "epoch 4 kept")):
        run = replace(forest, history=history.assign(**extra))
        outline = check(model_page(run, when=WHEN))
        assert said in outline.text
        assert "Four epochs of the final fit, 8 s." in outline.text


# what the numbers are


def test_errors_by_scaffold_are_those_of_rdkits_scaffolds(forest: Run) -> None:
    rows = honest(forest, forest.targets[0])
    scaffold = [
        Chem.MolToSmiles(MurckoScaffold.GetScaffoldForMol(Chem.MolFromSmiles(s)), isomericSmiles=False)
        for s in rows["smiles"]
    ]
    grouped = rows.assign(scaffold=scaffold).groupby("scaffold")["error"]
    expected = grouped.agg(n="size", rmse=lambda e: math.sqrt((e**2).mean()), bias="mean")
    expected = expected[expected["n"] >= MIN_ROWS].sort_values("rmse", ascending=False)
    found = errors_by_scaffold(rows, forest.targets[0], {})
    assert [s.scaffold for s in found] == expected.index.tolist()
    assert [s.n for s in found] == expected["n"].tolist()
    np.testing.assert_allclose([s.error.value for s in found], expected["rmse"])
    np.testing.assert_allclose([s.bias.value for s in found], expected["bias"])
    own = rows[np.asarray(scaffold) == found[0].scaffold]
    reference = interval(metric("rmse"), own["measured"].to_numpy(), own["predicted"].to_numpy())
    np.testing.assert_allclose([found[0].error.low, found[0].error.high], [reference.low, reference.high])


def test_scaffolds_that_the_model_holds_are_not_computed_anew(forest: Run) -> None:
    rows = honest(forest, forest.targets[0])
    found = errors_by_scaffold(rows, forest.targets[0], dict.fromkeys(rows["smiles"], "C1CC1"))
    assert [(s.scaffold, s.n) for s in found] == [("C1CC1", len(rows))]


def test_the_running_mean_is_that_of_its_window() -> None:
    rng = np.random.default_rng(0)
    along, of = rng.normal(size=200), rng.normal(size=200)
    found = running_mean(along, of)
    assert found is not None
    order = np.argsort(along)
    first, last = order[:30], order[-30:]
    np.testing.assert_allclose([found[0][0], found[1][0]], [along[first].mean(), of[first].mean()])
    np.testing.assert_allclose([found[0][-1], found[1][-1]], [along[last].mean(), of[last].mean()])
    assert (np.diff(found[0]) > 0).all()
    assert running_mean(along[:19], of[:19]) is None


def test_a_share_has_wilsons_interval() -> None:
    """Newcombe 1998, Statist. Med. 17, 857, table I, method 3: 81 of 263 and 1 of 29."""
    assert [round(v, 4) for v in (share(81, 263).low, share(81, 263).high)] == [0.2553, 0.3662]
    assert [round(v, 4) for v in (share(1, 29).low, share(1, 29).high)] == [0.0061, 0.1718]
    assert math.isnan(share(0, 0).value)
    assert promised(share(81, 263), 0.9) == ": fewer than promised"
    assert promised(share(81, 263), 0.3) == ""
    assert promised(share(81, 263), 0.1) == ": more than promised"


def test_a_share_is_written_in_per_cent() -> None:
    assert numbers.percent_with(share(81, 263)).replace("\N{NO-BREAK SPACE}", " ") == "31 % (26 to 37 %)"
    assert numbers.percent_with(share(0, 0)) == "–"


# a regression


def test_a_bias_is_said_and_no_bias_too(forest: Run) -> None:
    noise = np.random.default_rng(0).normal(0, 0.3, 100)
    noise -= noise[: int((forest.predictions["part"] == "test").sum())].mean()
    assert "No bias can be detected on the test rows" in check(model_page(with_errors(forest, noise), when=WHEN)).text
    high = check(model_page(with_errors(forest, noise + 1), when=WHEN)).text
    assert "predictions are too high on average: the mean error is +1.0" in high
    low = check(model_page(with_errors(forest, noise - 1), when=WHEN)).text
    assert "predictions are too low on average: the mean error is −1.0" in low


def test_what_intervals_hold_is_counted(forest: Run) -> None:
    width = forest.predictor.calibration.half_width["pAct"]
    for size, said in ((width * 1.01, "holds 0 % (0 to 11 %) of the 31 test values: fewer than promised."),
                       (0.0, "holds 100 % (89 to 100 %) of the 31 test values.")):  # fmt: skip
        assert said in check(model_page(with_errors(forest, np.full(100, size)), when=WHEN)).text


def test_a_regression_has_its_four_plots(page: Outline) -> None:
    labels = [a.get("aria-label") or "" for t, a in page.found if t == "svg"]
    for start in ("predicted against measured pAct", "residuals of pAct", "distribution of predicted − measured",
                  "coverage of the intervals of pAct"):  # fmt: skip
        assert sum(label.startswith(start) for label in labels) == 1, start


def test_the_plots_of_a_model_without_a_test_part_are_those_of_its_folds(forest: Run) -> None:
    own = forest.predictions[forest.predictions["part"] == "out_of_fold"]
    run = replace(forest, predictions=own, scores={"out_of_fold": forest.scores["out_of_fold"]})
    outline = check(model_page(run, when=WHEN))
    labels = [a.get("aria-label") or "" for t, a in outline.found if t == "svg"]
    assert any(label.startswith("residuals of pAct, 89 points") for label in labels)
    assert not any(label.startswith("coverage") for label in labels)


def test_scaffolds_are_drawn_with_their_error(page: Outline, forest: Run) -> None:
    worst = errors_by_scaffold(honest(forest, forest.targets[0]), forest.targets[0], {})[0]
    assert "Error by scaffold" in page.text
    assert f"n = {worst.n} {numbers.number(worst.error.value)} RMSE, " in page.text
    assert worst.scaffold in page.text


def test_measured_values_are_summed_up(page: Outline) -> None:
    values = sulfonamides()["pAct"]
    assert f"{values.max():.2f}" in page.text
    assert "pAct training 89" in page.text
    assert "pAct test 31" in page.text


# classes


def test_the_table_of_thresholds_counts_as_scikit_learn_does(toxic: Run) -> None:
    said = check(model_page(toxic, when=WHEN)).text
    rows = honest(toxic, toxic.targets[0])
    rows = rows[rows["part"] == "test"]
    called = (rows["predicted"] >= 0.6).astype(int)
    (tn, fp), (fn, tp) = confusion_matrix(rows["measured"], called)
    rates = [tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), tn / (tn + fn)]
    shown = " ".join(f"{100 * round(rate, 2):.3g} %" for rate in rates)
    line = f"0.6 {tp + fp} {shown} {numbers.fixed(matthews_corrcoef(rows['measured'], called), 2)}"
    assert line in said


def test_a_class_has_its_four_plots_per_target(toxic: Run) -> None:
    outline = check(model_page(toxic, when=WHEN))
    labels = [a.get("aria-label") or "" for t, a in outline.found if t == "svg"]
    for target in ("active", "heavy"):
        for start in ("ROC curve of", "precision-recall curve of", "reliability plot of",
                      "distribution of predicted probability of"):  # fmt: skip
            assert sum(label.startswith(f"{start} {target}") for label in labels) == 1


def test_label_sets_are_counted(toxic: Run) -> None:
    said = check(model_page(toxic, when=WHEN)).text
    rows = honest(toxic, toxic.targets[0])
    rows = rows[rows["part"] == "test"]
    zero, one = toxic.predictor.calibration.thresholds["active"]
    positive = rows["measured"] == 1
    held = numbers.percent_with(share(int((rows["predicted"] >= one)[positive].sum()), int(positive.sum())))
    assert f"hold {held} of the positive test rows".replace("\N{NO-BREAK SPACE}", " ") in said
    both = round(float(((rows["predicted"] >= one) & (1 - rows["predicted"] >= zero)).mean()), 2)
    assert f"{100 * both:.3g} % both" in said


# several targets


def test_every_target_can_be_opened_and_the_first_is(toxic: Run) -> None:
    outline = check(model_page(toxic, when=WHEN))
    folds = [a for t, a in outline.found if t == "details" and (a.get("id") or "").startswith("target-")]
    assert [("open" in a) for a in folds] == [True, False]
    assert outline.text.count("Error by scaffold") == 2
    assert "AUROC of every target" in outline.text


def test_what_is_folded_is_hidden_on_a_screen_only(toxic: Run) -> None:
    """The rule stands in a block for screens, and what it hides stands beside `details`: paper shows it all."""
    text = model_page(toxic, when=WHEN)
    assert "@media screen { .fold:not([open]) + .folded { display: none; } }" in text
    assert len(re.findall(r"</details>\s*<div class=\"folded\">", text)) == text.count("<details")


def test_of_many_targets_the_first_are_told() -> None:
    table = sulfonamides(60)
    for i in range(14):
        table[f"t{i}"] = table["pAct"] + 0.1 * i
    config = replace(FOREST, split=replace(FOREST.split, folds=0, test=0.3))
    run = fit(table.drop(columns="pAct"), targets=[f"t{i}" for i in range(14)], config=config)
    unmeasured = {f"t{i}_measured": np.nan for i in range(1, 14)}
    outline = check(model_page(replace(run, predictions=run.predictions.assign(**unmeasured)), when=WHEN))
    assert outline.text.count("No row has both a prediction and a measured value.") == 11
    assert "The other 2 targets are left out." in outline.text
    assert "drawn for the first 3 targets" in outline.text
    assert outline.text.count("Largest RMSE") <= 3
    assert sum(t == "details" and (a.get("id") or "").startswith("target-") for t, a in outline.found) == 12


# an exam table, and an ensemble


def test_an_ensemble_says_what_its_spread_is_worth(exam: Run) -> None:
    said = check(model_page(exam, when=WHEN)).text
    assert "mlp, an ensemble of 2" in said
    assert "Spread of the members" in said
    assert "predicted once by the mean of the 2 members" in said
    assert "epochs (median of the members)" in said
    rows = honest(exam, exam.targets[0])
    rows = rows[rows["part"] == "test"]
    rank = rows["spread"].corr(rows["error"].abs(), method="spearman")
    assert f"their rank correlation on the test rows is {numbers.fixed(rank, 2)}." in said


def test_the_curves_of_the_folds_are_drawn(exam: Run) -> None:
    outline = check(model_page(exam, when=WHEN))
    labels = [a.get("aria-label") or "" for t, a in outline.found if t == "svg"]
    assert "validation loss over 6 epochs" in labels
    best = exam.fold_history[exam.fold_history["best"]].groupby("fold")["epoch"].max() + 1
    assert f"the epochs kept are {best[0]}, {best[1]}." in outline.text
    assert "member 1" in outline.text


def test_a_page_on_patients_speaks_of_rows_and_draws_no_molecule(exam: Run) -> None:
    outline = check(model_page(exam, when=WHEN))
    assert "compound" not in outline.text.replace("Predictions", "")
    assert "scaffold" not in outline.text
    assert outline.count("article", "card") == 0
    assert "It must not be used for clinical decisions" in outline.text


# where it comes from


def test_it_says_how_to_cite_and_what_it_was_made_with(page: Outline, forest: Run) -> None:
    assert f"model random_forest, seed {forest.config.seed}" in page.text
    assert forest.facts["data_sha256"] in page.text
    for name, version in forest.facts["versions"].items():
        assert f"{name} {version}" in page.text
    named = replace(forest, config=replace(forest.config, model=replace(forest.config.model, name="dmpnn")))
    assert "dmpnn: Yang et al. 2019" in check(model_page(named, when=WHEN)).text


def test_findings_of_an_audit_are_told_where_the_facts_hold_them(forest: Run) -> None:
    finding = {"kind": "conflict", "severity": "error", "rows": 12, "sentence": f"six structures disagree {HOSTILE}"}
    for findings, said in (([finding], "error Six structures disagree"), ([], "The audit found nothing.")):
        run = replace(forest, facts=forest.facts | {"audit": {"findings": findings}})
        assert said in check(model_page(run, when=WHEN)).text


def test_hostile_names_of_targets_and_units_are_text() -> None:
    table = sulfonamides(60).rename(columns={"pAct": HOSTILE})
    run = fit(table, targets=HOSTILE, task="activity", config=replace(FOREST, unit=HOSTILE))
    assert "<script>alert('x')</script>" in check(model_page(run, when=WHEN)).text


def test_a_stored_model_has_the_same_page(forest: Run, exam: Run, tmp_path: Path) -> None:
    for i, run in enumerate((forest, exam)):
        assert model_page(load(run.save(tmp_path / f"{i}.molmed")), when=WHEN) == model_page(run, when=WHEN)


def test_a_run_and_the_verb_write_the_page(forest: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    by_run = forest.report(tmp_path / "pages" / "run.html", title="Mine").read_text(encoding="utf-8")
    assert "Mine" in check(by_run).text
    model = forest.save(tmp_path / "forest.molmed")
    out = tmp_path / "verb.html"
    assert main(["report", str(model), "--out", str(out), "--title", "Mine"]) == 0
    assert out.read_text(encoding="utf-8") == by_run
    assert str(out) in capsys.readouterr().err


def test_the_verb_refuses_what_is_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(tmp_path), "--out", str(tmp_path / "r.html")]) == 1
    assert "no card.json" in capsys.readouterr().err


def test_an_unknown_kind_of_prediction_leaves_the_page_without_plots(forest: Run) -> None:
    nothing: dict[str, Any] = {"predictions": forest.predictions.assign(pAct=np.nan)}
    assert "Predicted against measured" not in check(model_page(replace(forest, **nothing), when=WHEN)).text
