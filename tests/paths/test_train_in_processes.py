"""Training in two processes from where users start it: the command line, a script without a guard, a notebook."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed.cli import main
from molmed.experiment.config import read_toml

from .conftest import sulfonamides

SMALL = ["--model", "dmpnn", "--encoder.width", "16", "--join.width", "16", "--target", "pAct", "--cv", "2"]
SMALL += ["--train.epochs", "2", "--batch-size", "33", "--train.device", "cpu"]

# At the top level of the module, where a process that imported or ran the script again would train again.
SCRIPT = """
import molmed
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.train.config import TrainConfig

config = Config(split=SplitConfig(test=0.2), model=ModelConfig(encoder={"width": 16}), train=TrainConfig(device="cpu"))
run = molmed.fit("table.csv", targets="pAct", model="dmpnn", epochs=2, devices=DEVICES, config=config)
print(run.predict(["CCO", "O=S(=O)(Nc1nccs1)c1ccccc1"]).pAct.tolist())
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("table")
    sulfonamides(121).to_csv(path / "table.csv", index=False)
    return path


def predictions(model: Path) -> pd.DataFrame:
    return pd.read_parquet(model / "predictions.parquet")


def test_the_command_trains_in_two_processes_as_in_one(folder: Path) -> None:
    """Three fits, one after the other: two folds and the final one."""
    table = str(folder / "table.csv")
    assert main(["train", table, *SMALL, "--out", str(folder / "one.molmed")]) == 0
    command = [str(Path(sys.executable).parent / "molmed"), "train", table, *SMALL, "--train.devices", "2"]
    done = subprocess.run(
        [*command, "--out", str(folder / "two.molmed")], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rmse" in done.stdout
    assert not {line for line in done.stderr.splitlines() if "Warning" in line or "rank" in line}
    one, two = predictions(folder / "one.molmed"), predictions(folder / "two.molmed")
    assert one["row"].tolist() == two["row"].tolist()
    assert one["pAct"].std() > 1e-3
    np.testing.assert_allclose(two["pAct"], one["pAct"], rtol=1e-4)
    assert read_toml(folder / "two.molmed" / "config.toml").train.devices == 2
    assert not list(folder.glob("*.partial"))


def printed(folder: Path, devices: int, *words: str, text: str = "") -> list[float]:
    command = [sys.executable, "-W", "error", *words]
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=folder, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    return [float(word) for word in line.strip("[]").split(",")]


def test_a_script_without_a_guard_and_a_session_without_a_file_train_in_two_processes(folder: Path) -> None:
    """What is typed into an interpreter has no file that another process could run again; nor has a notebook."""
    (folder / "script.py").write_text(SCRIPT.replace("DEVICES", "2"), encoding="utf-8")
    script = printed(folder, 2, "script.py")
    session = printed(folder, 2, "-", text=SCRIPT.replace("DEVICES", "2"))
    alone = printed(folder, 1, "-", text=SCRIPT.replace("DEVICES", "1"))
    assert script == session
    np.testing.assert_allclose(script, alone, rtol=1e-4)
