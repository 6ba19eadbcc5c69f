"""What stands between the encoders and the heads: settings only, read where no torch is loaded."""

from dataclasses import dataclass
from typing import Annotated

from molmed.tunable import Float as FloatRange
from molmed.tunable import Int


@dataclass(frozen=True)
class JoinConfig:
    """What stands between the encoders and the heads.

    Defaults are chemprop 2.3.1's predictor: one hidden layer of 300, ReLU, no dropout. Dropout, if any, stands
    before every linear layer, the first one included, which chemprop's leaves out.
    """

    width: Annotated[int, Int(16, 2400, step=16)] = 300
    layers: Annotated[int, Int(0, 5)] = 1
    dropout: Annotated[float, FloatRange(0.0, 0.6)] = 0.0
