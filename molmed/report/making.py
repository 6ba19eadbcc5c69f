"""What a model is for and how it was made: intended use, configuration, versions, how to cite it."""

import ast
import re
from typing import Any

from molmed import catalog
from molmed.experiment.config import to_toml
from molmed.experiment.run import Run
from molmed.report import numbers, words
from molmed.report.page import Section, bullets, code, definitions, notice, section, subtitle

MAX_NAMED = 6
"""Targets named in the line that says what is predicted."""


def use_section(run: Run) -> Section:
    """What the model is for, and what not."""
    targets = ", ".join(words.quantity(t.name, t.unit) + f" [{t.kind}]" for t in run.targets[:MAX_NAMED])
    more, name = len(run.targets) - MAX_NAMED, model_name(run)
    members = run.predictor.model.n_members
    facts = {
        "predicts": targets + (f" and {more} more" if more > 0 else ""),
        "made for": run.task.intended_use,
        "model": name + (f", an ensemble of {members}" if members > 1 else ""),
    }
    if about := _described(name):
        facts["how it works"] = about
    warning = notice(f"It must not be used for {run.task.must_not}.")
    return section("What it is for", definitions(facts), warning, anchor="use")


def model_name(run: Run) -> str:
    """The catalogue name of the encoder or tree."""
    return run.config.model.name or run.task.model


def _entry(model: str) -> catalog.Entry | None:
    return next((e for shelf in ("encoders", "trees") for e in catalog.entries(shelf) if e.name == model), None)


def _described(model: str) -> str:
    """The catalogue's line on an encoder or a tree; "" if it is on neither shelf here."""
    entry = _entry(model)
    return "" if entry is None else entry.description


def sources(model: str) -> list[str]:
    """What the model's own file names as its sources, up to a colon, from its text: nothing is imported."""
    entry = _entry(model)
    if entry is None:
        return []
    tree = ast.parse(entry.path.read_text(encoding="utf-8"))
    texts = [ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef)]
    found = [
        m for text in texts for m in re.findall(r"^\s*Source: (.+?)(?:\n\s*\n|\Z)", text, re.DOTALL | re.MULTILINE)
    ]
    return [" ".join(text.split()).split(": ")[0] for text in found]


def configuration_section(run: Run) -> Section:
    """Every setting, and what it was run with."""
    pairs: dict[str, Any] = {}
    if "date" in run.facts:
        pairs["trained on"] = str(run.facts["date"])
    if "seconds" in run.facts:
        pairs["time to train"] = numbers.duration(float(run.facts["seconds"]))
    if run.facts.get("epochs"):
        pairs["epochs (median of the members)" if run.config.ensemble else "epochs of the final fit"] = numbers.count(
            int(run.facts["epochs"])
        )
    pairs |= {name: str(version) for name, version in run.facts.get("versions", {}).items()}
    blocks = [definitions(pairs)] if pairs else []
    return section("Configuration", *blocks, code(to_toml(run.config)))


def cite_section(run: Run) -> Section:
    """What to name beside a result of this model, so that somebody else can make it again."""
    version = str(run.facts.get("versions", {}).get("molmed", ""))
    name = model_name(run)
    named = [f"The molmed developers: molmed{f' {version}' if version else ''}, model {name}, seed {run.config.seed}."]
    named += [f"{name}: {text.rstrip('.')}." for text in sources(name)]
    named.append("The publication of the data it was trained on.")
    hashes = {
        term: str(run.facts[key])
        for term, key in (("data (SHA-256)", "data_sha256"), ("split (SHA-256)", "split_sha256"))
        if key in run.facts
    }
    blocks = [bullets(named)]
    if hashes:
        blocks += [subtitle("What it can be recognised by"), definitions(hashes)]
    return section("How to cite", *blocks, anchor="cite")
