"""Several processes train as one does. All of them are real; this one is rank 0."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molmed import catalog
from molmed.errors import ConfigError, MolmedError
from molmed.features import Packed
from molmed.nn.feed import Feed, MixedFeed, Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner
from molmed.nn.model import Model, TaskPlan
from molmed.results import Epoch
from molmed.targets import Slot, Target
from molmed.train import checkpoint
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.loop import epochs, fit
from molmed.train.observers import Observer
from molmed.train.seed import seed_all

CONFIG = TrainConfig(epochs=3, lr=1e-3, warmup_epochs=0.0, clip_norm=0.5, weight_decay=0.01, device="cpu", threads=1)


def tokens(n: int, seed: int) -> Packed:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(3, 12, n)
    ids = rng.integers(1, 20, int(sizes.sum())).astype(np.int32)
    return Packed("tokens", {"ids": ids}, {"tokens": np.cumsum([0, *sizes])}, n)


def rows(n: int, task: str, targets: int, seed: int, classes: bool = False) -> Rows:
    """Labels missing and weights uneven: rows 0 to 6 know nothing, every fifth row counts 30 times."""
    rng = np.random.default_rng(seed)
    pack = tokens(n, seed)
    y = rng.normal(size=(n, targets)) + pack.sizes()[:, None] / 5
    y = (y > np.median(y)) * 1.0 if classes else y
    y[rng.random(y.shape) < 0.3] = np.nan
    y[:7] = np.nan
    weight = np.where(np.arange(n)[:, None] % 5 == 0, 3.0, 0.1) * np.ones((1, targets))
    return Rows({"molecule": SlotRows("one", pack)}, n, target=y, weight=weight, task=task)


def learner() -> SupervisedLearner:
    """Two tasks with heads of their own on one encoder: no step has a gradient for all parameters."""
    seed_all(5)
    gru = catalog.load("encoders", "gru")
    encoder = gru(gru.Config(width=16, layers=1, embedding=8), {"n_tokens": 20})
    slots, reads = (Slot("molecule"),), {"molecule": "smiles"}
    regression, binary = catalog.load("heads", "regression"), catalog.load("heads", "binary")
    plans = {
        "numbers": TaskPlan(slots, reads, (Target("a"), Target("b", weight=0.5)), (regression, regression)),
        "classes": TaskPlan(slots, reads, (Target("c", kind="binary"),), (binary,)),
    }
    return SupervisedLearner(Model({"smiles": encoder}, plans, JoinConfig(width=16)))


def training() -> MixedFeed:
    """31 rows in batches of 10, so the last has one and all processes but one have no row of it; and 17 of 4."""
    return MixedFeed(
        [
            Feed(rows(31, "numbers", 2, 0), batch_size=10, seed=3),
            Feed(rows(17, "classes", 1, 1, classes=True), batch_size=4, seed=4, window=2),
        ],
        seed=2,
    )


def validation() -> MixedFeed:
    return MixedFeed(
        [
            Feed(rows(20, "numbers", 2, 7), batch_size=9, shuffle=False),
            Feed(rows(20, "classes", 1, 8, classes=True), batch_size=9, shuffle=False),
        ]
    )


@dataclass
class Trained:
    learner: SupervisedLearner
    history: History


def trained(config: TrainConfig, folder: Path | None = None, **options: Any) -> Trained:
    made = learner()
    return Trained(made, fit(made, training(), validation(), config, folder=folder, **options))


def same(one: Trained, other: Trained, tolerance: float) -> None:
    """Weights and history (less the seconds) differ by no more than the tolerance."""
    torch.testing.assert_close(
        other.learner.module.state_dict(), one.learner.module.state_dict(), rtol=0, atol=tolerance
    )
    assert len(one.history.epochs) == len(other.history.epochs)
    for left, right in zip(one.history.epochs, other.history.epochs, strict=True):
        assert right.train_loss == pytest.approx(left.train_loss, rel=tolerance, abs=0)
        assert right.scores == pytest.approx(left.scores, rel=10 * tolerance, abs=0)
        assert (right.epoch, right.lr, right.best) == (left.epoch, left.lr, left.best)


def test_the_rows_have_what_makes_sharing_hard() -> None:
    """A part without rows, parts without a known label, and a mean of the parts' means that is not the mean."""
    parts = [list(training().part(rank, 2).batches(0)) for rank in range(2)]
    assert len(parts[0]) == len(parts[1]) == len(training()) == 9
    known = [[float((b.weight * ~b.target.isnan()).sum()) for b in part] for part in parts]
    assert any(len(b) == 0 for b in parts[1])
    assert any(left > 0 and right == 0 for left, right in zip(*known, strict=True))
    assert max(left / right for left, right in zip(*known, strict=True) if right) > 5


