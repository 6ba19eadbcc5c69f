"""The page of a comparison: which model is better than which, in words, in numbers and in a plot of intervals."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from molmed import draw
from molmed.data import write as table_of_data
from molmed.experiment.comparison import MEAN, Comparison, Difference
from molmed.report import numbers, words
from molmed.report.fragment import Shown, shown
from molmed.report.page import (
    Column,
    Section,
    beside,
    bullets,
    figure,
    group,
    notice,
    page,
    paragraph,
    save,
    section,
    subtitle,
    table,
)
from molmed.report.stacked import stacked, under
from molmed.results import Interval

MAX_TARGETS = 12
"""Targets with a section of their own; chosen, so that a page of a hundred assays stays a page."""

MAX_SENTENCES = 6
"""Detected differences that have a sentence each: those of four models."""

MAX_PAIRS = 30
"""Differences drawn for a target: those of eight models."""

_SOURCES = {"out_of_fold": "out-of-fold predictions", "test": "predictions of the test rows"}


def comparison_page(made: Comparison, *, when: str, title: str = "", file: str = "") -> str:
    """One HTML document on a comparison.

    Args:
        when: the date to print.
        file: name of the file that was predicted.
    """
    targets = _ordered(made)
    sections = []
    if len(targets) > 1:
        sections.append(section("All targets", _overview_table(made, targets), anchor="targets"))
    sections += [_target(made, target, len(targets) > 1) for target in targets[:MAX_TARGETS]]
    sections += [_rows(made), section("How it was done", paragraph(made.method), anchor="method")]
    source = _SOURCES.get(made.part, f"predictions of {file}" if file else "predictions")
    compared = f"{words.plural(len(made.models), 'model').capitalize()} compared by their {source}"
    lead = f"{compared}, {made.against} with each of the others." if made.against else f"{compared}."
    heading = title or "Models compared: " + ", ".join(made.models[:3]) + (" and more" if len(made.models) > 3 else "")
    return page(heading, sections, when=when, lead=lead, tiles=_tiles(made))


def comparison_shown(made: Comparison) -> Shown:
    """What a notebook shows of a comparison: what was found, and the scores."""
    targets = _ordered(made)
    blocks = [] if len(targets) == 1 else [_overview_table(made, targets)]
    for target in targets[:1]:
        own = [d for d in made.differences if d.target == target]
        blocks += [group(f"{made.deciding[target]} of {target}")] if len(targets) > 1 else []
        blocks += [bullets(_sentences(made, target, own)), _scores(made, target, made.best_first(target))]
    return shown(*blocks, *([bullets(made.said)] if made.said else []))


def _ordered(made: Comparison) -> list[str]:
    """The targets, their mean first."""
    return sorted(made.deciding, key=lambda target: target != MEAN)


def _tiles(made: Comparison) -> dict[str, tuple[str, str]]:
    found = sum(bool(d.better) for d in made.differences)
    rows = [counted.compared for counted in made.counts.values()]
    shown = numbers.count(rows[0]) if len(set(rows)) == 1 else f"{numbers.count(min(rows))}–{numbers.count(max(rows))}"
    varies = len(set(rows)) > 1
    return {
        "models": (numbers.count(len(made.models)), ""),
        "rows compared": (shown, "depending on the target" if varies else ""),
        "differences detected": (numbers.count(found), f"of {numbers.count(len(made.differences))} comparisons"),
    }


def _label(made: Comparison, target: str) -> str:
    """The deciding metric with its unit."""
    units = {t.name: t.unit for t in made.targets} | {MEAN: made.targets[0].unit}
    return words.metric_label(made.deciding[target], units[target])


def _score(made: Comparison, model: str, target: str) -> Interval:
    return made.scores[model][target][made.deciding[target]]


def _overview_table(made: Comparison, targets: Sequence[str]) -> Markup:
    rows = []
    for target in targets:
        best, *_ = made.best_first(target)
        places = numbers.decimals([_score(made, best, target).value])
        cells = [target, words.metric_name(made.deciding[target]), best]
        cells.append(numbers.with_interval(_score(made, best, target), places))
        rows.append((*cells, _beaten(made, target, best)))
    columns = [Column("target"), Column("compared by"), Column("highest ranked"), Column("score", True)]
    columns.append(Column("detectably worse"))
    return table(columns, rows)


def _beaten(made: Comparison, target: str, best: str) -> str:
    worse = [d.a if d.b == best else d.b for d in made.differences if d.target == target and d.better == best]
    if not worse:
        return "none"
    return "all others" if len(worse) == len(made.models) - 1 else ", ".join(worse)


def _target(made: Comparison, target: str, many: bool) -> Section:
    order = made.best_first(target)
    own = [d for d in made.differences if d.target == target]
    blocks = [bullets(_sentences(made, target, own)), _scores(made, target, order)]
    figures = drawn(made, target)
    if figures:
        blocks.append(beside(*figures))
    blocks += [subtitle("Every comparison"), _differences(made, target, own)]
    title = target if many else f"Which model is better for {target}?"
    return section(title, *blocks, anchor=f"target-{list(made.deciding).index(target)}")


def _sentences(made: Comparison, target: str, own: Sequence[Difference]) -> list[str]:
    """What was found, one sentence per difference; a long list is summed up."""
    found = [d for d in own if d.better]
    if all(math.isnan(d.p) for d in own):
        return ["Too few rows to tell any model from another: the score is not defined in too many resamples."]
    if not found:
        n = len(made.models)
        return [f"No detectable difference between {'the two' if n == 2 else f'any of the {n}'} models."]
    if len(found) > MAX_SENTENCES:
        best, *_ = made.best_first(target)
        worse = _beaten(made, target, best)
        said = [f"{best} has the best score; detectably worse: {worse}."]
        return [*said, f"A difference was detected in {len(found)} of {len(own)} comparisons."]
    said = [f"{d.verdict}: {_apart(made, target, d)}." for d in found]
    if others := len(own) - len(found):
        rest = "the other comparison" if others == 1 else f"the other {words.plural(others, 'comparison')}"
        said.append(f"No detectable difference in {rest}.")
    return said


def _apart(made: Comparison, target: str, d: Difference) -> str:
    """By how much the better one is better: "RMSE lower by 0.061 (0.035 to 0.087)"."""
    i = d.interval
    low, high = sorted((abs(i.low), abs(i.high)))
    places = _places([d])
    way = "lower" if (i.value < 0) == (d.better == d.a) else "higher"
    name = words.metric_name(made.deciding[target])
    return f"{name} {way} by {numbers.fixed(abs(i.value), places)} ({numbers.between(low, high, places)})"


def _scores(made: Comparison, target: str, order: Sequence[str]) -> Markup:
    names = list(made.scores[order[0]][target])
    units = {t.name: t.unit for t in made.targets} | {MEAN: made.targets[0].unit}
    places = {n: numbers.decimals([made.scores[m][target][n].value for m in order]) for n in names}
    letters = {m: group for m, group in made.letters.get(target, {}).items() if group}
    columns = [Column("model"), *([Column("group")] if letters else [])]
    columns += [Column(words.metric_label(n, units[target]), True) for n in names]
    rows = []
    for model in order:
        cells: list[str | Markup] = [model, *([letters[model]] if letters else [])]
        rows.append((*cells, *(stacked(made.scores[model][target][n], places[n]) for n in names)))
    caption = (
        f"Scores with {numbers.percent(made.level)} intervals; {words.better(names[0])} for {_label(made, target)}"
    )
    caption += ", by which the models are compared." if len(names) > 1 else "."
    caption += " Models with a letter in common cannot be told apart." if letters else ""
    return table(columns, rows, caption=caption)


def drawn(made: Comparison, target: str) -> list[Markup]:
    """The figures of one target: its scores with their intervals, and the differences with theirs."""
    label, name = _label(made, target), made.deciding[target]
    order, own = made.best_first(target), [d for d in made.differences if d.target == target]
    level = numbers.percent(made.level)
    values = [_score(made, model, target) for model in order]
    blocks = []
    if any(math.isfinite(i.value) for i in values):
        svg = draw.intervals(order, {"": values}, label=label, note=words.better(name))
        blocks.append(figure(svg, f"Each point is a score, each line its {level} interval."))
    known = [d for d in own if math.isfinite(d.interval.value)][:MAX_PAIRS]
    if known:
        rows = [f"{d.a} − {d.b}" for d in known]
        apart = [d.interval for d in known]
        # equal names would fall onto one line of the drawing
        if len(set(rows)) == len(rows):
            svg = draw.intervals(rows, {"": apart}, label=f"difference in {label}", reference=0)
            caption = f"Differences on the same rows with {level} intervals, not corrected for their number."
            blocks.append(figure(svg, caption))
    return blocks


def _differences(made: Comparison, target: str, own: Sequence[Difference]) -> Markup:
    places = _places(own)
    rows = [(_named(d), stacked(d.interval, places, sign=True), _p(d.p_holm), _p(d.p)) for d in own]
    columns = [Column("comparison"), Column(f"difference in {_label(made, target)}", True)]
    columns += [Column("p, corrected", True), Column("p", True)]
    caption = (
        f"Score of the first model less that of the second with its {numbers.percent(made.level)} interval;"
        f" {words.better(made.deciding[target])}. An interval that holds 0 holds a difference of nothing as well."
    )
    strong = [i for i, d in enumerate(own) if d.better]
    return table(columns, rows, caption=caption, strong=strong)


def _named(d: Difference) -> Markup:
    """The two models, and in small print what was found."""
    return under(f"{d.a} − {d.b}", _short(d))


def _p(value: float) -> str:
    if math.isnan(value):
        return numbers.UNKNOWN
    if value < 0.001:
        return "< 0.001"
    return numbers.fixed(value, 2) if value >= 0.1 else numbers.number(value, 2)


def _short(d: Difference) -> str:
    if d.better:
        return f"{d.better} is better"
    return d.verdict.replace(f" between {d.a} and {d.b}", "").replace(f" to tell {d.a} from {d.b}", "")


def _rows(made: Comparison) -> Section:
    blocks: list[Markup] = []
    flattered = {m for c in made.counts.values() for m, n in c.trained.items() if n}
    unknown = {m for c in made.counts.values() for m, n in c.trained.items() if n is None}
    if flattered:
        text = f"Among the rows compared are some that {_listed(flattered)} learnt from; that flatters"
        blocks.append(notice(f"{text} {'it' if len(flattered) == 1 else 'them'}."))
    if unknown:
        text = f"{_listed(unknown)} {'does' if len(unknown) == 1 else 'do'} not remember the rows learnt from"
        blocks.append(notice(f"{text}: some may be among those compared."))
    shown = list(made.counts.items())[: 10 * MAX_TARGETS]
    columns = [Column("target"), Column("with a measured value", True), Column("compared", True)]
    columns += [Column(f"not predicted by {m}", True) for m in made.models if any(c.unpredicted[m] for _, c in shown)]
    columns += [Column(f"{m} learnt from", True) for m in made.models if m in flattered]
    more = {
        "left out: learnt from": [c.left_out_trained for _, c in shown],
        "left out: other values": [c.disagreeing for _, c in shown],
    }
    columns += [Column(name, True) for name, counts in more.items() if any(counts)]
    rows = []
    for i, (target, c) in enumerate(shown):
        cells = [c.measured, c.compared]
        cells += [c.unpredicted[m] for m in made.models if any(other.unpredicted[m] for _, other in shown)]
        cells += [c.trained[m] or 0 for m in made.models if m in flattered]
        cells += [counts[i] for counts in more.values() if any(counts)]
        rows.append((target, *map(numbers.count, cells)))
    blocks.append(table(columns, rows))
    said = [s for s in made.said if "are not in all models" in s]
    if made.rejected:
        said.append(f"{words.plural(len(made.rejected), 'measured value').capitalize()} could not be read.")
    if said:
        blocks.append(bullets(said))
    return section("The rows", *blocks, anchor="rows")


def _listed(names: set[str]) -> str:
    *first, last = sorted(names)
    return f"{', '.join(first)} and {last}" if first else last


def write(made: Comparison, folder: str | Path, *, when: str, file: str = "") -> list[Path]:
    """Write comparison.html, comparison.json, scores.csv, differences.csv and predictions.parquet; their paths.

    Raises:
        InputError: the folder cannot be written to.
    """
    folder = Path(folder)
    frames = {
        "scores.csv": made.scores_frame(),
        "differences.csv": made.differences_frame(),
        "predictions.parquet": made.predictions,
    }
    for name, frame in frames.items():
        table_of_data.write(folder / name, frame)
    texts = {
        "comparison.html": comparison_page(made, when=when, file=file),
        "comparison.json": json.dumps(made.plain(), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        save(folder / name, text)
    return [folder / name for name in (*texts, *frames)]


def scores_table(made: Comparison) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) of the deciding scores in plain text, the best model of each target first."""
    many, grouped = len(made.deciding) > 1, bool(made.letters)
    names = [*(["target"] if many else []), "model", *(["group"] if grouped else []), "score"]
    names += ["value", f"{numbers.percent(made.level)} interval"]
    lines = []
    for target in _ordered(made):
        order = made.best_first(target)
        places = numbers.decimals([_score(made, m, target).value for m in order])
        for i, model in enumerate(order):
            score = _score(made, model, target)
            cells = [target if i == 0 else ""] if many else []
            cells += [model, *([made.letters[target][model]] if grouped else []), made.deciding[target]]
            cells += [numbers.fixed(score.value, places), numbers.between(score.low, score.high, places)]
            lines.append(cells)
    return names, lines


def differences_table(made: Comparison) -> tuple[list[str], list[list[str]]]:
    """(columns, rows) of the comparisons in plain text; an interval stands on a second line below its difference."""
    many = len(made.deciding) > 1
    names = [*(["target"] if many else []), "model", "less", "difference", "p, corrected", "in words"]
    lines = []
    for target in _ordered(made):
        own = [d for d in made.differences if d.target == target]
        places = _places(own)
        for i, d in enumerate(own):
            inside = numbers.between(d.interval.low, d.interval.high, places)
            size = numbers.signed(d.interval.value, places) + ("" if inside == numbers.UNKNOWN else f"\n{inside}")
            lines.append([*([target if i == 0 else ""] if many else []), d.a, d.b, size, _p(d.p_holm), _short(d)])
    return names, lines


def _places(own: Sequence[Difference]) -> int:
    return numbers.decimals([d.interval.value for d in own] + [d.interval.high - d.interval.low for d in own])
