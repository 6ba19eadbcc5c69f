"""How many of those called positive are, against how many of the positives are found, over all thresholds."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from molmed.draw.figure import axes_of, fitting, styled, to_svg
from molmed.draw.palette import BLUE, CYCLE, GREY, MUTED
from molmed.errors import InputError

Rates = Float[np.ndarray, " thresholds"]


def precision_recall(
    lines: Mapping[str, tuple[Rates, Rates]],
    *,
    base: float | int | None = None,
    label: str = "",
    width: int = 380,
    height: int = 380,
) -> str:
    """An SVG of (recall, precision) per name, in [0, 1]; the last has the strong colour.

    Args:
        base: share of positives, which is the precision of guessing; a dashed line.

    Raises:
        InputError: no line.
    """
    if not lines:
        raise InputError("drawing a precision-recall curve", "no curve", "at least one; it needs both classes")
    colours = (BLUE,) if len(lines) == 1 else (GREY, BLUE) if len(lines) == 2 else CYCLE
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid()
        if base is not None:
            axes.axhline(base, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for number, (name, (recall, precision)) in enumerate(lines.items()):
            colour = colours[number % len(colours)]
            axes.plot(
                recall, precision, color=colour, linewidth=1.6, drawstyle="steps-post", label=fitting(name, 0.6 * width)
            )
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04), aspect="equal")
        axes.set(xlabel="recall: positives found", ylabel="precision: of those called positive")
        low = base is not None and base > 0.6
        axes.legend(loc="lower left" if low else "best")
        return to_svg(figure, f"precision-recall curve{f' of {label}' if label else ''}: " + ", ".join(lines))