@pytest.mark.parametrize("n", [2, 3])
def test_the_parts_of_a_batch_are_the_batch(n: int) -> None:
    parts = [training().part(rank, n) for rank in range(n)]
    for whole, *shares in zip(training().batches(1), *(p.batches(1) for p in parts), strict=True):
        assert {share.task for share in shares} == {whole.task}
        assert sorted(row for share in shares for row in share.rows.tolist()) == sorted(whole.rows.tolist())
        for rank, share in enumerate(shares):
            assert share.rows.tolist() == whole.rows.tolist()[rank::n]
            torch.testing.assert_close(share.target, whole.target[rank::n], equal_nan=True)


@pytest.mark.parametrize(("devices", "accumulate"), [(2, 1), (3, 4)])
def test_processes_train_as_one(devices: int, accumulate: int) -> None:
    """Two tasks, one of which each step leaves aside; 27 steps, or 9 of up to four batches."""
    config = replace(CONFIG, accumulate=accumulate)
    alone = trained(config)
    assert len({e.train_loss for e in alone.history.epochs}) == 3
    together = trained(replace(config, devices=devices, threads=devices))
    same(alone, together, 1e-6)


class Diary(Observer):
    def __init__(self) -> None:
        self.events: list[str] = []

    def on_batch(self, batch: int, loss: float) -> None:
        self.events.append(f"batch {batch} {loss:.4f}")

    def on_epoch(self, epoch: Epoch) -> None:
        self.events.append(f"epoch {epoch.epoch}")

    def on_end(self) -> None:
        self.events.append("end")


