"""A run that was stopped, or killed, and goes on ends with the same bits as one that never was.

On the CPU with one thread. Dropout, shuffling and randomised SMILES are on, early stopping too.
"""

import csv
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from molmed.errors import ArtefactError
from molmed.train import checkpoint
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.loop import epochs, fit
from molmed.train.observers import CSVLog, Observer

# One run, for this process and for others: `python run.py FOLDER` trains to the end, going on from what FOLDER
# holds; with a third argument "E:B" it reports and then waits for ever after batch B of epoch E.
SCRIPT = '''
import sys
from pathlib import Path

import numpy as np

from molmed import catalog
from molmed.chem import read
from molmed.nn.feed import Feed, Rows, SlotRows
from molmed.nn.learner import SupervisedLearner
from molmed.nn.join import JoinConfig
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Slot, Target
from molmed.train.config import TrainConfig
from molmed.train.loop import fit
from molmed.train.observers import CSVLog, Observer
from molmed.train.seed import seed_all

CONFIG = TrainConfig(epochs=6, lr=3e-3, patience=4, accumulate=2, seed=5, device="cpu", threads=1)
SMILES = ["CCO", "CC(=O)O", "c1ccccc1O", "CCN(CC)CC", "CC(C)C(=O)N", "c1ccncc1C", "OCC(O)CO", "CCCCBr", "CC#N",
          "O=C1CCCCC1", "c1ccsc1C=O", "NCC(=O)O", "CC(N)C(=O)O", "C1CCOC1", "FC(F)F", "CCSCC"]


def feed(numbers, seed):
    featurizer = catalog.load("features", "tokens")
    featurizer = featurizer(featurizer.Config(randomise=True))
    items = [read(SMILES[i]) for i in numbers]
    state = featurizer.fit([read(s) for s in SMILES])
    drawn = lambda rng: featurizer.featurize(items, state, rng)
    slot = SlotRows("one", featurizer.featurize(items, state), redraw=drawn)
    y = np.array([[len(SMILES[i]) / 8 - 1, SMILES[i].count("C") - 3.0] for i in numbers])
    y[::3, 1] = np.nan
    return Feed(Rows({"molecule": slot}, len(items), target=y), batch_size=3, shuffle=seed >= 0, seed=max(seed, 0))


def learner():
    gru = catalog.load("encoders", "gru")
    targets = (Target("length"), Target("carbons", weight=0.5))
    head = catalog.load("heads", "regression")
    seed_all(5)
    encoder = gru(gru.Config(width=16, layers=2, embedding=8, dropout=0.3), {"n_tokens": 60})
    plan = TaskPlan((Slot("molecule"),), {"molecule": "smiles"}, targets, (head, head))
    return SupervisedLearner(Model({"smiles": encoder}, {"task": plan}, JoinConfig(width=16, dropout=0.2)))


def feeds():
    return feed(range(12), 7), feed(range(12, 16), -1)


class Waiting(Observer):
    """Stands still in the middle of an epoch until it is killed."""

    def __init__(self, epoch, batch):
        self.at, self.epoch = (epoch, batch), 0

    def on_batch(self, batch, loss):
        if (self.epoch, batch) == self.at:
            print("waiting", flush=True)
            sys.stdin.read()

    def on_epoch(self, epoch):
        self.epoch = epoch.epoch + 1


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    observers = [CSVLog(folder / "history.csv")]
    if len(sys.argv) > 2:
        observers.append(Waiting(*map(int, sys.argv[2].split(":"))))
    fit(learner(), *feeds(), CONFIG, observers=observers, folder=folder, resume=True)
'''

RUN: dict[str, Any] = {"__name__": "run"}
exec(compile(SCRIPT, "run.py", "exec"), RUN)
CONFIG: TrainConfig = RUN["CONFIG"]


def train(folder: Path, config: TrainConfig = CONFIG, **changes: Any) -> tuple[Any, History]:
    learner = RUN["learner"]()
    history = fit(learner, *RUN["feeds"](), config, folder=folder, **{"resume": True, **changes})
    return learner, history


def timeless(history: History) -> list[dict[str, Any]]:
    return [{**row, "seconds": None} for row in history.rows()]


def assert_same_end(folder: Path, other: Path) -> None:
    """Weights, optimiser state, best weights, step and history (less the seconds) are equal bit for bit."""
    one, two = (checkpoint.read(f / "last.safetensors") for f in (folder, other))
    for part in ("module", "optimiser", "best", "learner"):
        left, right = getattr(one, part), getattr(two, part)
        assert left.keys() == right.keys()
        for name in left:
            assert torch.equal(left[name], right[name]), f"{part} {name}"
    assert one.step == two.step
    assert timeless(History(one.epochs)) == timeless(History(two.epochs))


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any, History]:
    folder = tmp_path_factory.mktemp("uninterrupted")
    return folder, *train(folder)


def test_the_run_has_what_makes_resuming_hard(uninterrupted: tuple[Path, Any, History]) -> None:
    _, learner, history = uninterrupted
    assert len(history.epochs) == CONFIG.epochs
    training, _ = RUN["feeds"]()
    first, second = (next(training.batches(epoch)) for epoch in (0, 1))
    assert first.rows.tolist() != second.rows.tolist()
    again = next(training.batches(0))
    ids = [b.slots["molecule"].items.fields["ids"] for b in (first, again)]
    assert torch.equal(*ids)
    unshuffled = training.rows.batch(first.rows.numpy()).slots["molecule"].items.fields["ids"]
    assert ids[0].tolist() != unshuffled.tolist(), "the SMILES are drawn anew"
    learner.module.train()
    assert not torch.equal(*(learner.module(first)[0] for _ in range(2))), "dropout is on"
    learner.module.eval()


