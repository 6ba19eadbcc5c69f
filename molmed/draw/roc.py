"""True against false positives over all thresholds."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from molmed.draw.figure import axes_of, fitting, styled, to_svg
from molmed.draw.palette import BLUE, CYCLE, GREY, MUTED
from molmed.errors import InputError

Rates = Float[np.ndarray, " thresholds"]


def roc(lines: Mapping[str, tuple[Rates, Rates]], *, label: str = "", width: int = 380, height: int = 380) -> str:
    """An SVG of (false positive rate, true positive rate) per name, in [0, 1]; the last has the strong colour.

    Raises:
        InputError: no line.
    """
    if not lines:
        raise InputError("drawing a ROC curve", "no curve", "at least one; it needs both classes")
    colours = (BLUE,) if len(lines) == 1 else (GREY, BLUE) if len(lines) == 2 else CYCLE
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for number, (name, (false_rate, true_rate)) in enumerate(lines.items()):
            axes.plot(
                false_rate,
                true_rate,
                color=colours[number % len(colours)],
                linewidth=1.6,
                label=fitting(name, 0.6 * width),
            )
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
        axes.set(xlabel="false positive rate", ylabel="true positive rate")
        axes.legend(loc="lower right")
        return to_svg(figure, f"ROC curve{f' of {label}' if label else ''}: " + ", ".join(lines))
