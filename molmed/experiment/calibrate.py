"""What out-of-fold predictions teach about a model's own values: intervals, label sets, honest probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from molmed.targets import Target
from molmed.trust.calibration import Platt
from molmed.trust.conformal import half_width, thresholds

LEVEL = 0.9
"""Rate at which an interval or label set holds the truth, where nothing else is asked for."""


@dataclass(frozen=True)
class Calibration:
    """Per target what was learnt; empty where no out-of-fold predictions were made.

    Args:
        targets: of the model.
        level: rate at which an interval or a label set holds the truth.
        half_width: regression target -> half width of its interval, in the target's unit.
        platt: binary target -> its map of probabilities.
        thresholds: binary target -> smallest calibrated probability at which class 0 and class 1 belong to the set.
    """

    targets: tuple[Target, ...]
    level: float = LEVEL
    half_width: dict[str, float] = field(default_factory=dict)
    platt: dict[str, Platt] = field(default_factory=dict)
    thresholds: dict[str, tuple[float, float]] = field(default_factory=dict)

    def dtypes(self) -> dict[str, str]:
        """The columns of `apply` beyond value and class, with their pandas dtypes."""
        found: dict[str, str] = {}
        for t in self.targets:
            if t.name in self.half_width:
                found |= {f"{t.name}_low": "float64", f"{t.name}_high": "float64"}
            elif t.name in self.thresholds:
                found[f"{t.name}_set"] = "object"
        return found

    def apply(self, values: Float[np.ndarray, "rows targets"]) -> dict[str, np.ndarray]:
        """Columns by name: `<t>`, and what there is of `<t>_class`, `<t>_low`, `<t>_high`, `<t>_set`.

        A label set is "0", "1", "0|1" (both are possible) or "" (neither is: unlike anything seen).
        """
        made: dict[str, np.ndarray] = {}
        for i, t in enumerate(self.targets):
            value = self.platt.get(t.name, Platt())(values[:, i])
            made[t.name] = value
            if t.kind == "binary":
                made[f"{t.name}_class"] = (value >= 0.5).astype(np.float64)
            if t.name in self.half_width:
                width = self.half_width[t.name]
                made |= {f"{t.name}_low": value - width, f"{t.name}_high": value + width}
            elif t.name in self.thresholds:
                zero, one = self.thresholds[t.name]
                sets = np.asarray(["", "0", "1", "0|1"], dtype=object)
                made[f"{t.name}_set"] = sets[(1 - value >= zero) + 2 * (value >= one)]
        return made

    def apply_members(self, values: Float[np.ndarray, "members rows targets"]) -> dict[str, np.ndarray]:
        """The columns of the members' mean, and with several members `<t>_spread`.

        The spread is the standard deviation of the members (over their number, not one less), in the target's unit;
        of a binary target that of their calibrated probabilities.
        """
        made = self.apply(values.mean(axis=0))
        if len(values) > 1:
            each = np.stack([self.values(member) for member in values])
            made |= {f"{t.name}_spread": each[:, :, i].std(axis=0) for i, t in enumerate(self.targets)}
        return made

    def values(self, values: Float[np.ndarray, "rows targets"]) -> Float[np.ndarray, "rows targets"]:
        """The same values, probabilities calibrated."""
        made = self.apply(values)
        return np.stack([made[t.name] for t in self.targets], axis=1)

    def plain(self) -> dict[str, Any]:
        """JSON of it. An infinite width (too few rows for the level) is null."""
        return {
            "level": self.level,
            "half_width": {t: w if np.isfinite(w) else None for t, w in self.half_width.items()},
            "platt": {t: asdict(p) for t, p in self.platt.items()},
            "thresholds": {t: list(pair) for t, pair in self.thresholds.items()},
        }


def calibrate(
    targets: Sequence[Target],
    measured: Float[np.ndarray, "rows targets"],
    out_of_fold: Float[np.ndarray, "rows targets"],
    level: float = LEVEL,
) -> Calibration:
    """Learn from out-of-fold predictions; nan = unknown. The label sets use the calibrated probabilities.

    The probabilities that fit the calibration are its own training data, so the coverage of label sets is
    stated for new rows only as well as two fitted numbers per target can spoil it.

    Each row is predicted out of fold by one model. Where an ensemble of these models predicts the new rows, its
    mean is on average no farther off than one of them (the square is convex): its intervals are then rather too
    wide than too narrow, and its probabilities, which averaging draws towards the middle, rather too cautious.
    """
    widths: dict[str, float] = {}
    platt: dict[str, Platt] = {}
    smallest: dict[str, tuple[float, float]] = {}
    for i, t in enumerate(targets):
        if t.kind == "regression":
            widths[t.name] = half_width(measured[:, i] - out_of_fold[:, i], level)
        elif t.kind == "binary":
            platt[t.name] = Platt.fit(measured[:, i], out_of_fold[:, i])
            smallest[t.name] = thresholds(measured[:, i], platt[t.name](out_of_fold[:, i]), level)
    return Calibration(tuple(targets), level, widths, platt, smallest)


def restore(targets: Sequence[Target], stored: Mapping[str, Any]) -> Calibration:
    """The calibration of an artefact's JSON."""
    return Calibration(
        tuple(targets),
        stored["level"],
        {t: float("inf") if w is None else w for t, w in stored["half_width"].items()},
        {t: Platt(**p) for t, p in stored["platt"].items()},
        {t: (pair[0], pair[1]) for t, pair in stored["thresholds"].items()},
    )
