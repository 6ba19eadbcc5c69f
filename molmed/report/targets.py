"""What is told of each target: its plots, its scaffolds, its worst predictions."""

import pandas as pd
from markupsafe import Markup

from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.classes import class_plots
from molmed.report.honest import PARTS, honest
from molmed.report.members import member_blocks
from molmed.report.page import Section, folded, notice, paragraph, section, subtitle
from molmed.report.regression import regression_plots
from molmed.report.scaffolds import scaffold_blocks
from molmed.report.scores import deciding, metrics_table, parts_of
from molmed.report.worst import worst_blocks
from molmed.targets import Target

MAX_TOLD = 12
"""Targets with plots of their own; chosen, so that a page of a hundred assays stays a page."""

MAX_DRAWN = 3
"""Targets whose scaffolds and worst predictions are drawn, among several."""


def target_sections(run: Run) -> list[Section]:
    """Sections on the only target, or one section in which each of several can be opened."""
    if run.predictions.empty:
        return []
    if len(run.targets) == 1:
        (target,) = run.targets
        rows = honest(run, target)
        if rows.empty:
            return []
        titles = {
            "Predicted against measured": [*plots(rows, target, run), *member_blocks(rows, target)],
            "Error by scaffold": scaffold_blocks(rows, target, run),
            "Worst predictions": worst_blocks(rows, target, run),
        }
        return [section(title, *blocks) for title, blocks in titles.items() if blocks]
    return [_each(run)]


def plots(rows: pd.DataFrame, target: Target, run: Run) -> list[Markup]:
    """The figures that fit the kind of target."""
    if target.kind == "regression":
        return regression_plots(rows, target, run)
    if target.kind == "binary":
        return class_plots(rows, target, run)
    return []


def _each(run: Run) -> Section:
    blocks = []
    for number, target in enumerate(run.targets[:MAX_TOLD]):
        rows = honest(run, target)
        inside = [metrics_table(run, target)] if run.scores else []
        if rows.empty:
            inside.append(notice("No row has both a prediction and a measured value."))
        else:
            inside += [*plots(rows, target, run), *member_blocks(rows, target)]
            if number < MAX_DRAWN:
                for title, made in (
                    ("Error by scaffold", scaffold_blocks(rows, target, run)),
                    ("Worst predictions", worst_blocks(rows, target, run)),
                ):
                    inside += [subtitle(title), *made] if made else []
        small = _small(run, target)
        blocks.append(folded(target.name, *inside, small=small, unfolded=number == 0, anchor=f"target-{number + 1}"))
    lead = "Open a target for its plots; printed, all are open."
    if len(run.targets) > MAX_DRAWN and "smiles" in run.predictions:
        lead += f" Scaffolds and worst predictions are drawn for the first {MAX_DRAWN} targets."
    if len(run.targets) > MAX_TOLD:
        lead += f" The other {len(run.targets) - MAX_TOLD} targets are left out."
    return section("Target by target", paragraph(lead), *blocks, anchor="targets")


def _small(run: Run, target: Target) -> str:
    """The deciding score of the target in a line."""
    parts = parts_of(run)
    if not parts:
        return ""
    name = deciding(run, target)
    found = run.scores[parts[-1]].get(target.name, {}).get(name)
    if found is None:
        return ""
    value = f"{numbers.fixed(found.value, numbers.decimals([found.value]))} {words.metric_unit(name, target.unit)}"
    return f"{words.metric_name(name)} {value.rstrip()}, {PARTS.get(parts[-1], parts[-1])}"