def test_a_resumed_run_of_two_processes_equals_an_uninterrupted_one(tmp_path: Path) -> None:
    """Bit for bit, with dropout; its processes are gone when the caller stops it, and rank 0 alone has written."""
    config = replace(CONFIG, devices=2, threads=2)
    diary = Diary()

    def made() -> SupervisedLearner:
        fresh = learner()
        for layer in fresh.module.modules():
            if isinstance(layer, torch.nn.Dropout):
                layer.p = 0.3
        return fresh

    whole = made()
    history = fit(whole, training(), validation(), config, folder=tmp_path / "whole", observers=(diary,))
    before = children()
    running = epochs(made(), training(), validation(), config, folder=tmp_path / "cut")
    next(running)
    assert len(children() - before) == 1
    running.close()
    assert children() == before
    assert [p.name for p in (tmp_path / "cut").iterdir()] == ["last.safetensors"]
    resumed = fit(made(), training(), validation(), config, folder=tmp_path / "cut", resume=True)
    assert [e.train_loss for e in resumed.epochs] == [e.train_loss for e in history.epochs]
    one, two = (checkpoint.read(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    for part in ("module", "optimiser", "best"):
        left, right = getattr(one, part), getattr(two, part)
        assert left.keys() == right.keys()
        assert all(torch.equal(left[name], right[name]) for name in left), part
    assert [e for e in diary.events if not e.startswith("batch")] == ["epoch 0", "epoch 1", "epoch 2", "end"]
    assert sum(e.startswith("batch") for e in diary.events) == 3 * 9


def children() -> set[int]:
    """Process ids of this process's living children; other tests' pools may be among them."""
    path = Path(f"/proc/self/task/{os.getpid()}/children")
    if not path.is_file():
        pytest.skip("no /proc to see processes in")
    return {int(word) for word in path.read_text(encoding="ascii").split()}


# Learners that break in the process of rank 1 only, in the second batch of the second epoch.
BREAKING = """
import os, signal, sys
import torch
from molmed.nn.learner import SupervisedLearner


class Breaking(SupervisedLearner):
    calls = 0

    def loss(self, batch):
        self.calls += 1
        if torch.distributed.get_rank() == 1 and self.calls == 11:
            self.breaks()
        return super().loss(batch)


class Killed(Breaking):
    def breaks(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Failing(Breaking):
    def breaks(self):
        raise ValueError("the disk of rank 1 is on fire")


class Standing(Breaking):
    def breaks(self):
        os.kill(os.getpid(), signal.SIGSTOP)


class Unreadable:
    def __reduce__(self):
        return sys.intern, (7,)
"""


@pytest.fixture
def breaking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], SupervisedLearner]]:
    """Learners of a module that the other processes can import as well."""
    (tmp_path / "breaking.py").write_text(BREAKING, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    import breaking as module  # type: ignore[import-not-found]

    def make(name: str) -> SupervisedLearner:
        made: SupervisedLearner = getattr(module, name)(learner().model)
        return made

    yield make
    del sys.modules["breaking"]


@pytest.mark.parametrize(
    ("name", "timeout", "message"),
    [
        ("Killed", 60.0, r"2 processes: number 1 was ended by SIGKILL"),
        ("Failing", 60.0, r"number 1 ended with exit code 1 \(ValueError: the disk of rank 1 is on fire\)"),
        ("Standing", 8.0, r"one of them lives and has not answered for 8 s.*train\.timeout"),
    ],
)
def test_a_run_whose_other_process_breaks_ends_with_a_sentence(
    breaking: Callable[[str], SupervisedLearner], tmp_path: Path, name: str, timeout: float, message: str
) -> None:
    config, diary, before = replace(CONFIG, devices=2, threads=2, timeout=timeout), Diary(), children()
    with pytest.raises(MolmedError, match=message):
        fit(breaking(name), training(), None, config, folder=tmp_path / "run", observers=(diary,))
    assert diary.events[-1] == "end"
    assert len(checkpoint.read(tmp_path / "run" / "last.safetensors").epochs) == 1
    assert children() == before
    assert not torch.distributed.is_initialized()


def test_what_another_process_cannot_be_sent_or_read_is_refused(
    breaking: Callable[[str], SupervisedLearner],
) -> None:
    config, before = replace(CONFIG, devices=2, threads=2), children()
    one, two = training().feeds
    slot = replace(one.rows.slots["molecule"], redraw=lambda rng: tokens(31, 0))
    unsendable = MixedFeed([replace(one, rows=replace(one.rows, slots={"molecule": slot})), two])
    with pytest.raises(ConfigError, match=r"devices = 2: found something that cannot be sent.*lambda.*importable"):
        fit(learner(), unsendable, None, config)
    unreadable = learner()
    unreadable.extra = sys.modules["breaking"].Unreadable()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match=r"devices = 2: found something that another process cannot read \(intern"):
        fit(unreadable, training(), None, config)
    assert children() == before


def test_an_error_of_every_process_is_told_as_in_one() -> None:
    """Rank 0's own sentence, not that of a broken connection."""
    feed, before = training(), children()
    (first, second) = feed.feeds
    first.rows.target[20, 0] = 1e30  # its square is no float32
    with pytest.raises(MolmedError, match=r"The loss became inf in epoch 0.*lower lr"):
        fit(learner(), MixedFeed([first, second]), None, replace(CONFIG, devices=2, threads=2))
    assert children() == before


@pytest.mark.parametrize(("size", "accumulate"), [(6, 5), (4, 8)])
def test_accumulated_batches_are_one_large_batch_of_a_network(size: int, accumulate: int) -> None:
    """30 rows as 5 x 6, or as 7 x 4 and 2, and at once; some batches know no label; 6 steps."""
    rows_ = rows(30, "numbers", 2, 0)
    feed = Feed(rows_, batch_size=30, seed=3)
    apart = replace(feed, batch_size=size)
    known = [float((b.weight * ~b.target.isnan()).sum()) for b in apart.batches(0)]
    assert max(known) > 2 * min(known), "a mean of batch means must differ"
    config = replace(CONFIG, epochs=6)
    large, small = learner(), learner()
    one = fit(large, feed, None, config)
    many = fit(small, apart, None, replace(config, accumulate=accumulate))
    same(Trained(large, one), Trained(small, many), 1e-6)
