"""All the trainer sees of what it trains. Nothing here knows molecules or medicine."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class Movable(Protocol):
    """A batch: something with a length (rows) that can be put on a device."""

    def __len__(self) -> int: ...

    def to(self, device: Any) -> Any: ...


@runtime_checkable
class Feed(Protocol):
    """Where batches come from. Equal (seed, epoch) give equal batches, whatever was drawn before."""

    def __len__(self) -> int:
        """Batches per epoch."""
        ...

    def batches(self, epoch: int) -> Iterator[Any]:
        """The batches of one epoch, in the order they are to be trained on."""
        ...

    def part(self, rank: int, n: int) -> "Feed":
        """As many batches, each with one of n disjoint parts of its rows, which may be none; the n parts are all.

        What a process of several trains on; the feed is sent to it, so it must consist of importable classes.
        """
        ...


@runtime_checkable
class Learner(Protocol):
    """What is trained: a module and the meaning of its outputs."""

    module: nn.Module

    def loss(self, batch: Any) -> tuple[Tensor, Tensor]:
        """(sum of weighted losses, sum of weights) over the batch's known cells; both scalars.

        The trainer divides, so that accumulated or distributed batches are normalised by the global weight.
        """
        ...

    def predict(self, batch: Any) -> Any:
        """What `score` needs of one batch, detached."""
        ...

    def score(self, outputs: Iterable[Any]) -> dict[str, float]:
        """Validation scores from the outputs of every batch. Key "loss" is always there: lower is better."""
        ...

    def on_epoch_end(self, epoch: int) -> None:
        """Called after each epoch's validation (a dual multiplier moves here).

        Under several processes rank 0 alone validates and calls it; the others are given its `state_dict`.
        """
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """Non-gradient state beyond the module's own (may be empty); restored by `load_state_dict`."""
        ...

    def load_state_dict(self, state: dict[str, Tensor]) -> None: ...
