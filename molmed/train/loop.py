"""The loop: short rungs, no science, one record per epoch."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
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
from molmed.train.seed import seed_all


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
            if not torch.isfinite(loss):
                raise MolmedError(
                    f"The loss became {float(loss)} in epoch {epoch}, batch {batch}: lower lr (now "
                    f"{self.config.lr:g}) or clip_norm (now {self.config.clip_norm:g}), or look for extreme labels."
                )
            self.fabric.backward(loss)
            total, weight = total + float(loss), weight + float(cells)
        if weight > 0:
            grads = [p.grad for p in self.parameters if p.grad is not None]
            torch._foreach_div_(grads, weight)
            if self.config.clip_norm:
                torch.nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return total, weight

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
        scores = self.learner.score(outputs)
        if self.config.monitor not in scores:
            raise InputError(
                "choosing the best epoch", f"monitor {self.config.monitor!r}", ", ".join(scores), "set train.monitor"
            )
        return scores

    def snapshot(self) -> checkpoint.Checkpoint:
        """The state after an epoch, ready to be written."""
        return checkpoint.Checkpoint(
            checkpoint.weights(self.learner.module),
            self.learner.state_dict(),
            checkpoint.optimiser_tensors(self.optimiser),
            self.best_weights,
            self.step,
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

    When the iterator ends (not when it is closed early) the learner holds the weights of the best epoch: the
    lowest monitored validation score, or the last epoch without a validation feed.

    Args:
        folder: where `last.safetensors` is written after every epoch; None = nowhere.
        resume: go on from that file if it is there; epochs already done are not yielded again.

    Raises:
        InputError: no training batch, or a monitored score the learner does not give.
        ArtefactError: the checkpoint is damaged or was written under other settings.
        MolmedError: the loss is not finite.
    """
    if len(train) == 0:
        raise InputError("training", "no batches", "at least one row", "check what was rejected")
    seed_all(config.seed)
    run = _Run(learner, config, -(-len(train) // config.accumulate))
    last = None if folder is None else Path(folder) / "last.safetensors"
    if last is not None:
        last.parent.mkdir(parents=True, exist_ok=True)
        if resume and last.is_file():
            saved = checkpoint.read(last)
            checkpoint.matches(saved, config, last)
            run.restore(saved)
    for observer in observers:
        observer.on_start(config.epochs - len(run.epochs), len(train))
    try:
        while len(run.epochs) < config.epochs and not run.stopped():
            record = _epoch(run, train, valid, observers)
            if last is not None:
                checkpoint.write(last, run.snapshot())
            for observer in observers:
                observer.on_epoch(record)
            yield record
        learner.module.load_state_dict(run.best_weights)
    finally:
        for observer in observers:
            observer.on_end()


def _epoch(run: _Run, train: Feed, valid: Feed | None, observers: Sequence[Observer]) -> Epoch:
    began = time.perf_counter()
    number = len(run.epochs)
    seed_all(run.config.seed, number)
    run.learner.module.train()
    total, weight = 0.0, 0.0
    group: list[Any] = []
    for index, batch in enumerate(train.batches(number)):
        group.append(batch)
        if len(group) < run.config.accumulate and index + 1 < len(train):
            continue
        loss, cells = run.train_batches(group, number, index)
        total, weight = total + loss, weight + cells
        for observer in observers:
            for done in range(index + 1 - len(group), index + 1):
                observer.on_batch(done, loss / cells if cells else math.nan)
        group = []
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
    before: tuple[Epoch, ...] = ()
    last = None if folder is None else Path(folder) / "last.safetensors"
    if resume and last is not None and last.is_file():
        before = checkpoint.read(last).epochs
    done = epochs(learner, train, valid, config, observers=observers, folder=folder, resume=resume)
    return History((*before, *done))