@pytest.mark.parametrize("stop", [1, 3, 5])
def test_a_run_stopped_after_k_epochs_goes_on_to_the_same_end(
    uninterrupted: tuple[Path, Any, History], stop: int, tmp_path: Path
) -> None:
    folder, whole, history = uninterrupted
    running = epochs(RUN["learner"](), *RUN["feeds"](), CONFIG, folder=tmp_path)
    for _ in range(stop):
        next(running)
    running.close()
    torch.rand(100)  # whatever happens in between
    learner, resumed = train(tmp_path)
    assert_same_end(tmp_path, folder)
    assert timeless(resumed) == timeless(history)
    for (name, got), expected in zip(
        learner.module.state_dict().items(), whole.module.state_dict().values(), strict=True
    ):
        assert torch.equal(got, expected), name


def test_a_process_killed_within_an_epoch_goes_on_to_the_same_end(
    uninterrupted: tuple[Path, Any, History], tmp_path: Path
) -> None:
    folder, _, history = uninterrupted
    script, here = tmp_path / "run.py", tmp_path / "folder"
    script.write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-W", "error", str(script), str(here)]
    child = subprocess.Popen(
        [*command, "3:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"  # three epochs are done, the fourth has made a step
    finally:
        child.kill()
        _, said = child.communicate(timeout=60)
    assert child.returncode == -9, said
    assert len(checkpoint.read(here / "last.safetensors").epochs) == 3
    (here / ".last.safetensors.part").write_bytes(b"as if it had been killed while writing")

    again = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert_same_end(here, folder)
    with (here / "history.csv").open(newline="", encoding="utf-8") as file:
        logged = [{**row, "seconds": ""} for row in csv.DictReader(file)]
    expected = [{**{k: str(v) for k, v in row.items()}, "seconds": ""} for row in timeless(history)]
    assert logged == expected


def test_a_finished_run_has_nothing_left_to_do(uninterrupted: tuple[Path, Any, History]) -> None:
    folder, whole, history = uninterrupted
    before = (folder / "last.safetensors").read_bytes()
    learner = RUN["learner"]()
    assert list(epochs(learner, *RUN["feeds"](), CONFIG, folder=folder, resume=True)) == []
    assert all(torch.equal(a, b) for a, b in zip(learner.module.parameters(), whole.module.parameters(), strict=True))
    assert train(folder)[1] == history
    assert (folder / "last.safetensors").read_bytes() == before


def test_a_run_that_had_stopped_early_does_not_go_on(tmp_path: Path) -> None:
    config = replace(CONFIG, lr=0.1, patience=1, epochs=50)  # so fast that it soon gets worse
    _, history = train(tmp_path, config)
    assert len(history.epochs) < 50
    assert train(tmp_path, config)[1] == history


def test_without_resume_a_run_starts_anew(uninterrupted: tuple[Path, Any, History], tmp_path: Path) -> None:
    (tmp_path / "last.safetensors").write_bytes((uninterrupted[0] / "last.safetensors").read_bytes())
    done = list(epochs(RUN["learner"](), *RUN["feeds"](), replace(CONFIG, epochs=1), folder=tmp_path))
    assert [e.epoch for e in done] == [0]


class Told(Observer):
    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []

    def on_resume(self, epochs: Any) -> None:
        self.told.append(("resume", len(epochs)))

    def on_start(self, epochs: int, batches: int) -> None:
        self.told.append(("start", epochs))


def test_observers_are_told_what_the_run_has_behind_it(tmp_path: Path) -> None:
    running = epochs(RUN["learner"](), *RUN["feeds"](), CONFIG, folder=tmp_path)
    next(running)
    next(running)
    running.close()
    told = Told()
    train(tmp_path, observers=(told, CSVLog(tmp_path / "history.csv")))
    assert told.told == [("resume", 2), ("start", 4)]
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 7


def test_other_settings_networks_rows_and_damage_are_refused(
    uninterrupted: tuple[Path, Any, History], tmp_path: Path
) -> None:
    last = tmp_path / "last.safetensors"
    whole = (uninterrupted[0] / "last.safetensors").read_bytes()
    last.write_bytes(whole)
    with pytest.raises(ArtefactError, match=r"lr = 0.003, asked 0.01.*another folder"):
        train(tmp_path, replace(CONFIG, lr=0.01))
    training, valid = RUN["feeds"]()
    with pytest.raises(ArtefactError, match="2 optimiser steps an epoch, asked 1"):
        fit(RUN["learner"](), replace(training, batch_size=6), valid, CONFIG, folder=tmp_path, resume=True)
    other = RUN["learner"]()
    other.module.tasks["task"].out = torch.nn.Linear(16, 3)
    with pytest.raises(ArtefactError, match=r"tasks.task.out.bias.*the same network"):
        fit(other, training, valid, CONFIG, folder=tmp_path, resume=True)
    assert last.read_bytes() == whole
    last.write_bytes(whole[:-100])
    with pytest.raises(ArtefactError, match="damaged"):
        train(tmp_path)
    assert asdict(CONFIG) == checkpoint.read(uninterrupted[0] / "last.safetensors").config
