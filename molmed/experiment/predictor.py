"""What scores rows: a fitted model with what makes its values believable. All that a screening worker needs."""

from dataclasses import dataclass

from molmed.experiment.calibrate import Calibration
from molmed.experiment.domain import Domain
from molmed.experiment.fitted import FittedModel
from molmed.targets import Slot, Target


@dataclass(frozen=True)
class Predictor:
    """Reads rows and predicts them; see `molmed.experiment.predict`.

    Args:
        slots: what a row gives, with the columns of the training file.
        standardise: whether structures are standardised when read.
        calibration: intervals, label sets and calibrated probabilities, where out-of-fold predictions were made.
        domain: the training compounds; None without a structure slot.
    """

    slots: tuple[Slot, ...]
    standardise: bool
    model: FittedModel
    calibration: Calibration
    domain: Domain | None = None

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is predicted."""
        return self.model.targets

    @property
    def structure(self) -> Slot | None:
        """The slot that holds one molecule a row, if any."""
        return next((s for s in self.slots if s.subject == "molecule" and s.cardinality == "one"), None)
