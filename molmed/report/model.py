"""The page of one model: what it is for, what it learnt from, how good it is, where it is wrong."""

import math
import time
from pathlib import Path

import numpy as np

from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.fragment import Shown, shown
from molmed.report.honest import PARTS
from molmed.report.making import cite_section, configuration_section, model_name, use_section
from molmed.report.page import group, notice, page, save
from molmed.report.scores import score_tables, scores_section
from molmed.report.targets import target_sections
from molmed.report.training import training_section
from molmed.report.training_data import data_section


def model_page(run: Run, *, when: str, title: str = "") -> str:
    """One HTML document on a model, as `fit` returned or `load` restored it.

    Args:
        when: the date to print.
        title: by default the model's name and what it predicts.
    """
    names = ", ".join(t.name for t in run.targets[:3]) + (" and more" if len(run.targets) > 3 else "")
    training = training_section(run)
    sections = [use_section(run), scores_section(run), *target_sections(run), data_section(run)]
    sections += [] if training is None else [training]
    sections += [configuration_section(run), cite_section(run)]
    task = run.config.task.replace("_", " ") or "its task"
    lead = f"A model for {task}, trained on {words.plural(_trained_on(run), 'row')}."
    return page(title or f"{model_name(run)}: {names}", sections, when=when, lead=lead, tiles=_tiles(run))


def write_model_page(run: Run, path: str | Path, *, when: str = "", title: str = "") -> Path:
    """Write the page of a model to a file; its path is returned.

    Args:
        when: the date to print; today unless given.
        title: see `model_page`.

    Raises:
        InputError: it cannot be written there.
    """
    return save(path, model_page(run, when=when or time.strftime("%Y-%m-%d"), title=title))


def run_shown(run: Run) -> Shown:
    """What a notebook shows of a run: its scores, and what it must not be used for."""
    names = ", ".join(t.name for t in run.targets[:3]) + (" and more" if len(run.targets) > 3 else "")
    held = int(run.facts.get("rows_test", 0))
    told = f"trained on {words.plural(_trained_on(run), 'row')}" + (f", {numbers.count(held)} held out" if held else "")
    lead = group(f"{model_name(run)} for {names}: {told}")
    return shown(lead, *score_tables(run), notice(f"It must not be used for {run.task.must_not}."))


def _trained_on(run: Run) -> int:
    return int(run.facts.get("rows_train", run.facts.get("rows_used", 0)))


def _tiles(run: Run) -> dict[str, tuple[str, str]]:
    tiles = {}
    metric = run.task.metric
    for part, scores in run.scores.items():
        known = [by_metric[metric] for by_metric in scores.values() if metric in by_metric]
        values = [i.value for i in known if not math.isnan(i.value)]
        if not values:
            continue
        places = numbers.decimals(values)
        unit = words.metric_unit(metric, run.targets[0].unit)
        inside = numbers.between(known[0].low, known[0].high, places)
        small = f"({inside})" if len(scores) == 1 and inside != numbers.UNKNOWN else ""
        caption = f"{words.metric_name(metric)}, {PARTS.get(part, part)}" + (" (mean)" if len(scores) > 1 else "")
        tiles[caption] = (numbers.fixed(float(np.mean(values)), places), f"{unit} {small}".strip())
    if "rows_train" in run.facts:
        tiles["rows trained on"] = (numbers.count(_trained_on(run)), "")
    if run.facts.get("rows_test"):
        tiles["rows held out"] = (numbers.count(int(run.facts["rows_test"])), "")
    if run.predictor.model.n_members > 1:
        tiles["members"] = (numbers.count(run.predictor.model.n_members), "models of one fold each")
    return tiles
