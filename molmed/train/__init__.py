"""The trainer core: it knows batches, losses and scores, and no science."""

from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.learner import Feed, Learner
from molmed.train.loop import epochs, fit
from molmed.train.observers import CSVLog, Observer, ProgressBar
from molmed.train.seed import seed_all

__all__ = [
    "CSVLog",
    "Feed",
    "History",
    "Learner",
    "Observer",
    "ProgressBar",
    "TrainConfig",
    "epochs",
    "fit",
    "seed_all",
]
