"""One optimiser step after the other: device, precision, processes, gradient."""

import logging
import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from molmed.errors import MolmedError
from molmed.train import checkpoint
from molmed.train.compiled import translated
from molmed.train.config import TrainConfig
from molmed.train.learner import Feed, Learner
from molmed.train.precision import device_used, precision_used
from molmed.train.processes import Place
from molmed.train.schedule import lr_factor


class _Loss(nn.Module):
    """The learner's loss as a module without arguments: what Fabric wraps for device, precision and DDP.

    A batch is a frozen record, which Fabric would try to copy and convert if it were an argument.
    """

    def __init__(self, module: nn.Module, loss: Callable[[Any], tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self.module, self.loss = module, loss
        self.batch: Any = None
        # DDP writes a paragraph to stderr when it is to look for parameters without a gradient and finds none
        self.unused = nn.Parameter(torch.zeros(()))

    def forward(self) -> tuple[Tensor, Tensor]:
        return self.loss(self.batch)


class Stepper:
    """The learner's module, its optimiser, and how one step changes them; the same in every process of a run."""

    def __init__(self, learner: Learner, config: TrainConfig, batches: int, place: Place) -> None:
        """Put the module on its device. `batches`: of an epoch."""
        self.learner, self.config, self.place = learner, config, place
        self.per_epoch = -(-batches // config.accumulate)
        self.step = 0
        device = device_used(config)
        self.fabric = _fabric(device, precision_used(config), place)
        parameters = [p for p in learner.module.parameters() if p.requires_grad]
        # one kernel for all parameters and moments: 0.6 ms a step for 0.3 million of them, against 2.0 ms unfused
        optimiser = torch.optim.AdamW(parameters, lr=config.lr, weight_decay=config.weight_decay, fused=True)
        self.inner = _Loss(learner.module, translated(learner.loss, config, device))
        self.loss, self.optimiser = self.fabric.setup(self.inner, optimiser)
        self.parameters = parameters

    def restore(self, saved: checkpoint.Checkpoint) -> None:
        """Go on from a checkpoint."""
        self.learner.module.load_state_dict(saved.module)
        self.learner.load_state_dict(saved.learner)
        checkpoint.restore_optimiser(self.optimiser, saved.optimiser)
        self.step = saved.step

    @property
    def lr(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimiser.param_groups[0]["lr"])

    def train_batches(self, group: Sequence[Any], epoch: int, batch: int) -> tuple[float, float]:
        """One optimiser step on a group of batches; (sum of losses, sum of weights) over all processes.

        The gradient is that of the sum of losses over batches and processes, divided by the sum of weights over them:
        k batches equal one large one, and n processes with a part each equal one with the whole. A group without a
        known label changes nothing.

        Raises:
            MolmedError: the loss or the gradient is not finite.
        """
        self._set_lr()
        sums = torch.zeros(2, dtype=torch.float64, device=self.fabric.device)
        for index, item in enumerate(group, start=1):
            self.inner.batch = item.to(self.fabric.device)
            apart = self.place.n > 1 and index < len(group)  # DDP need only average the gradient of the last one
            with self.fabric.no_backward_sync(self.loss, enabled=apart):
                loss, cells = self.loss()
                self.fabric.backward(loss)
            sums += torch.stack([loss.detach().double(), cells.detach().double()])
        self.inner.batch = None
        grads = [p.grad for p in self.parameters if p.grad is not None]
        length = torch.nn.utils.get_total_norm(grads).to(sums)
        # the one moment of a step at which the device is waited for
        total, weight, norm = torch.cat([self.place.sum(sums), length.reshape(1)]).tolist()
        self._refuse_unless_finite("loss", total, epoch, batch)
        if weight > 0:
            scale = self.place.n / weight  # DDP has averaged over the processes what is to be summed
            norm *= scale
            self._refuse_unless_finite("gradient's norm", norm, epoch, batch)
            if self.config.clip_norm:  # as torch.nn.utils.clip_grad_norm_
                scale *= min(1.0, self.config.clip_norm / (norm + 1e-6))
            torch._foreach_mul_(grads, scale)
            self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.step += 1
        return total, weight

    def _refuse_unless_finite(self, what: str, value: float, epoch: int, batch: int) -> None:
        if not math.isfinite(value):
            raise MolmedError(
                f"The {what} became {value} in epoch {epoch}, batch {batch}: lower lr (now "
                f"{self.config.lr:g}) or clip_norm (now {self.config.clip_norm:g}), or look for extreme labels."
            )

    def _set_lr(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.config.lr * lr_factor(self.step, self.per_epoch, self.config)


def train_epoch(
    steps: Stepper, feed: Feed, epoch: int, told: Callable[[int, float], None] | None = None
) -> tuple[float, float]:
    """Train on every batch once; (sum of losses, sum of weights). `told` hears (batch, mean loss of its step)."""
    steps.learner.module.train()
    total, weight, done = 0.0, 0.0, 0
    for group in _groups(feed.batches(epoch), steps.config.accumulate):
        loss, cells = steps.train_batches(group, epoch, done)
        total, weight = total + loss, weight + cells
        for index in range(done, done + len(group)):
            if told is not None:
                told(index, loss / cells if cells else math.nan)
        done += len(group)
    return total, weight


def _groups(batches: Iterator[Any], size: int) -> Iterator[list[Any]]:
    """The batches of one optimiser step after the other; the last group may be smaller."""
    while group := list(islice(batches, size)):
        yield group


def _fabric(device: str, precision: str, place: Place) -> Any:
    from lightning_fabric import Fabric  # heavy: only a process that trains pays for it
    from lightning_fabric.plugins.environments import ClusterEnvironment
    from lightning_fabric.strategies import DDPStrategy

    class Standing(ClusterEnvironment):
        """The processes are there and have met already."""

        creates_processes_externally = True
        main_address, main_port = "", 0

        @staticmethod
        def detect() -> bool:
            return False

        def world_size(self) -> int:
            return place.n

        def set_world_size(self, size: int) -> None:
            """It is what it is."""

        def global_rank(self) -> int:
            return place.rank

        def set_global_rank(self, rank: int) -> None:
            """It is what it is."""

        def local_rank(self) -> int:
            return place.rank

        def node_rank(self) -> int:
            return 0

    # A step uses the heads of its batch's task only, another step those of another task: DDP must look which
    # parameters have a gradient. Its static graph would hold every step to the parameters of the first.
    ddp = DDPStrategy(cluster_environment=Standing(), find_unused_parameters=True)
    level, before = logging.getLogger("lightning_fabric").level, os.environ.get("OMP_NUM_THREADS")
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells every run that bf16 is used
    os.environ["OMP_NUM_THREADS"] = before or ""  # where it is not set, launch() sets it, for ever
    try:
        strategy: Any = ddp if place.n > 1 else "auto"
        fabric = Fabric(accelerator=device, devices=place.n, strategy=strategy, precision=precision)
        fabric.launch()
    finally:
        logging.getLogger("lightning_fabric").setLevel(level)
        if before is None:
            del os.environ["OMP_NUM_THREADS"]
    return fabric


@contextmanager
def threads(config: TrainConfig) -> Iterator[None]:
    """Inside, torch has this process's part of the threads; afterwards as many as before."""
    before = torch.get_num_threads()
    wanted = max(1, (config.threads or before) // config.devices)
    if wanted == before:
        yield
        return
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)
