"""torch.compile and CUDA graphs are options: a run with them is the run without, or a sentence says why not."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molmed.errors import ConfigError
from molmed.nn.feed import Feed
from molmed.train.compiled import missing_compiler, translated
from molmed.train.loop import fit

# Every other test's functions have their annotations checked when they are called, which torch.compile cannot
# translate: runs that are to be translated take place in a process of their own, and this is what it runs.
SCRIPT = '''
import json, sys
from dataclasses import replace

import numpy as np

from molmed import catalog
from molmed.chem import read
from molmed.nn.feed import Feed, Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner, predict_rows
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Slot, Target
from molmed.train.config import TrainConfig
from molmed.train.loop import fit
from molmed.train.seed import seed_all

CONFIG = TrainConfig(epochs=3, lr=1e-3, warmup_epochs=0.0, device="cpu", threads=1)
SMILES = "CCO CC(=O)O c1ccccc1O CCN(CC)CC C1CCOC1 CC#N OCC(O)CO CCCCBr c1ccsc1C=O FC(F)F".split()


def rows():
    """Graphs of 3 to 8 atoms, so that no two batches have the same sizes."""
    molecules = [read(s) for s in SMILES]
    graph = catalog.load("features", "graph")()
    y = np.asarray([[len(s) / 5 - 1.0] for s in SMILES])
    y[2] = np.nan
    return Rows({"molecule": SlotRows("one", graph.featurize(molecules, {}))}, len(molecules), target=y)


def learner():
    graph, dmpnn = catalog.load("features", "graph")(), catalog.load("encoders", "dmpnn")
    heads = (catalog.load("heads", "regression"),)
    plan = TaskPlan((Slot("molecule"),), {"molecule": "graphs"}, (Target("y"),), heads)
    seed_all(1)
    encoder = dmpnn(dmpnn.Config(width=16, depth=3), graph.dims({}))
    return SupervisedLearner(Model({"graphs": encoder}, {"task": plan}, JoinConfig(width=16)))


def ran(batch_size, **changes):
    """Losses, weights and predictions of a run."""
    made = learner()
    history = fit(made, Feed(rows(), batch_size), None, replace(CONFIG, **changes))
    weights = [t.flatten().tolist() for t in made.module.state_dict().values()]
    return {"loss": [e.train_loss for e in history.epochs], "weights": sum(weights, []),
            "predicted": predict_rows(made, rows()).ravel().tolist()}


if __name__ == "__main__":
    device, batch_size, graphs = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "graphs"
    eager = ran(batch_size, device=device)
    from torch._dynamo.utils import counters
    assert not counters["stats"]
    translated = ran(batch_size, device=device, compile=True, cuda_graphs=graphs)
    print(json.dumps({"eager": eager, "translated": translated, "graphs": counters["stats"]["unique_graphs"]}))
'''
RUN: dict[str, Any] = {"__name__": "run"}
exec(compile(SCRIPT, "run.py", "exec"), RUN)
CONFIG, rows, learner = RUN["CONFIG"], RUN["rows"], RUN["learner"]


def both(device: str, batch_size: int, graphs: str, folder: Path) -> dict[str, Any]:
    """A run as it is and one translated, in a process of their own."""
    if missing := missing_compiler(device):
        pytest.skip(f"torch.compile needs {missing}")
    script = folder / "run.py"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, str(script), device, str(batch_size), graphs]
    environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def assert_close(found: dict[str, Any], tolerance: float) -> None:
    assert found["graphs"] > 0, "nothing was translated"
    assert found["eager"]["loss"][-1] < found["eager"]["loss"][0]
    for part, expected in found["eager"].items():
        np.testing.assert_allclose(found["translated"][part], expected, rtol=0, atol=tolerance, err_msg=part)


@pytest.mark.slow
def test_a_translated_run_equals_an_eager_one(device: str, tmp_path: Path) -> None:
    """Three epochs of three batches; only the order of float32 sums differs."""
    assert_close(both(device, 4, "", tmp_path), 1e-5 if device == "cpu" else 1e-4)


@pytest.mark.slow
def test_a_recorded_run_equals_an_eager_one(device: str, tmp_path: Path) -> None:
    if device == "cpu":
        pytest.skip("CUDA graphs are CUDA's")
    assert_close(both(device, 10, "graphs", tmp_path), 1e-4)  # all rows at once: one size of batch


def test_without_a_compiler_the_run_goes_on_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "")
    assert "C++ compiler" in missing_compiler("cpu")
    plain, other = learner(), learner()
    fit(plain, Feed(rows(), 4), None, CONFIG)
    with pytest.warns(UserWarning, match=r"train.compile: a C\+\+ compiler \(g\+\+, clang\+\+, cl\) is not installed"):
        fit(other, Feed(rows(), 4), None, replace(CONFIG, compile=True))
    for a, b in zip(plain.module.parameters(), other.module.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_compiler_named_by_cxx_is_the_one_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert missing_compiler("cpu") == "a C++ compiler (no-such-compiler)"


def test_without_the_option_nothing_is_translated() -> None:
    def function() -> int:
        return 1

    assert translated(function, CONFIG, "cpu") is function


@pytest.mark.parametrize("compile_", [True, False])
def test_cuda_graphs_without_cuda_are_refused_in_one_sentence(compile_: bool) -> None:
    config = replace(CONFIG, cuda_graphs=True, compile=compile_)
    with pytest.raises(ConfigError) as error:
        fit(learner(), Feed(rows(), 4), None, config)
    said = str(error.value)
    assert "train.cuda_graphs" in said
    assert f"compile = {str(compile_).lower()} on the device 'cpu'" in said
    assert "leave cuda_graphs out" in said
    assert "\n" not in said
