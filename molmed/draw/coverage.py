"""Do the intervals hold what they promise?"""

import numpy as np
from jaxtyping import Float

from molmed.draw.figure import axes_of, styled, to_svg
from molmed.draw.palette import BLUE, MUTED
from molmed.errors import InputError

Shares = Float[np.ndarray, " levels"]


def coverage(
    nominal: Shares,
    observed: Shares,
    low: Shares,
    high: Shares,
    *,
    label: str = "",
    width: int = 380,
    height: int = 380,
) -> str:
    """An SVG of the share of measured values inside their intervals against the share promised, with an interval each.

    A point above the dashed line belongs to intervals that are too wide, one below it to too narrow ones.

    Raises:
        InputError: no level.
    """
    if len(nominal) == 0:
        raise InputError("drawing the coverage of intervals", "no level", "at least one")
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid()
        axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="as promised")
        axes.vlines(100 * nominal, 100 * low, 100 * high, BLUE, linewidth=2, alpha=0.5)
        axes.plot(100 * nominal, 100 * observed, "o-", color=BLUE, linewidth=1.2, markersize=6, label="observed")
        axes.set(xlim=(-3, 103), ylim=(-3, 103), aspect="equal")
        axes.set(xlabel="promised: level of the interval (%)", ylabel="values inside their interval (%)")
        axes.legend(loc="upper left")
        return to_svg(figure, f"coverage of the intervals{f' of {label}' if label else ''}, {len(nominal)} levels")
