"""Train a model on a file of measured values."""

import argparse
import shutil
from collections.abc import Sequence
from dataclasses import asdict, field, make_dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro

from molmed import catalog
from molmed.cli._arguments import parse
from molmed.errors import ConfigError
from molmed.experiment import build
from molmed.experiment.config import Config, SplitConfig, read_toml, structure
from molmed.experiment.ensemble import folds_of
from molmed.nn.join import JoinConfig
from molmed.train.config import TrainConfig


def main(words: Sequence[str]) -> int:
    """Run the verb."""
    before = _before(words)
    example = "nav17.csv --smiles smiles --target pAct --model dmpnn --cv 5 --out nav17.molmed"
    given: Any = parse(_arguments(before), "train", words, example=example, reads=True)
    config = _config(before, given)
    from molmed import artefact
    from molmed.cli._said import rows, say, scores
    from molmed.experiment.fit import fit_config
    from molmed.train.observers import ProgressBar

    artefact.check_place(given.out)
    partial = given.out.with_name(given.out.name + ".partial")
    run = fit_config(given.file, config, watch=lambda label: [ProgressBar(label)], folder=partial, resume=given.resume)
    run.save(given.out)
    shutil.rmtree(partial, ignore_errors=True)
    facts = run.facts
    say(*facts["said"])
    refused = ", ".join(f"{n:,} {reason}" for reason, n in facts["rejected"].items())
    say(
        f"{facts['rows_read']:,} rows read, {facts['rows_used']:,} used"
        + (f" (not used: {refused})" if refused else "")
    )
    for part, found in run.scores.items():
        scores(part.replace("_", "-"), found)
    kept = [("model", str(given.out)), ("seconds", str(facts["seconds"]))]
    kept += [("epochs", str(facts["epochs"]))] if facts["epochs"] else []  # trees have none
    rows(config.model.name or build.task(run.config).model, ("", " "), kept)
    return 0


def _before(words: Sequence[str]) -> Config:
    """The configuration as far as it decides which further flags there are: TOML, task and model."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--config", "--task", "--model"):
        first.add_argument(name, default="")
    found, _ = first.parse_known_args(list(words))
    config = read_toml(Path(found.config)) if found.config else Config()
    other = bool(found.model) and found.model != config.model.name
    # settings of one model mean nothing to another
    model = replace(config.model, encoder={}, featurizer={}, features="") if other else config.model
    return replace(config, task=found.task or config.task, model=replace(model, name=found.model or model.name))


def _arguments(config: Config) -> type:
    """The verb's flags, for one model: those that everybody needs without a prefix, the rest by section."""
    known = config if config.task else replace(config, task="activity")
    slot = build.task(known).slots[0].name
    reader = build.readers(known)[slot]
    tree = build.is_tree(known)
    entry = catalog.load("trees" if tree else "encoders", reader.model)
    settings = structure(entry.Config, reader.options, "model.encoder")
    _, featurizer = reader.featurizers[0]
    data = config.data
    file = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(help="rows to learn from", metavar="FILE")]
    out = Annotated[Path, tyro.conf.arg(help="folder of the model, e.g. nav17.molmed", metavar="FOLDER")]
    config_file = tyro.conf.arg(help="a TOML with any of these settings; flags override it", metavar="TOML")
    flags: list[Any] = [
        ("out", out),
        ("file", file, field(default=Path(data.path))) if data.path else ("file", file),
        ("config", Annotated[Path | None, config_file], field(default=None)),
        _flag("task", str, config.task, "entry of the tasks shelf; empty: guessed from the labels"),
        _flag("model", str, config.model.name, "an encoder or a tree; empty: the task's default"),
        _flag("features", str, config.model.features, "featurizer of the model; empty: its first"),
        _flag("smiles", str, data.smiles, "column of the structures; empty: guessed"),
        _flag("id", str, data.id, "column of the ids; empty: guessed"),
        _flag("target", tuple[str, ...], data.targets, "columns to predict"),
        _flag("columns", tuple[str, ...], data.columns, "columns of the patient slot; empty: all that are left"),
        _flag("fold", str, data.fold, "column of fold names, for --split.name predefined"),
        _flag("standardise", bool, data.standardise, "strip salts, neutralise, ..."),
        _flag("store", str, data.store, "folder that keeps molecules and features for the next fit; empty: none"),
        _flag("jobs", int, data.jobs, "processes that fill the store; 0: one for each core"),
        _flag("unit", str, config.unit, "unit of the targets"),
        _flag("cv", int, config.split.folds, "folds of the out-of-fold predictions; 0: none, and no intervals"),
        _flag(
            "ensemble",
            int,
            config.split.folds * config.ensemble,
            "folds whose models are kept as members; 0: one model",
        ),
        _flag("seed", int, config.seed, "of everything that is drawn but the split"),
        _flag("device", str, config.train.device, "cpu, cuda, or auto: CUDA where there is a device"),
        _flag("batch_size", int, config.model.batch_size, "rows a step"),
        _flag("batch_window", int, config.model.batch_window, "batches whose rows are sorted by size; 1: none"),
        _flag("batch_elements", int, config.model.batch_elements, "most atoms or tokens a step; 0: --batch-size rows"),
        _flag("resume", bool, False, "go on from OUT.partial, which an interrupted run has left"),
        ("split", SplitConfig, field(default=config.split)),
        ("train", TrainConfig, field(default=config.train)),
        ("tree" if tree else "encoder", entry.Config, field(default=settings)),
        ("featurizer", type(featurizer.config), field(default=featurizer.config)),
    ]
    flags += [] if tree else [("join", JoinConfig, field(default=config.model.join))]
    made = make_dataclass("Train", flags)
    made.__doc__ = f"Train {reader.model} on a file of measured values; --model NAME --help shows another's settings."
    return made


