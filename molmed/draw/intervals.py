"""One score of several models, each with its interval."""

from collections.abc import Mapping, Sequence

import numpy as np

from molmed.draw.figure import axes_of, fitting, legend_above, styled, to_svg
from molmed.draw.palette import BLUE, CYCLE, GREY, INK, MUTED
from molmed.errors import InputError
from molmed.results import Interval


def intervals(
    rows: Sequence[str],
    series: Mapping[str, Sequence[Interval | None]],
    *,
    label: str,
    winner: str = "",
    reference: float | int | None = None,
    note: str = "",
    width: int = 440,
    height: int = 0,
) -> str:
    """An SVG with one line of text per row and, on it, one point with its interval per series.

    Args:
        rows: names, top to bottom.
        series: name -> one value per row; None or nan is left out. The last has the strong colour.
        label: of the horizontal axis, with the unit.
        winner: row whose name is in bold.
        reference: where a vertical line stands, e.g. 0 for differences.
        note: which direction is better, e.g. "lower is better".
        height: in pixels; 0 = as many as the rows need.

    Raises:
        InputError: no value, or a series of another length than the rows.
    """
    wrong = [name for name, values in series.items() if len(values) != len(rows)]
    if wrong:
        raise InputError("drawing intervals", f"{wrong[0]!r} with other than {len(rows)} values", "one per row")
    known = [i for values in series.values() for i in values if i is not None and np.isfinite(i.value)]
    if not known:
        raise InputError("drawing intervals", "no value that is known", "at least one")
    height = height or 84 + len(rows) * (20 + 12 * len(series))
    with styled():
        figure, axes = axes_of(width, height)
        axes.grid(axis="x")
        if reference is not None:
            axes.axvline(reference, color=MUTED, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
        offsets = 0.34 * (np.arange(len(series)) - (len(series) - 1) / 2) / max(len(series) - 1, 1)
        colours = (BLUE,) if len(series) == 1 else (GREY, BLUE) if len(series) == 2 else CYCLE
        for number, ((name, values), offset) in enumerate(zip(series.items(), offsets, strict=True)):
            colour = colours[number % len(colours)]
            shown = [(y + offset, i) for y, i in enumerate(values) if i is not None and np.isfinite(i.value)]
            bars = [(y, i) for y, i in shown if np.isfinite(i.low) and np.isfinite(i.high)]
            axes.hlines([y for y, _ in bars], [i.low for _, i in bars], [i.high for _, i in bars], colour, linewidth=2)
            axes.plot(
                [i.value for _, i in shown],
                [y for y, _ in shown],
                "o",
                color=colour,
                markersize=6.5,
                label=fitting(name, 0.3 * width),
            )
        axes.set_yticks(range(len(rows)), [fitting(name, 0.38 * width) for name in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=6)
        for tick, name in zip(axes.get_yticklabels(), rows, strict=True):
            tick.set(fontweight="bold" if name == winner else "normal", color=INK)
        axes.set_xlabel(fitting(label + (f" — {note}" if note else ""), 0.6 * width))
        if len(series) > 1:
            legend_above(axes)
        return to_svg(figure, f"{label} of " + ", ".join(rows))
