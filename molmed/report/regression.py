"""How good the numbers of a regression are: predicted against measured, residuals, coverage of the intervals."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from markupsafe import Markup

from molmed import draw
from molmed.experiment.run import Run
from molmed.report import numbers
from molmed.report.honest import PARTS, by_part, judged, values
from molmed.report.page import beside, bullets, figure
from molmed.report.shares import promised, share
from molmed.results import Interval
from molmed.targets import Target
from molmed.trust.conformal import half_width

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Levels at which the coverage of intervals is looked at."""

WINDOW, MIN_WINDOW = 0.15, 10
"""Share of the rows, and least number of rows, that the running mean of the residuals is taken over; chosen."""

_POINTS = 60


def regression_plots(rows: pd.DataFrame, target: Target, run: Run) -> list[Markup]:
    """Sentences and figures on one target; `rows` as `honest` gives them, at least one."""
    parts = by_part(rows)
    return [
        bullets(_sentences(rows, target, run)),
        beside(parity(rows, target, run), _residuals(parts, rows, target, run)),
        beside(_histogram(parts, target), *_coverage(parts, target, run)),
    ]


def parity(rows: pd.DataFrame, target: Target, run: Run) -> Markup:
    """The figure of predicted against measured values; `rows` as `honest` gives them, at least one."""
    parts = by_part(rows)
    scores = run.scores.get("test" if PARTS["test"] in parts else "out_of_fold", {}).get(target.name, {})
    series = {part: (values(own, "measured"), values(own, "predicted")) for part, own in parts.items()}
    inside = corner(scores, target.unit)
    svg = draw.parity(
        series,
        quantity=target.name,
        unit=target.unit,
        scores=f"{list(parts)[-1]}: {inside}" if inside else "",
        width=390,
        height=390,
    )
    return figure(svg, f"Predicted against measured {target.name}; on the dashed line they are equal.")


def corner(scores: Mapping[str, Interval], unit: str) -> str:
    """R² and RMSE for the corner of a plot, as far as they are known."""
    shown = []
    if "r2" in scores and not math.isnan(scores["r2"].value):
        shown.append(f"R² {numbers.fixed(scores['r2'].value, 2)}")
    if "rmse" in scores and not math.isnan(scores["rmse"].value):
        shown.append(f"RMSE {numbers.number(scores['rmse'].value)} {unit}".rstrip())
    return ", ".join(shown)


def _residuals(parts: Mapping[str, pd.DataFrame], rows: pd.DataFrame, target: Target, run: Run) -> Markup:
    series = {part: (values(own, "predicted"), values(own, "error")) for part, own in parts.items()}
    width = run.predictor.calibration.half_width.get(target.name)
    mean = running_mean(values(rows, "predicted"), values(rows, "error"))
    svg = draw.residuals(series, mean, quantity=target.name, unit=target.unit, half_width=width, width=390, height=390)
    caption = "Error along the predicted value."
    if mean is not None:
        caption += " A running mean away from zero is a bias: above it the model says too much, below it too little."
    if width is not None and math.isfinite(width):
        caption += f" The band is the {numbers.percent(run.predictor.calibration.level)} interval of a prediction."
    return figure(svg, caption)


def running_mean(
    along: Float[np.ndarray, " rows"], of: Float[np.ndarray, " rows"]
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]] | None:
    """(mean of `along`, mean of `of`) in windows of neighbouring rows along the first; None for too few rows."""
    n = len(along)
    window = max(MIN_WINDOW, round(WINDOW * n))
    if n < 2 * window:
        return None
    order = np.argsort(along, kind="stable")
    sums = np.cumsum(np.concatenate([np.zeros((2, 1)), [along[order], of[order]]], axis=1), axis=1)
    starts = np.unique(np.linspace(0, n - window, min(_POINTS, n - window + 1)).astype(int))
    means = (sums[:, starts + window] - sums[:, starts]) / window
    return means[0], means[1]


def _histogram(parts: Mapping[str, pd.DataFrame], target: Target) -> Markup:
    *others, last = parts
    behind = values(parts[others[0]], "error") if others else None
    error = f"predicted − measured{f' ({target.unit})' if target.unit else ''}"
    svg = draw.distribution(
        values(parts[last], "error"),
        behind,
        label=error,
        names=(last, others[0] if others else ""),
        mark=0.0,
        mark_label="no error",
        of="rows",
        bins=30,
        width=390,
        height=300,
    )
    return figure(svg, "How the errors are spread.")


def _coverage(parts: Mapping[str, pd.DataFrame], target: Target, run: Run) -> list[Markup]:
    """Intervals from the out-of-fold errors, tried on the test rows; nothing where one of them is missing."""
    oof, test = parts.get(PARTS["out_of_fold"]), parts.get(PARTS["test"])
    if oof is None or test is None:
        return []
    widths = [half_width(values(oof, "error"), level) for level in LEVELS]
    found = [share(int(np.sum(np.abs(values(test, "error")) <= width)), len(test)) for width in widths]
    svg = draw.coverage(
        np.asarray(LEVELS),
        np.asarray([i.value for i in found]),
        np.asarray([i.low for i in found]),
        np.asarray([i.high for i in found]),
        label=target.name,
        width=380,
        height=380,
    )
    caption = (
        "Intervals of several levels, their widths from the out-of-fold errors, tried on the test rows: below the"
        " dashed line they hold less than they promise."
    )
    if run.config.ensemble:
        caption += " The errors are those of single members, so the intervals of their mean may be too wide."
    return [figure(svg, caption)]


def _sentences(rows: pd.DataFrame, target: Target, run: Run) -> list[str]:
    """The bias, and what the interval holds, in words."""
    part, own = judged(rows)
    error = values(own, "error")
    said = [_bias(error, target, part)]
    width = run.predictor.calibration.half_width.get(target.name)
    if part == PARTS["test"] and width is not None and math.isfinite(width):
        held = share(int(np.sum(np.abs(error) <= width)), len(error))
        level = run.predictor.calibration.level
        said.append(
            f"The {numbers.percent(level)} interval, ± {numbers.number(width)} {target.unit}".rstrip()
            + f", holds {numbers.percent_with(held)} of the {numbers.count(len(error))} test values"
            + f"{promised(held, level)}."
        )
    return said


def _bias(error: Float[np.ndarray, " rows"], target: Target, part: str) -> str:
    """Mean error with its interval (mean ± 1.96 standard errors)."""
    mean = float(error.mean())
    if len(error) < 2:
        return (
            f"One {part} row: the error is {numbers.signed(mean, numbers.decimals([mean]))} {target.unit}".rstrip()
            + "."
        )
    half = 1.96 * float(error.std(ddof=1)) / math.sqrt(len(error))
    places = numbers.decimals([mean, half], 2)
    inside = numbers.between(mean - half, mean + half, places)
    size = f"{numbers.signed(mean, places)} {target.unit}".rstrip()
    if mean - half <= 0 <= mean + half:
        return f"No bias can be detected on the {part} rows: the mean error is {size} ({inside})."
    side = "high" if mean > 0 else "low"
    return f"On the {part} rows the predictions are too {side} on average: the mean error is {size} ({inside})."
