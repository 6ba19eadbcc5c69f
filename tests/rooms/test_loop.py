"""The loop on a learner of its own: what a step does, when a run stops, what it leaves behind."""

import math
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molmed.errors import InputError, MolmedError
from molmed.results import Epoch
from molmed.train import checkpoint
from molmed.train.config import TrainConfig
from molmed.train.learner import Feed, Learner
from molmed.train.loop import epochs, fit
from molmed.train.observers import Observer
from molmed.train.schedule import lr_factor
from molmed.train.seed import seed_all, seeded

PLAIN = TrainConfig(epochs=3, lr=0.01, warmup_epochs=0.0, schedule="constant", clip_norm=0.0, device="cpu")


@dataclass(frozen=True)
class Numbers:
    """A batch: x (B, 4), y (B, 1) with nan where unknown, weight (B, 1)."""

    x: Tensor
    y: Tensor
    weight: Tensor

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: Any) -> "Numbers":
        return Numbers(self.x.to(device), self.y.to(device), self.weight.to(device))


@dataclass(frozen=True)
class Numerical:
    """A feed of random numbers; `unknown` rows have no label."""

    rows: int = 20
    batch_size: int = 8
    unknown: tuple[int, ...] = ()
    dtype: torch.dtype = torch.float32
    weights: tuple[float, ...] = ()
    shuffle: bool = True
    seed: int = 0
    share: tuple[int, int] = (0, 1)

    def __len__(self) -> int:
        return -(-self.rows // self.batch_size)

    def part(self, rank: int, n: int) -> "Numerical":
        return replace(self, share=(rank, n))

    def all(self) -> Numbers:
        rng = np.random.default_rng(self.seed)
        x = torch.from_numpy(rng.normal(size=(self.rows, 4))).to(self.dtype)
        y = (x @ x.new_tensor([[1.0], [-2.0], [0.5], [0.0]])).tanh()
        y[list(self.unknown)] = math.nan
        weight = torch.ones_like(y)
        if self.weights:
            weight[:, 0] = weight.new_tensor(self.weights)
        return Numbers(x, y, weight)

    def batches(self, epoch: int) -> Iterator[Numbers]:
        every, rng = self.all(), np.random.default_rng([self.seed, epoch])
        order = torch.from_numpy(rng.permutation(self.rows) if self.shuffle else np.arange(self.rows))
        rank, n = self.share
        for rows in (batch[rank::n] for batch in order.split(self.batch_size)):
            yield Numbers(every.x[rows], every.y[rows], every.weight[rows])


class Fitting:
    """A learner: a small network, the mean squared error of known cells, and a number that moves every epoch."""

    def __init__(self, dropout: float = 0.0, dtype: torch.dtype = torch.float32) -> None:
        seed_all(11)
        self.module: nn.Module = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))
        self.module.to(dtype)
        self.moved = torch.zeros((), dtype=torch.int64)

    def loss(self, batch: Numbers) -> tuple[Tensor, Tensor]:
        known = ~torch.isnan(batch.y)
        error = torch.where(known, self.module(batch.x) - torch.where(known, batch.y, 0.0), 0.0)
        return (error.square() * batch.weight).sum(), (batch.weight * known).sum()

    def predict(self, batch: Numbers) -> tuple[float, float]:
        total, weight = self.loss(batch)
        return float(total), float(weight)

    def score(self, outputs: Iterable[tuple[float, float]]) -> dict[str, float]:
        totals = np.asarray(list(outputs))
        return {"loss": float(totals[:, 0].sum() / totals[:, 1].sum()), "rows": float(totals[:, 1].sum())}

    def on_epoch_end(self, epoch: int) -> None:
        self.moved = self.moved + epoch + 1

    def state_dict(self) -> dict[str, Tensor]:
        return {"moved": self.moved}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.moved = state["moved"]


