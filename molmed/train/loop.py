"""The loop: short rungs, no science, one record per epoch."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from molmed.errors import InputError, MolmedError
from molmed.results import Epoch
from molmed.train import checkpoint
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.learner import Feed, Learner
from molmed.train.observers import Observer
from molmed.train.schedule import lr_factor
from molmed.train.seed import seeded


class _Loss(nn.Module):
    """The learner's loss as a module without arguments: what Fabric wraps for device, precision and DDP.

    A batch is a frozen record, which Fabric would try to copy and convert if it were an argument.
    """

    def __init__(self, learner: Learner) -> None:
        super().__init__()
        self.module = learner.module
        self.learner = learner
        self.batch: Any = None

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.learner.loss(self.batch)


class _Run:
    """Everything that changes while a run goes on."""

    def __init__(self, learner: Learner, config: TrainConfig, steps_per_epoch: int) -> None:
        from lightning_fabric import Fabric  # heavy: only a process that trains pays for it

        if config.threads:
            torch.set_num_threads(config.threads)
        self.fabric = Fabric(accelerator=config.device, devices=1, precision=config.precision)
        self.fabric.launch()
        self.learner, self.config, self.steps_per_epoch = learner, config, steps_per_epoch
        parameters = [p for p in learner.module.parameters() if p.requires_grad]
        optimiser = torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay)
        self.inner = _Loss(learner)
        self.loss, self.optimiser = self.fabric.setup(self.inner, optimiser)
        self.parameters = parameters
        self.step = 0
        self.epochs: tuple[Epoch, ...] = ()
        self.best_weights: dict[str, Tensor] = {}

    @property
    def best_score(self) -> float:
        scores = [e.scores[self.config.monitor] for e in self.epochs if e.best and e.scores]
        return scores[-1] if scores else math.inf

    def train_batches(self, group: Sequence[Any], epoch: int, batch: int) -> tuple[float, float]:
        """One optimiser step on a group of batches; (sum of losses, sum of weights) as numbers.

        Gradients of the sums are divided by the group's whole weight, so that k batches equal one large one.
        """
        self._set_lr()
        total, weight = 0.0, 0.0
        for item in group:
            self.inner.batch = item.to(self.fabric.device)
            loss, cells = self.loss()
            self._refuse_unless_finite("loss", loss, epoch, batch)
            self.fabric.backward(loss)
            total, weight = total + float(loss.detach()), weight + float(cells)
        self.inner.batch = None
        if weight > 0:
            grads = [p.grad for p in self.parameters if p.grad is not None]
            torch._foreach_div_(grads, weight)
            norm = torch.nn.utils.get_total_norm(grads)
            self._refuse_unless_finite("gradient's norm", norm, epoch, batch)
            if self.config.clip_norm:
                torch.nn.utils.clip_grads_with_norm_(self.parameters, self.config.clip_norm, norm)
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return total, weight

    def _refuse_unless_finite(self, what: str, value: Tensor, epoch: int, batch: int) -> None:
        if not torch.isfinite(value):
            raise MolmedError(
                f"The {what} became {float(value.detach())} in epoch {epoch}, batch {batch}: lower lr (now "
                f"{self.config.lr:g}) or clip_norm (now {self.config.clip_norm:g}), or look for extreme labels."
            )

    def _set_lr(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.lr * lr_factor(self.step, self.steps_per_epoch, self.config)

    def validate(self, valid: Feed | None) -> dict[str, float]:
        """The learner's scores on every validation batch, in evaluation mode without gradients."""
        if valid is None:
            return {}
        self.learner.module.eval()
        with torch.inference_mode(), self.fabric.autocast():
            outputs = [self.learner.predict(b.to(self.fabric.device)) for b in valid.batches(0)]
        scores, monitor = self.learner.score(outputs), self.config.monitor
        asked = "choosing the best epoch"
        if monitor not in scores:
            raise InputError(asked, f"monitor {monitor!r}", ", ".join(scores), "set train.monitor")
        if math.isnan(scores[monitor]):
            remedy = "check the labels of the validation rows"
            raise InputError(asked, f"{monitor} = nan in epoch {len(self.epochs)}", "a number", remedy)
        return scores

    def snapshot(self) -> checkpoint.Checkpoint:
        """The state after an epoch, ready to be written."""
        return checkpoint.Checkpoint(
            checkpoint.weights(self.learner.module),
            self.learner.state_dict(),
            checkpoint.optimiser_tensors(self.optimiser),
            self.best_weights,
            self.step,
            self.steps_per_epoch,
            self.epochs,
            asdict(self.config),
        )

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Go on from a snapshot."""
        self.learner.module.load_state_dict(saved.module)
        self.learner.load_state_dict(saved.learner)
        checkpoint.restore_optimiser(self.optimiser, saved.optimiser)
        self.best_weights, self.step, self.epochs = saved.best, saved.step, saved.epochs

    def stopped(self) -> bool:
        """Whether the last `patience` epochs brought nothing better."""
        since = next((i for i, e in enumerate(reversed(self.epochs)) if e.best), 0)
        return bool(self.config.patience) and since >= self.config.patience


def epochs(
    learner: Learner,
    train: Feed,
    valid: Feed | None,
    config: TrainConfig,
    *,
    observers: Sequence[Observer] = (),
    folder: Path | None = None,
    resume: bool = False,
) -> Iterator[Epoch]:
    """Train, yielding one record per epoch; the caller may stop at any of them.

    When the iterator ends (not when it is closed early) the learner holds the weights of the best epoch, in
    evaluation mode: the lowest monitored validation score, or the last epoch without a validation feed.

    Args:
        folder: where `last.safetensors` is written after every epoch (it holds the best epoch's weights too);
            None = nowhere.
        resume: go on from that file if it is there; epochs already done are not yielded again.

    Raises:
        InputError: no training or validation batch, no known label, or a monitored score the learner does not
            give or that is nan.
        ArtefactError: the checkpoint is damaged, or was written under other settings, rows or networks.
        MolmedError: the loss or the gradient is not finite.
    """
    yield from _go_on(_start(learner, train, valid, config, folder, resume), train, valid, observers, folder)


def fit(
    learner: Learner,
    train: Feed,
    valid: Feed | None,
    config: TrainConfig,
    *,
    observers: Sequence[Observer] = (),
    folder: Path | None = None,
    resume: bool = False,
) -> History:
    """Train to the end and return the whole history; the learner holds the best epoch's weights.

    Raises:
        InputError, ArtefactError, MolmedError: see `epochs`.
    """
    run = _start(learner, train, valid, config, folder, resume)
    for _ in _go_on(run, train, valid, observers, folder):
        pass
    return History(run.epochs)


def _start(
    learner: Learner, train: Feed, valid: Feed | None, config: TrainConfig, folder: Path | None, resume: bool
) -> _Run:
    if len(train) == 0:
        raise InputError("training", "no batches", "at least one row", "check what was rejected")
    if valid is not None and len(valid) == 0:
        raise InputError("validating", "no batches", "at least one row", "leave the validation feed out")
    run = _Run(learner, config, -(-len(train) // config.accumulate))
    last = _last(folder)
    if resume and last is not None and last.is_file():
        saved = checkpoint.read(last)
        checkpoint.matches(saved, config, run.steps_per_epoch, learner.module, last)
        run.restore(saved)
    return run


def _last(folder: Path | None) -> Path | None:
    return None if folder is None else Path(folder) / "last.safetensors"


def _go_on(
    run: _Run, train: Feed, valid: Feed | None, observers: Sequence[Observer], folder: Path | None
) -> Iterator[Epoch]:
    last = _last(folder)
    if last is not None:
        last.parent.mkdir(parents=True, exist_ok=True)
    try:
        for observer in observers:
            if run.epochs:
                observer.on_resume(run.epochs)
            observer.on_start(run.config.epochs - len(run.epochs), len(train))
        while len(run.epochs) < run.config.epochs and not run.stopped():
            with seeded(run.config.seed, len(run.epochs)):
                record = _epoch(run, train, valid, observers)
            if last is not None:
                checkpoint.write(last, run.snapshot())
            for observer in observers:
                observer.on_epoch(record)
            yield record
        run.learner.module.load_state_dict(run.best_weights)
        run.learner.module.eval()
    finally:
        for observer in observers:
            observer.on_end()


def _epoch(run: _Run, train: Feed, valid: Feed | None, observers: Sequence[Observer]) -> Epoch:
    began = time.perf_counter()
    number, done = len(run.epochs), 0
    run.learner.module.train()
    total, weight = 0.0, 0.0
    for group in _groups(train.batches(number), run.config.accumulate):
        loss, cells = run.train_batches(group, number, done)
        total, weight = total + loss, weight + cells
        for index in range(done, done + len(group)):
            for observer in observers:
                observer.on_batch(index, loss / cells if cells else math.nan)
        done += len(group)
    if weight == 0:
        raise InputError("training", "no known label in any batch", "at least one", "check the target columns")
    scores = run.validate(valid)
    run.learner.on_epoch_end(number)
    better = not scores or scores[run.config.monitor] < run.best_score or number == 0
    if better:
        run.best_weights = checkpoint.weights(run.learner.module)
    lr = run.optimiser.param_groups[0]["lr"]
    record = Epoch(number, total / weight, scores, lr, time.perf_counter() - began, better)
    run.epochs += (record,)
    return record


def _groups(batches: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """The batches of one optimiser step after the other; the last group may be smaller."""
    while group := list(islice(batches, size)):
        yield group
