"""How far predictions are off, along the predicted value."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from molmed.draw.figure import axes_of, fitting, legend_above, styled, to_svg
from molmed.draw.palette import BLUE, FAINT, GREY, INK, MUTED, VERMILLION
from molmed.draw.parity import MANY
from molmed.errors import InputError

Values = Float[np.ndarray, " rows"]
Points = Float[np.ndarray, " points"]


def residuals(
    series: Mapping[str, tuple[Values, Values]],
    mean: tuple[Points, Points] | None = None,
    *,
    quantity: str,
    unit: str = "",
    half_width: float | int | None = None,
    width: int = 440,
    height: int = 300,
) -> str:
    """An SVG of predicted value (horizontal) against predicted less measured (vertical), with the line of no error.

    Args:
        series: name -> (predicted, residual), all finite. Later ones lie on top; the last has the strong colour.
        mean: (predicted, mean residual around it), drawn as a line.
        quantity, unit: of what was measured.
        half_width: of the interval around a prediction; drawn as a band, where it is finite.

    Raises:
        InputError: no row.
    """
    n = sum(len(predicted) for predicted, _ in series.values())
    if n == 0:
        raise InputError("drawing residuals", "no row with a prediction and a measurement", "at least one")
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid(axis="y")
        if half_width is not None and np.isfinite(half_width):
            axes.axhspan(-half_width, half_width, color=FAINT, alpha=0.5, linewidth=0, label="interval")
        axes.axhline(0, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for number, (name, (predicted, residual)) in enumerate(series.items()):
            colour = BLUE if number == len(series) - 1 else GREY
            label = f"{fitting(name, 0.22 * width)} ({len(predicted):,})"
            if len(predicted) <= MANY:
                alpha = float(np.clip(12 / np.sqrt(max(len(predicted), 1)), 0.3, 0.8))
                axes.plot(
                    predicted, residual, "o", color=colour, alpha=alpha, markersize=4.2, markeredgewidth=0, label=label
                )
            else:
                from matplotlib.colors import LinearSegmentedColormap

                shades = LinearSegmentedColormap.from_list("count", ["#e3ebf3", colour, INK])
                axes.hexbin(
                    predicted, residual, gridsize=(46, 24), mincnt=1, bins="log", cmap=shades, linewidths=0, zorder=2
                )
                axes.plot([], [], "h", color=colour, label=f"{label}, darker: more")
        if mean is not None and len(mean[0]):
            axes.plot(*mean, color="white", linewidth=4, alpha=0.8)
            axes.plot(*mean, color=VERMILLION, linewidth=2, label="running mean")
        axes.locator_params(nbins=6)
        suffix = f" ({unit})" if unit and unit != quantity else ""
        axes.set_xlabel(fitting(f"predicted {quantity}{suffix}", 0.8 * width))
        axes.set_ylabel(fitting(f"predicted − measured{f' ({unit})' if unit else ''}", 0.85 * height))
        legend_above(axes, columns=4 if width >= 440 else 2)
        return to_svg(figure, f"residuals of {quantity}, {n} points")
