"""The scores of a model: a table of metrics, and for many targets one line each."""

import math

from markupsafe import Markup

from molmed import draw
from molmed.experiment.run import Run
from molmed.metrics import metric
from molmed.report import numbers, words
from molmed.report.honest import PARTS
from molmed.report.page import Column, Section, definitions, figure, notice, paragraph, section, subtitle, table
from molmed.report.stacked import stacked, under
from molmed.results import Interval
from molmed.targets import Target

MAX_DRAWN = 30
"""Targets in the plot of intervals."""

MAX_WIDTHS = 12
"""Targets whose interval widths are listed."""


def parts_of(run: Run) -> list[str]:
    """The scored parts, out-of-fold first."""
    return [p for p in PARTS if p in run.scores] + [p for p in run.scores if p not in PARTS]


def scores_section(run: Run) -> Section:
    """The whole section."""
    parts = parts_of(run)
    if not parts:
        return section("Scores", notice("No score was made: no row was held out and no fold was left out."))
    blocks = _overview(run) if len(run.targets) > 1 else [metrics_table(run, run.targets[0])]
    if "out_of_fold" in parts:
        folds = run.config.split.folds
        shown = f" ({folds} folds)" if folds else ""
        blocks.append(
            paragraph(f"Out-of-fold: each of the training rows predicted by a model that had not seen it{shown}.")
        )
    if "test" in parts:
        final = f"the mean of the {run.predictor.model.n_members} members" if run.config.ensemble else "the final model"
        blocks.append(paragraph(f"Test: rows held out before training began, predicted once by {final}."))
    else:
        blocks.append(notice("No test rows were held out; the out-of-fold scores are the only honest ones."))
    return section("Scores", *blocks, *_intervals_of_predictions(run))


def score_tables(run: Run) -> list[Markup]:
    """Every metric of the only target, or the deciding metric of each of several; nothing where none was made."""
    if not parts_of(run):
        return []
    return _overview(run)[:1] if len(run.targets) > 1 else [metrics_table(run, run.targets[0])]


def metrics_table(run: Run, target: Target) -> Markup:
    """Every metric of one target, one column per part."""
    parts = parts_of(run)
    rows: list[tuple[str | Markup, ...]] = []
    for name in dict.fromkeys(name for part in parts for name in run.scores[part].get(target.name, {})):
        found = [run.scores[part].get(target.name, {}).get(name) for part in parts]
        places = numbers.decimals([i.value for i in found if i is not None])
        rows.append(
            (under(words.metric_label(name, target.unit), words.better(name)), *(stacked(i, places) for i in found))
        )
    columns = [Column("metric"), *(Column(PARTS.get(p, p), True) for p in parts)]
    level = numbers.percent(_level(run))
    caption = f"Value and {level} interval, by resampling the rows (bootstrap, percentile method, 1,000 resamples)."
    return table(columns, rows, caption=caption)


def _level(run: Run) -> float:
    levels = [i.level for scores in run.scores.values() for by in scores.values() for i in by.values()]
    return levels[0] if levels else 0.95


def deciding(run: Run, target: Target) -> str:
    """The metric a target is judged by: the task's, where it is of the target's kind."""
    scored = next((by for by in (run.scores[p].get(target.name, {}) for p in reversed(parts_of(run))) if by), {})
    return run.task.metric if run.task.metric in scored else next(iter(scored), run.task.metric)


def _overview(run: Run) -> list[Markup]:
    """One line per target: the deciding metric of each part, the best test score first in the plot."""
    parts = parts_of(run)
    names = {t.name: deciding(run, t) for t in run.targets}
    same = len(set(names.values())) == 1
    lines = []
    found: dict[str, list[Interval | None]] = {part: [] for part in parts}
    for target in run.targets:
        own = [run.scores[part].get(target.name, {}).get(names[target.name]) for part in parts]
        places = numbers.decimals([i.value for i in own if i is not None])
        cells = [stacked(i, places) for i in own]
        label = [] if same else [words.metric_label(names[target.name], target.unit)]
        lines.append((words.quantity(target.name, target.unit), *label, *cells))
        for part, i in zip(parts, own, strict=True):
            found[part].append(i)
    columns = [Column("target"), *([] if same else [Column("metric")]), *(Column(PARTS.get(p, p), True) for p in parts)]
    name = names[run.targets[0].name]
    caption = f"{words.metric_name(name)} of every target, {words.better(name)}." if same else ""
    blocks = [table(columns, lines, caption=caption)]
    if not same or not any(i is not None and not math.isnan(i.value) for own in found.values() for i in own):
        return blocks
    last = found[parts[-1]]
    sign = -1 if metric(name).greater_is_better else 1
    order = sorted(
        range(len(run.targets)),
        key=lambda i: math.inf if last[i] is None or math.isnan(last[i].value) else sign * last[i].value,  # type: ignore[union-attr]
    )[:MAX_DRAWN]
    units = {t.unit for t in run.targets}
    svg = draw.intervals(
        [run.targets[i].name for i in order],
        {PARTS.get(p, p): [found[p][i] for i in order] for p in parts},
        label=words.metric_label(name, units.pop() if len(units) == 1 else ""),
        note=words.better(name),
    )
    cut = len(run.targets) > MAX_DRAWN
    return [*blocks, figure(svg, f"The best {MAX_DRAWN} targets." if cut else "Each line is a 95 % interval.")]


def _intervals_of_predictions(run: Run) -> list[Markup]:
    calibration = run.predictor.calibration
    if not calibration.half_width:
        return []
    level = numbers.percent(calibration.level)
    widths = {
        words.quantity(t.name, t.unit): f"± {numbers.number(calibration.half_width[t.name])}"
        for t in run.targets[:MAX_WIDTHS]
        if t.name in calibration.half_width
    }
    text = (
        f"Every prediction comes with an interval that holds a new measurement in {level} of the cases, for compounds"
        " like those of the training file. Its width comes from the out-of-fold errors:"
    )
    return [subtitle("Intervals of single predictions"), paragraph(text), definitions(widths)]