def _flag(name: str, kind: Any, default: Any, text: str) -> tuple[str, Any, Any]:
    return (name, Annotated[kind, tyro.conf.arg(help=text)], field(default=default))


def _config(before: Config, given: Any) -> Config:
    """The configuration that the flags make of the TOML's.

    Raises:
        ConfigError: other folds asked for by --cv than by --ensemble, or a setting out of range.
    """
    folds = given.cv
    if given.ensemble:
        folds = folds_of(given.ensemble, given.cv if given.cv != before.split.folds else 0)
    model = {
        "name": given.model,
        "features": given.features,
        "encoder": asdict(getattr(given, "encoder", None) or given.tree),
        "featurizer": asdict(given.featurizer),
        "batch_size": given.batch_size,
        "batch_window": given.batch_window,
        "batch_elements": given.batch_elements,
    }
    data = {
        "path": str(given.file),
        "smiles": given.smiles,
        "id": given.id,
        "targets": given.target,
        "columns": given.columns,
        "fold": given.fold,
        "standardise": given.standardise,
        "store": given.store,
        "jobs": given.jobs,
    }
    changed = {
        "task": given.task,
        "unit": given.unit,
        "seed": given.seed,
        "ensemble": bool(given.ensemble),
        "data": asdict(before.data) | data,
        "split": asdict(given.split) | {"folds": folds},
        "train": asdict(given.train) | {"device": _device(before.train.device, given)},
        "model": asdict(before.model) | model | ({"join": asdict(given.join)} if hasattr(given, "join") else {}),
    }
    return structure(Config, changed)


def _device(before: str, given: Any) -> str:
    """What --device or --train.device says, which are one setting.

    Raises:
        ConfigError: they say different things.
    """
    said = {given.device, given.train.device} - {before}
    if len(said) > 1:
        came = f"--device {given.device} and --train.device {given.train.device}"
        raise ConfigError("setting the device", came, "one of them", "leave one out")
    return said.pop() if said else before
