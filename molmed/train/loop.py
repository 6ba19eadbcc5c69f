"""The loop: short rungs, no science, one record per epoch."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from molmed.errors import InputError
from molmed.results import Epoch
from molmed.train import checkpoint
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.learner import Feed, Learner
from molmed.train.observers import Observer
from molmed.train.processes import Team, team
from molmed.train.seed import seeded
from molmed.train.step import Stepper, threads, train_epoch


class _Run:
    """What a run has behind it, and its next epoch; only rank 0 has one."""

    def __init__(self, learner: Learner, train: Feed, valid: Feed | None, config: TrainConfig) -> None:
        self.learner, self.train, self.valid, self.config = learner, train, valid, config
        self.epochs: tuple[Epoch, ...] = ()
        self.best_weights: dict[str, Tensor] = {}

    @property
    def best_score(self) -> float:
        scores = [e.scores[self.config.monitor] for e in self.epochs if e.best and e.scores]
        return scores[-1] if scores else math.inf

    def epoch(self, steps: Stepper, others: Team, observers: Sequence[Observer]) -> Epoch:
        """Train on everything once, validate, and remember the weights if they are the best."""
        began, number, place = time.perf_counter(), len(self.epochs), others.place

        def told(batch: int, loss: float) -> None:
            for observer in observers:
                observer.on_batch(batch, loss)

        others.begin(number, self.learner.state_dict())
        part = self.train.part(place.rank, place.n) if place.n > 1 else self.train
        total, weight = train_epoch(steps, part, number, told)
        if weight == 0:
            raise InputError("training", "no known label in any batch", "at least one", "check the target columns")
        scores = self._validate(steps)
        self.learner.on_epoch_end(number)
        better = not scores or scores[self.config.monitor] < self.best_score or number == 0
        if better:
            self.best_weights = checkpoint.weights(self.learner.module)
        record = Epoch(number, total / weight, scores, steps.lr, time.perf_counter() - began, better)
        self.epochs += (record,)
        return record

    def _validate(self, steps: Stepper) -> dict[str, float]:
        """The learner's scores on every validation batch, in evaluation mode without gradients.

        Under several processes rank 0 alone does this, so that the scores are those of one process.
        """
        if self.valid is None:
            return {}
        device = steps.fabric.device
        self.learner.module.eval()
        with torch.inference_mode(), steps.fabric.autocast():
            outputs = [self.learner.predict(b.to(device)) for b in self.valid.batches(0)]
        scores, monitor = self.learner.score(outputs), self.config.monitor
        asked = "choosing the best epoch"
        if monitor not in scores:
            raise InputError(asked, f"monitor {monitor!r}", ", ".join(scores), "set train.monitor")
        if math.isnan(scores[monitor]):
            remedy = "check the labels of the validation rows"
            raise InputError(asked, f"{monitor} = nan in epoch {len(self.epochs)}", "a number", remedy)
        return scores

    def snapshot(self, steps: Stepper) -> checkpoint.Checkpoint:
        """The state after an epoch, ready to be written."""
        return checkpoint.Checkpoint(
            checkpoint.weights(self.learner.module),
            self.learner.state_dict(),
            checkpoint.optimiser_tensors(steps.optimiser),
            self.best_weights,
            steps.step,
            steps.per_epoch,
            self.epochs,
            asdict(self.config),
        )

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
    yield from _go_on(_Run(learner, train, valid, config), observers, folder, resume)


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
    run = _Run(learner, train, valid, config)
    for _ in _go_on(run, observers, folder, resume):
        pass
    return History(run.epochs)


def _go_on(run: _Run, observers: Sequence[Observer], folder: Path | None, resume: bool) -> Iterator[Epoch]:
    learner, config = run.learner, run.config
    if len(run.train) == 0:
        raise InputError("training", "no batches", "at least one row", "check what was rejected")
    if run.valid is not None and len(run.valid) == 0:
        raise InputError("validating", "no batches", "at least one row", "leave the validation feed out")
    last = None if folder is None else Path(folder) / "last.safetensors"
    saved = _saved(run, last) if resume else None
    with threads(config), team(config, (learner, run.train, config, saved)) as others:
        steps = Stepper(learner, config, len(run.train), others.place)
        if saved is not None:
            steps.restore(saved)
            run.best_weights, run.epochs = saved.best, saved.epochs
        if last is not None:
            last.parent.mkdir(parents=True, exist_ok=True)
        try:
            for observer in observers:
                if run.epochs:
                    observer.on_resume(run.epochs)
                observer.on_start(config.epochs - len(run.epochs), len(run.train))
            while len(run.epochs) < config.epochs and not run.stopped():
                with seeded(config.seed, len(run.epochs)):
                    record = run.epoch(steps, others, observers)
                if last is not None:
                    checkpoint.write(last, run.snapshot(steps))
                for observer in observers:
                    observer.on_epoch(record)
                yield record
            learner.module.load_state_dict(run.best_weights)
            learner.module.eval()
        finally:
            for observer in observers:
                observer.on_end()


def _saved(run: _Run, last: Path | None) -> checkpoint.Checkpoint | None:
    """What the file of an earlier run holds, if there is one."""
    if last is None or not last.is_file():
        return None
    saved = checkpoint.read(last)
    steps_per_epoch = -(-len(run.train) // run.config.accumulate)
    checkpoint.matches(saved, run.config, steps_per_epoch, run.learner.module, last)
    return saved