class Scripted(Fitting):
    """A learner whose validation scores are written down beforehand, one per epoch."""

    def __init__(self, **scores: tuple[float, ...]) -> None:
        super().__init__()
        self.scores, self.asked = scores, 0

    def score(self, outputs: Iterable[tuple[float, float]]) -> dict[str, float]:
        list(outputs)
        self.asked += 1
        return {name: values[self.asked - 1] for name, values in self.scores.items()}


@dataclass
class Diary(Observer):
    """Writes down what it is told."""

    events: list[str] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def on_resume(self, epochs: Any) -> None:
        self.events.append(f"resume after {len(epochs)}")

    def on_start(self, epochs: int, batches: int) -> None:
        self.events.append(f"start {epochs}x{batches}")

    def on_batch(self, batch: int, loss: float) -> None:
        self.events.append(f"batch {batch}")
        self.losses.append(loss)

    def on_epoch(self, epoch: Epoch) -> None:
        self.events.append(f"epoch {epoch.epoch}")

    def on_end(self) -> None:
        self.events.append("end")


def weights(learner: Fitting) -> dict[str, Tensor]:
    return checkpoint.weights(learner.module)


def same(left: dict[str, Tensor], right: dict[str, Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_the_protocols_fit() -> None:
    assert isinstance(Fitting(), Learner)
    assert isinstance(Numerical(), Feed)


def test_training_is_a_plain_torch_loop(device: str) -> None:
    """Against AdamW, clipping and the schedule written out, to float64 rounding."""
    config = replace(PLAIN, epochs=4, weight_decay=0.1, clip_norm=0.05, warmup_epochs=1.0, schedule="cosine")
    config = replace(config, device=device)
    feed, learner, plain = (
        Numerical(dtype=torch.float64, unknown=(3, 4)),
        Fitting(dtype=torch.float64),
        Fitting(dtype=torch.float64),
    )
    history = fit(learner, feed, None, config)
    optimiser = torch.optim.AdamW(plain.module.parameters(), lr=config.lr, weight_decay=0.1)
    step = 0
    for epoch in range(config.epochs):
        total, known = 0.0, 0.0
        for batch in feed.batches(epoch):
            optimiser.param_groups[0]["lr"] = config.lr * lr_factor(step, len(feed), config)
            optimiser.zero_grad()
            loss, weight = plain.loss(batch)
            (loss / weight).backward()
            torch.nn.utils.clip_grad_norm_(plain.module.parameters(), 0.05)
            optimiser.step()
            step += 1
            total, known = total + loss.item(), known + weight.item()
        assert history.epochs[epoch].train_loss == pytest.approx(total / known, rel=1e-12)
        assert history.epochs[epoch].lr == optimiser.param_groups[0]["lr"]
    torch.testing.assert_close(weights(learner), weights(plain), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("limit", [0.0, 1e-3, 1e3])
def test_the_gradient_of_a_step_is_clipped_to_its_norm(limit: float, tmp_path: Path) -> None:
    """AdamW's first moment after one step is a tenth of the gradient it was given."""
    feed, learner = Numerical(batch_size=20), Fitting()
    loss, weight = learner.loss(next(feed.batches(0)))
    gradients = torch.autograd.grad(loss / weight, list(learner.module.parameters()))
    norm = float(torch.cat([g.flatten() for g in gradients]).norm())
    assert 1e-2 < norm < 1e2
    fit(learner, feed, None, replace(PLAIN, epochs=1, clip_norm=limit), folder=tmp_path)
    moments = checkpoint.read(tmp_path / "last.safetensors").optimiser
    given = torch.cat([moments[f"{i}.exp_avg"].flatten() * 10 for i in range(4)])
    assert float(given.norm()) == pytest.approx(min(norm, limit or math.inf), rel=1e-5)
    expected = torch.cat([g.flatten() for g in gradients])
    torch.testing.assert_close(given / given.norm(), expected / norm, rtol=1e-4, atol=1e-5)


def known_weights(dtype: torch.dtype) -> list[float]:
    feed = replace(UNEVEN, batch_size=5, dtype=dtype)
    return [float((b.weight * ~torch.isnan(b.y)).sum()) for b in feed.batches(0)]


UNEVEN = Numerical(rows=24, unknown=(0, 1, 2, 3, 7, 20, 21), weights=tuple(0.1 + 3.0 * (i % 5 == 0) for i in range(24)))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_accumulated_batches_are_one_large_batch(dtype: torch.dtype, tolerance: float, device: str) -> None:
    """24 rows as 5 + 5 + 5 + 5 + 4 and at once, labels missing and weights uneven; 12 steps."""
    assert max(known_weights(dtype)) > 2 * min(known_weights(dtype)), "a mean of batch means must differ"
    config = replace(PLAIN, epochs=12, clip_norm=0.5, device=device)
    large, small = Fitting(dtype=dtype), Fitting(dtype=dtype)
    one = fit(large, replace(UNEVEN, batch_size=24, dtype=dtype), None, config)
    many = fit(small, replace(UNEVEN, batch_size=5, dtype=dtype), None, replace(config, accumulate=5))
    torch.testing.assert_close(weights(small), weights(large), rtol=0, atol=tolerance)
    for got, expected in zip(many.epochs, one.epochs, strict=True):
        assert got.train_loss == pytest.approx(expected.train_loss, rel=10 * tolerance)
        assert got.lr == expected.lr


def test_a_group_that_is_not_full_still_makes_a_step(tmp_path: Path) -> None:
    fit(Fitting(), Numerical(rows=20, batch_size=4), None, replace(PLAIN, epochs=2, accumulate=3), folder=tmp_path)
    saved = checkpoint.read(tmp_path / "last.safetensors")
    assert (saved.steps_per_epoch, saved.step) == (2, 4)


def test_a_batch_without_a_known_label_moves_nothing() -> None:
    all_unknown_first = Numerical(rows=12, batch_size=4, unknown=(0, 1, 2, 3), shuffle=False)
    learner = Fitting()
    before = weights(learner)
    diary = Diary()

    class Watching(Diary):
        def on_batch(self, batch: int, loss: float) -> None:
            super().on_batch(batch, loss)
            assert same(weights(learner), before) == (batch == 0)

    fit(learner, all_unknown_first, None, replace(PLAIN, epochs=1, weight_decay=0.5), observers=(Watching(), diary))
    assert math.isnan(diary.losses[0])
    assert all(math.isfinite(loss) for loss in diary.losses[1:])


def test_the_history_says_which_epoch_was_best_and_its_weights_are_kept(tmp_path: Path, device: str) -> None:
    learner = Scripted(loss=(1.0, 0.5, 0.6, 0.4, 0.9))
    after: list[dict[str, Tensor]] = []
    records = []
    config = replace(PLAIN, epochs=5, device=device)
    for record in epochs(learner, Numerical(), Numerical(seed=1), config, folder=tmp_path):
        after.append(weights(learner))
        records.append(record)
    assert [r.best for r in records] == [True, True, False, True, False]
    assert same(weights(learner), after[3])
    assert not same(after[3], after[4])
    saved = checkpoint.read(tmp_path / "last.safetensors")
    assert same(saved.best, after[3])
    assert same(saved.module, after[4])
    assert not learner.module.training


def test_without_validation_the_last_epoch_is_kept() -> None:
    learner, after = Fitting(), []
    for record in epochs(learner, Numerical(), None, PLAIN):
        after.append(weights(learner))
        assert record.scores == {}
        assert record.best
    assert same(weights(learner), after[-1])


@pytest.mark.parametrize(("patience", "ran"), [(0, 8), (1, 3), (2, 4), (3, 8)])
def test_a_run_stops_after_patience_epochs_without_a_better_score(patience: int, ran: int) -> None:
    learner = Scripted(loss=(1.0, 0.5, 0.6, 0.7, 0.4, 0.4, 0.5, 0.3))
    history = fit(learner, Numerical(), Numerical(seed=1), replace(PLAIN, epochs=8, patience=patience))
    assert len(history.epochs) == ran
    assert history.best.epoch == {8: 7, 3: 1, 4: 1}[ran]


def test_an_equal_score_is_not_a_better_one() -> None:
    history = fit(Scripted(loss=(0.5,) * 4), Numerical(), Numerical(seed=1), replace(PLAIN, epochs=4, patience=2))
    assert [e.best for e in history.epochs] == [True, False, False]


def test_another_score_may_be_monitored() -> None:
    learner = Scripted(loss=(1.0, 0.9, 0.8), harm=(0.2, 0.1, 0.3))
    history = fit(learner, Numerical(), Numerical(seed=1), replace(PLAIN, monitor="harm"))
    assert history.best.epoch == 1
    assert history.best.scores == {"loss": 0.9, "harm": 0.1}


def test_an_unknown_monitor_is_answered_with_the_scores_there_are() -> None:
    with pytest.raises(InputError, match=r"'rmse'.*loss, rows"):
        fit(Fitting(), Numerical(), Numerical(seed=1), replace(PLAIN, monitor="rmse"))


def test_a_score_that_is_no_number_is_not_taken_for_the_best() -> None:
    with pytest.raises(InputError, match=r"loss = nan in epoch 1"):
        fit(Scripted(loss=(1.0, math.nan)), Numerical(), Numerical(seed=1), PLAIN)


class Breaking(Fitting):
    """Its loss, or only its gradient, breaks in the second epoch's second batch."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how, self.calls = how, 0

    def loss(self, batch: Numbers) -> tuple[Tensor, Tensor]:
        total, weight = super().loss(batch)
        self.calls += 1
        if self.calls < 5:
            return total, weight
        if self.how == "gradient":
            return total + (self.module[0].weight * 0.0).square().sum().sqrt(), weight  # type: ignore[index]
        return total * float(self.how), weight


@pytest.mark.parametrize(
    ("how", "message"),
    [("nan", "loss became nan"), ("inf", "loss became inf"), ("gradient", "gradient's norm became nan")],
)
def test_a_run_that_breaks_says_where_and_what_to_do(how: str, message: str) -> None:
    learner, diary = Breaking(how), Diary()
    with pytest.raises(MolmedError, match=rf"{message} in epoch 1, batch 1.*lr \(now 0.01\)"):
        fit(learner, Numerical(), None, PLAIN, observers=(diary,))
    assert all(torch.isfinite(w).all() for w in weights(learner).values())
    assert diary.events[-1] == "end"


@pytest.mark.parametrize(
    ("train", "valid", "message"),
    [
        (Numerical(rows=0), None, "training: found no batches"),
        (Numerical(), Numerical(rows=0), "validating: found no batches"),
        (Numerical(rows=6, unknown=tuple(range(6))), None, "no known label"),
    ],
)
def test_nothing_to_learn_from_is_refused(train: Numerical, valid: Numerical | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fit(Fitting(), train, valid, PLAIN)


def test_observers_hear_everything_in_order() -> None:
    first, second = Diary(), Diary()
    fit(Fitting(), Numerical(rows=10, batch_size=4), None, replace(PLAIN, epochs=2), observers=(first, second))
    epoch = ["batch 0", "batch 1", "batch 2"]
    assert first.events == ["start 2x3", *epoch, "epoch 0", *epoch, "epoch 1", "end"]
    assert second.events == first.events


def test_observers_hear_every_batch_of_an_accumulated_step() -> None:
    diary = Diary()
    config = replace(PLAIN, epochs=1, accumulate=2)
    fit(Fitting(), Numerical(rows=10, batch_size=4), None, config, observers=(diary,))
    assert diary.events == ["start 1x3", "batch 0", "batch 1", "batch 2", "epoch 0", "end"]
    assert diary.losses[0] == diary.losses[1] != diary.losses[2]


def test_the_caller_may_stop_at_any_epoch(tmp_path: Path) -> None:
    learner, diary = Fitting(), Diary()
    running = epochs(learner, Numerical(), None, PLAIN, observers=(diary,), folder=tmp_path)
    assert next(running).epoch == 0
    assert next(running).epoch == 1
    running.close()
    assert diary.events[-2:] == ["epoch 1", "end"]
    saved = checkpoint.read(tmp_path / "last.safetensors")
    assert len(saved.epochs) == 2
    assert same(saved.module, weights(learner))


def test_the_learners_own_state_moves_once_an_epoch_and_is_kept(tmp_path: Path) -> None:
    learner = Fitting()
    fit(learner, Numerical(), None, PLAIN, folder=tmp_path)
    assert int(learner.moved) == 1 + 2 + 3
    assert int(checkpoint.read(tmp_path / "last.safetensors").learner["moved"]) == 6


def test_the_learners_own_state_goes_on_with_a_resumed_run(tmp_path: Path) -> None:
    running = epochs(Fitting(), Numerical(), None, PLAIN, folder=tmp_path)
    next(running)
    running.close()
    learner = Fitting()
    fit(learner, Numerical(), None, PLAIN, folder=tmp_path, resume=True)
    assert int(learner.moved) == 1 + 2 + 3


def draws() -> tuple[float, float]:
    """From torch's and numpy's global generators. Python's own is also drawn from by the checker of annotations."""
    return float(torch.rand(())), float(np.random.rand())  # noqa: NPY002


def test_the_callers_random_numbers_go_on_as_if_nothing_had_been() -> None:
    learner = Fitting(dropout=0.5)
    seed_all(3)
    undisturbed = [draws() for _ in range(4)]
    seed_all(3)
    found = [draws()]
    found += [draws() for _ in epochs(learner, Numerical(), None, PLAIN)]
    assert found == undisturbed


def test_a_seeded_stretch_is_the_same_wherever_it_stands() -> None:
    random.seed(1)
    state = random.getstate()
    found = []
    for _ in range(2):
        with seeded(5, 2):
            found.append((random.random(), *draws()))
        draws()
    assert found[0] == found[1]
    assert random.getstate() == state
    with seeded(5, 3):
        assert draws() != found[0][1:]


def test_what_the_caller_draws_does_not_change_the_run() -> None:
    quiet, loud = Fitting(dropout=0.5), Fitting(dropout=0.5)
    for _ in epochs(quiet, Numerical(), None, PLAIN):
        pass
    for _ in epochs(loud, Numerical(), None, PLAIN):
        draws()
    assert same(weights(quiet), weights(loud))


def test_the_seed_decides_the_dropout() -> None:
    runs = []
    for seed in (0, 0, 1):
        learner = Fitting(dropout=0.5)
        fit(learner, Numerical(), None, replace(PLAIN, seed=seed))
        runs.append(weights(learner))
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_validation_leaves_no_trace_in_the_weights() -> None:
    with_it, without = Fitting(dropout=0.5), Fitting(dropout=0.5)
    scores = Scripted(loss=(3.0, 2.0, 1.0))
    scores.module = with_it.module
    fit(scores, Numerical(), Numerical(seed=1), PLAIN)
    fit(without, Numerical(), None, PLAIN)
    assert same(weights(with_it), weights(without))


def test_half_precision_trains(device: str) -> None:
    learner = Fitting()
    history = fit(learner, Numerical(rows=64), None, replace(PLAIN, epochs=20, precision="bf16-mixed", device=device))
    assert history.epochs[-1].train_loss < 0.3 * history.epochs[0].train_loss
    assert {w.dtype for w in weights(learner).values()} == {torch.float32}
