"""How values are spread, against those the model has learnt from."""

import numpy as np
from jaxtyping import Float

from molmed.draw.figure import axes_of, fitting, legend_above, styled, to_svg
from molmed.draw.palette import BLUE, GREY, VERMILLION
from molmed.errors import InputError


def distribution(
    values: Float[np.ndarray, " rows"],
    behind: Float[np.ndarray, " others"] | None = None,
    *,
    label: str,
    names: tuple[str, str] = ("predicted", "training, measured"),
    mark: float | int | None = None,
    mark_label: str = "",
    of: str = "compounds",
    bins: int = 40,
    width: int = 400,
    height: int = 280,
) -> str:
    """An SVG histogram, as shares of each set so that sets of different size can be compared; nan is left out.

    Args:
        values: the set in front.
        behind: the set behind it, on the same bins.
        label: of the horizontal axis, with the unit.
        names: of the two sets, for the legend.
        of: what the values belong to, for the vertical axis.
        mark: value of a vertical line, e.g. the last of the hits that are shown.

    Raises:
        InputError: no value is known.
    """
    front = values[np.isfinite(values)]
    back = np.empty(0) if behind is None else behind[np.isfinite(behind)]
    everything = np.concatenate([front, back])
    if front.size == 0:
        raise InputError("drawing a distribution", f"{len(values)} values, none of them known", "at least one")
    edges = np.histogram_bin_edges(everything, bins=bins)
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid(axis="y")
        axes.set_xlim(float(edges[0]), float(edges[-1]))
        if back.size:
            share = 100 * np.histogram(back, edges)[0] / back.size
            axes.stairs(
                share,
                edges,
                fill=True,
                color=GREY,
                alpha=0.55,
                label=f"{fitting(names[1], 0.3 * width)} ({back.size:,})",
            )
        share = 100 * np.histogram(front, edges)[0] / front.size
        filled = np.flatnonzero(share)
        share, edges = share[filled[0] : filled[-1] + 1], edges[filled[0] : filled[-1] + 2]
        axes.stairs(share, edges, fill=True, color=BLUE, alpha=0.18)
        axes.stairs(share, edges, color=BLUE, linewidth=1.5, label=f"{fitting(names[0], 0.3 * width)} ({front.size:,})")
        if mark is not None:
            axes.axvline(
                mark,
                color=VERMILLION,
                linewidth=1.1,
                linestyle=(0, (4, 3)),
                label=fitting(mark_label, 0.25 * width) or None,
            )
        axes.set(xlabel=fitting(label, 0.8 * width), ylabel=f"share of {of} (%)")
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="y", nbins=5, steps=[1, 2, 5, 10])
        legend_above(axes)
        return to_svg(figure, f"distribution of {label}, {front.size} values")
