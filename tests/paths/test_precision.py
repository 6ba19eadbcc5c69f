"""bf16 matrix products against float32's, in training and in predicting; devices; batches by size."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from molmed.cli import main
from molmed.data.bundled import nav17
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.experiment.predict import predict
from molmed.experiment.run import Run
from molmed.train.config import TrainConfig

from .conftest import sulfonamides

CONFIG = Config(
    split=SplitConfig("random", test=0.25, folds=0, valid=0.1),
    model=ModelConfig("dmpnn", encoder={"width": 64}, batch_size=32),
    train=TrainConfig(epochs=15, threads=1, device="cpu"),
)


def trained(precision: str) -> Run:
    return fit(nav17(), targets="pAct", config=replace(CONFIG, train=replace(CONFIG.train, precision=precision)))


@pytest.fixture(scope="module")
def full() -> Run:
    return trained("32-true")


@pytest.fixture(scope="module")
def half() -> Run:
    return trained("bf16-mixed")


def predicted(run: Run, precision: str) -> pd.Series:
    """Of the whole table; the network is left as it was."""
    run.predictor.model.set_precision(precision)
    values = run.predict(sulfonamides()["smiles"].tolist())["pAct"]
    run.predictor.model.set_precision("auto")
    return values


def test_predicting_in_bf16_is_predicting_in_float32_to_three_digits(full: Run) -> None:
    """bf16 has 8 bits: a product is off by up to 0.4 %, a prediction by less than 3 % of the labels' spread."""
    exact, rounded = predicted(full, "32-true"), predicted(full, "bf16-mixed")
    off = (rounded - exact).abs() / nav17()["pAct"].std()
    assert 0 < off.max() < 0.03
    assert off.mean() < 0.01


def test_a_run_trained_in_bf16_is_as_good_as_one_trained_in_float32(full: Run, half: Run) -> None:
    """Stated tolerance: the test RMSE within 10 %, the predictions within a quarter of the labels' spread (RMS)."""
    rmse = [run.scores["test"]["pAct"]["rmse"].value for run in (full, half)]
    assert rmse[1] == pytest.approx(rmse[0], rel=0.1)
    spread = nav17()["pAct"].std()
    assert rmse[0] < 0.8 * spread
    difference = predicted(half, "32-true") - predicted(full, "32-true")
    assert 0 < float(np.sqrt((difference**2).mean())) < 0.25 * spread


def test_weights_trained_in_bf16_are_float32(half: Run) -> None:
    assert {array.dtype for array in half.predictor.model.tensors().values()} == {np.dtype("float32")}


@pytest.fixture
def plain_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU without bf16 instructions, as torch would report it."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True}, raising=False)


def test_where_bf16_is_slow_auto_trains_and_predicts_in_float32(full: Run, plain_cpu: None) -> None:
    """To the last bit."""
    run = trained("auto")
    for name, array in full.predictor.model.tensors().items():
        np.testing.assert_array_equal(run.predictor.model.tensors()[name], array, err_msg=name)
    np.testing.assert_array_equal(predicted(run, "auto"), predicted(full, "32-true"))


def test_where_bf16_is_fast_auto_predicts_in_it(full: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    np.testing.assert_array_equal(predicted(full, "auto"), predicted(full, "bf16-mixed"))


def test_each_device_predicts_what_the_cpu_does(full: Run, device: str, tmp_path: Path) -> None:
    """A stored model, loaded and put on the device, several chunks with jobs asked for."""
    stored = load(full.save(tmp_path / "m.molmed"))
    model = stored.predictor.model
    model.set_device(device)
    model.set_precision("32-true")
    assert model.device == device
    smiles = sulfonamides()["smiles"].tolist()
    values = pd.concat(list(predict(stored.predictor, smiles, chunk_rows=64, jobs=2)), ignore_index=True)["pAct"]
    np.testing.assert_allclose(values, predicted(full, "32-true")[: len(values)], rtol=1e-4)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_predicting_on_cuda_where_there_is_none_is_refused(
    full: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(full.save(tmp_path / "m.molmed"))
    table = tmp_path / "two.csv"
    table.write_text("smiles\nCCO\nCCN\n", encoding="utf-8")
    words = ["predict", model, str(table), "--out", str(tmp_path / "out.csv"), "--jobs", "1"]
    assert main([*words, "--device", "cuda"]) == 1
    assert "setting device: found 'cuda' and 0 CUDA devices here" in capsys.readouterr().err
    assert main([*words, "--device", "auto"]) == 0
    assert len(pd.read_csv(tmp_path / "out.csv")) == 2


def test_batches_of_like_size_or_of_few_atoms_train_as_well() -> None:
    """As the command's --batch-window and --batch-elements have it."""
    for changes in ({"batch_window": 8}, {"batch_elements": 900}):
        model = replace(CONFIG.model, **changes)
        run = fit(nav17(), targets="pAct", config=replace(CONFIG, model=model))
        assert run.scores["test"]["pAct"]["rmse"].value < 0.8 * nav17()["pAct"].std()
        assert getattr(run.config.model, *changes) == next(iter(changes.values()))


def test_the_trainers_options_are_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["train", "--help"])
    assert left.value.code in (0, None)
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for flag, words in {
        "--device": "cpu, cuda, or auto: CUDA where there is a device",
        "--batch-window": "batches whose rows are sorted by size",
        "--batch-elements": "most atoms or tokens a step",
        "--train.accumulate": "batches per optimiser step",
        "--train.devices": "processes that share each batch",
        "--train.precision": '"auto" is bf16 where the device multiplies it fast, else float32',
        "--train.compile": "let torch.compile translate the network; it needs a C++ compiler",
        "--train.cuda-graphs": "record and replay the launches of a step",
    }.items():
        assert f"{flag} " in said or f"{flag}," in said, flag
        assert words in said, flag


def test_two_words_on_one_device_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sulfonamides(40).to_csv(tmp_path / "t.csv", index=False)
    words = ["train", str(tmp_path / "t.csv"), "--target", "pAct", "--out", str(tmp_path / "m.molmed")]
    assert main([*words, "--device", "cpu", "--train.device", "cuda"]) == 1
    assert "--device cpu and --train.device cuda" in capsys.readouterr().err
    assert not (tmp_path / "m.molmed").exists()
