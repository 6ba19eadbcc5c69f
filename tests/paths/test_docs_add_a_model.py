"""docs/add_a_model.md does what it says: its files are written to a folder of shelves, its code is run."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from molmed import catalog, tunable
from molmed.cli import main
from molmed.errors import ArtefactError
from molmed.experiment.config import Config, ModelConfig
from molmed.experiment.fit import fit
from molmed.experiment.load import load
from molmed.features import Packed
from molmed.nn.batch import Items
from molmed.train.config import TrainConfig

from .conftest import sulfonamides

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "add_a_model.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python(?: file=(?P<file>\S+))?\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
ATOM_DIM, BOND_DIM = 5, 2


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The page's files, in a folder that MOLMED_SHELVES names."""
    written = []
    for block in BLOCK.finditer(PAGE):
        if block["file"]:
            path = tmp_path / block["file"]
            path.parent.mkdir(exist_ok=True)
            path.write_text(block["code"], encoding="utf-8")
            written.append(path)
    assert tmp_path / "encoders" / "atom_mean.py" in written
    monkeypatch.setenv("MOLMED_SHELVES", str(tmp_path))
    yield tmp_path
    added = {path.stem for path in written}
    for name in [n for n in sys.modules if n.startswith("molmed.") and n.rsplit(".", 1)[1] in added]:
        del sys.modules[name]


def molecules() -> Packed:
    """Three molecules of 2, 1 and 0 atoms, one bond."""
    rng = np.random.default_rng(0)
    return Packed(
        "graph",
        {
            "atom_features": rng.normal(size=(3, ATOM_DIM)).astype(np.float32),
            "bond_features": rng.normal(size=(2, BOND_DIM)).astype(np.float32),
            "source": np.array([0, 1], dtype=np.int32),
            "target": np.array([1, 0], dtype=np.int32),
            "reverse": np.array([1, 0], dtype=np.int32),
        },
        {"atoms": np.array([0, 2, 3, 3]), "bonds": np.array([0, 2, 2, 2])},
        3,
    )


def test_the_model_is_listed_with_its_description(shelves: Path) -> None:
    described = {e.name: e.description for e in catalog.entries("encoders")}
    assert described["atom_mean"].startswith("Mean of the atoms")


def test_the_model_encodes_each_molecule_on_its_own(shelves: Path) -> None:
    entry = catalog.load("encoders", "atom_mean")
    torch.manual_seed(0)
    encoder = entry(entry.Config(), {"atom_dim": ATOM_DIM, "bond_dim": BOND_DIM}).eval()
    tunable.check(encoder.config)
    packed = molecules()
    together = encoder(Items.of(packed))
    assert together.pooled.shape == (3, encoder.out_dim)
    assert together.states.shape[0] == 3
    assert torch.isfinite(together.pooled).all()
    for i in range(3):
        alone = encoder(Items.of(packed.take([i]))).pooled[0]
        torch.testing.assert_close(alone, together.pooled[i])
    assert (together.pooled[0] - together.pooled[1]).abs().max() > 1e-3


def test_the_models_gradients_reach_every_parameter(shelves: Path) -> None:
    entry = catalog.load("encoders", "atom_mean")
    encoder = entry(entry.Config(), {"atom_dim": ATOM_DIM, "bond_dim": BOND_DIM})
    encoder(Items.of(molecules())).pooled.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in encoder.parameters())


def test_the_python_of_the_page_runs(shelves: Path) -> None:
    snippets = [block["code"] for block in BLOCK.finditer(PAGE) if not block["file"]]
    assert snippets
    for snippet in snippets:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", snippet],
            env={**os.environ, "MOLMED_SHELVES": str(shelves)},
            cwd=shelves,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{snippet}\n{done.stderr}"


@pytest.mark.slow
def test_one_file_makes_a_model_that_trains_predicts_and_is_stored(shelves: Path) -> None:
    """The new encoder through the whole path, by its name: fit, save, load, predict."""
    config = Config(model=ModelConfig("atom_mean", encoder={"width": 16}), train=TrainConfig(epochs=2, threads=1))
    run = fit(sulfonamides(40), targets="pAct", config=config)
    restored = load(run.save(shelves / "mine.molmed"))
    pd.testing.assert_frame_equal(restored.predict(["CCO", "x"]), run.predict(["CCO", "x"]), check_exact=True)


def test_without_its_file_the_stored_model_is_refused_with_a_remedy(
    shelves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(model=ModelConfig("atom_mean", encoder={"width": 16}), train=TrainConfig(epochs=1, threads=1))
    stored = fit(sulfonamides(30), targets="pAct", config=config).save(shelves / "mine.molmed")
    monkeypatch.delenv("MOLMED_SHELVES")
    with pytest.raises(ArtefactError, match=r"'atom_mean'.*MOLMED_SHELVES"):
        load(stored)


def test_one_file_makes_a_task(shelves: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = sulfonamides(40).assign(p_np=lambda t: (t.pAct > t.pAct.median()).astype(int)).drop(columns="pAct")
    table.to_csv(shelves / "bbb.csv", index=False)
    words = ["--target", "p_np", "--model", "random_forest", "--tree.n-trees", "10", "--tree.jobs", "1"]
    out = shelves / "bbb.molmed"
    assert main(["train", str(shelves / "bbb.csv"), "--task", "blood_brain_barrier", *words, "--out", str(out)]) == 0
    assert load(out).task.must_not == "statements on the safety or efficacy of a drug"
    assert main(["catalog", "tasks"]) == 0
    assert "blood_brain_barrier" in capsys.readouterr().out


@pytest.mark.slow
def test_the_contract_tests_find_the_new_files(shelves: Path) -> None:
    """The command of the page, for the model and the task."""
    for file, name in (("test_encoders.py", "atom_mean"), ("test_tasks.py", "blood_brain_barrier")):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", ROOT / "tests" / "contracts" / file, "-q", "-k", name, "-p", "no:xdist"],
            env={**os.environ, "MOLMED_SHELVES": str(shelves)},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "passed" in done.stdout
