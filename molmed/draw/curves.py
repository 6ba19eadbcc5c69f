"""Scores by epoch."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int
from matplotlib.ticker import MaxNLocator

from molmed.draw.figure import axes_of, fitting, legend_above, styled, to_svg
from molmed.draw.palette import CYCLE, INK, MUTED
from molmed.errors import InputError


def curves(
    epochs: Int[np.ndarray, " epochs"],
    lines: Mapping[str, Float[np.ndarray, " epochs"]],
    *,
    chosen: int | None = None,
    label: str = "loss",
    width: int = 400,
    height: int = 280,
) -> str:
    """An SVG of one line per entry of `lines` over the epochs; nan leaves a gap.

    Args:
        chosen: epoch whose weights were kept; it is marked by a vertical line and a point on every line.
        label: of the vertical axis.

    Raises:
        InputError: no epoch.
    """
    if len(epochs) == 0 or not lines:
        raise InputError("drawing curves", f"{len(epochs)} epochs of {len(lines)} lines", "at least one of each")
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid(axis="y")
        few = "o" if len(epochs) == 1 else ""
        for number, (name, values) in enumerate(lines.items()):
            colour = CYCLE[number % len(CYCLE)]
            axes.plot(
                epochs, values, color=colour, linewidth=1.6, marker=few, markersize=4, label=fitting(name, 0.4 * width)
            )
            at = np.flatnonzero(epochs == chosen)
            if chosen is not None and at.size:
                axes.plot(epochs[at], values[at], "o", color=colour, markersize=7, markeredgecolor="white")
        if chosen is not None:
            axes.axvline(chosen, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
            late = chosen > (epochs[0] + epochs[-1]) / 2
            axes.annotate(
                f"epoch {chosen} kept",
                (chosen, 1),
                (-5 if late else 5, -3),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                ha="right" if late else "left",
                va="top",
                fontsize=10.5,
                color=INK,
            )
        axes.xaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True, min_n_ticks=1))
        if len(epochs) == 1:
            axes.set_xlim(epochs[0] - 1, epochs[0] + 1)
        axes.set(xlabel="epoch", ylabel=fitting(label, 0.8 * height))
        legend_above(axes)
        kept = "" if chosen is None else f", epoch {chosen} kept"
        return to_svg(figure, f"{label} over {len(epochs)} epochs{kept}")
