"""Do the probabilities mean what they say?"""

import numpy as np
from jaxtyping import Float, Int

from molmed.draw.figure import axes_of, styled, to_svg
from molmed.draw.palette import BLUE, FAINT, MUTED
from molmed.errors import InputError


def reliability(
    p_mean: Float[np.ndarray, " bins"],
    observed: Float[np.ndarray, " bins"],
    counts: Int[np.ndarray, " bins"],
    low: Float[np.ndarray, " bins"] | None = None,
    high: Float[np.ndarray, " bins"] | None = None,
    *,
    label: str = "",
    width: int = 380,
    height: int = 380,
) -> str:
    """An SVG of the observed share of positives against the mean predicted probability, bin by bin.

    A point on the dashed line is calibrated. Its area grows with the rows in the bin; `low` and `high` are the ends of
    an interval for the observed share.

    Raises:
        InputError: no bin.
    """
    if len(p_mean) == 0:
        raise InputError("drawing a reliability plot", "no bin", "at least one")
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid(color=FAINT)
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), label="calibrated")
        if low is not None and high is not None:
            axes.vlines(p_mean, low, high, BLUE, linewidth=2, alpha=0.4)
        axes.plot(p_mean, observed, color=BLUE, linewidth=1.2)
        area = 18 + 160 * counts / max(int(counts.max()), 1)
        axes.scatter(p_mean, observed, s=area, color=BLUE, edgecolor="white", zorder=3, label=f"{counts.sum():,} rows")
        axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), aspect="equal")
        axes.set(xlabel="predicted probability, mean of the bin", ylabel="observed share of positives")
        axes.legend(loc="upper left")
        return to_svg(figure, f"reliability plot{f' of {label}' if label else ''}, {len(p_mean)} bins")
