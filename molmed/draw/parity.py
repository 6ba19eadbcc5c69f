"""Predicted against measured."""

import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from molmed.draw.figure import axes_of, fitting, legend_above, styled, to_svg
from molmed.draw.palette import BLUE, FAINT, GREY, INK, MUTED
from molmed.errors import InputError

Values = Float[np.ndarray, " rows"]

MANY = 2500
"""Points of a series above which cells are counted instead: each point is about 60 bytes of SVG. Chosen."""

_LOG_UNIT = re.compile(r"p[A-Z]\w+|-?\s*[Ll]og.*")


def is_log_unit(unit: str) -> bool:
    """Whether one step of the unit is a factor of ten: pIC50, pKi, pAct, log mol/L, -log10(M); not pM, ppm, nM."""
    return _LOG_UNIT.fullmatch(unit.strip()) is not None


def parity(
    series: Mapping[str, tuple[Values, Values]],
    *,
    quantity: str,
    unit: str = "",
    scores: str = "",
    width: int = 400,
    height: int = 400,
) -> str:
    """An SVG of measured (horizontal) against predicted (vertical) values with the line of equality.

    Args:
        series: name -> (measured, predicted); rows where either is nan are left out. Later ones lie on top; the
            last has the strong colour.
        quantity: what was measured, for the axes.
        unit: of both axes. Where it is a log unit, a band shows the values within 1 unit (a factor of ten).
        scores: text in the corner, e.g. "R² 0.62, RMSE 0.54".

    Raises:
        InputError: no row has both values.
    """
    known = {name: _known(*pair) for name, pair in series.items()}
    everything = np.concatenate([np.concatenate(pair) for pair in known.values()]) if known else np.empty(0)
    if everything.size == 0:
        raise InputError("drawing predicted against measured", "no row with both values", "at least one")
    margin = max(0.04 * float(np.ptp(everything)), 0.05 * max(abs(float(everything.max())), 1e-6) / 10)
    low, high = float(everything.min()) - margin, float(everything.max()) + margin
    with styled():
        figure, axes = axes_of(width, height)
        if is_log_unit(unit):
            ends = np.array([low, high])
            axes.fill_between(ends, ends - 1, ends + 1, color=FAINT, alpha=0.5, linewidth=0, label="within 1 log unit")
        axes.plot([low, high], [low, high], color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)))
        for number, (name, (measured, predicted)) in enumerate(known.items()):
            colour = BLUE if number == len(known) - 1 else GREY
            named = f"{fitting(name, 0.25 * width)} ({len(measured):,})"
            _points(axes, measured, predicted, colour, named, (low, high))
        axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
        axes.locator_params(nbins=6)
        suffix = f" ({unit})" if unit and unit != quantity else ""
        axes.set_xlabel(fitting(f"measured {quantity}{suffix}", 0.8 * width))
        axes.set_ylabel(fitting(f"predicted {quantity}{suffix}", 0.8 * height))
        if scores:
            axes.text(
                0.97,
                0.03,
                fitting(scores, 0.75 * width),
                transform=axes.transAxes,
                ha="right",
                va="bottom",
                color=INK,
                fontsize=10.5,
            )
        legend_above(axes)
        n = sum(len(measured) for measured, _ in known.values())
        return to_svg(figure, f"predicted against measured {quantity}, {n} points")


def _known(measured: Values, predicted: Values) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(measured) & np.isfinite(predicted)
    return measured[known], predicted[known]


def _points(axes: Axes, x: np.ndarray, y: np.ndarray, colour: str, label: str, extent: tuple[float, float]) -> None:
    if len(x) <= MANY:
        alpha = float(np.clip(12 / np.sqrt(max(len(x), 1)), 0.3, 0.8))
        axes.plot(x, y, "o", color=colour, alpha=alpha, markersize=4.2, markeredgewidth=0, label=label)
        return
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("count", ["#e3ebf3", colour, INK])
    axes.hexbin(x, y, gridsize=42, mincnt=1, bins="log", cmap=shades, extent=(*extent, *extent), linewidths=0)
    axes.plot([], [], "h", color=colour, label=f"{label}, darker: more")
