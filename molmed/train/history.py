"""What happened, epoch by epoch, as data."""

from dataclasses import dataclass
from typing import Any

from molmed.results import Epoch


@dataclass(frozen=True)
class History:
    """The epochs of one run, in order."""

    epochs: tuple[Epoch, ...] = ()

    @property
    def best(self) -> Epoch:
        """The epoch whose weights were kept: the last one marked best.

        Raises:
            IndexError: no epoch was finished.
        """
        return [e for e in self.epochs if e.best][-1]

    def rows(self) -> list[dict[str, Any]]:
        """One flat row per epoch: epoch, train_loss, lr, seconds, best, and each score as `valid_<name>`."""
        return [
            {"epoch": e.epoch, "train_loss": e.train_loss, "lr": e.lr, "seconds": e.seconds, "best": e.best}
            | {f"valid_{name}": value for name, value in e.scores.items()}
            for e in self.epochs
        ]
