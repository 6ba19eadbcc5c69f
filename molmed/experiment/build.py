"""Where names become objects: task, split, featurizers, trees. Networks are built in `neural`, which needs torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from molmed import catalog
from molmed.data.splits import Split
from molmed.errors import ConfigError, UnknownNameError
from molmed.experiment.config import Config, structure
from molmed.features import Featurizer
from molmed.targets import Slot, Target
from molmed.tasks import Task
from molmed.trees import Tree


@dataclass(frozen=True)
class Reader:
    """How one slot is read: the encoder (or tree) by name, its settings, and the featurizers that feed it."""

    model: str
    options: Mapping[str, Any]
    featurizers: tuple[tuple[str, Featurizer], ...]


def task(config: Config) -> Task:
    """The task by name.

    Raises:
        UnknownNameError: no such task.
    """
    loaded: Task = catalog.load("tasks", config.task)
    return loaded


def split(config: Config) -> Split:
    """The split by name, or the task's default.

    Raises:
        UnknownNameError: no such split.
    """
    made: Split = catalog.load("splits", config.split.name or task(config).split)()
    return made


def targets(config: Config) -> tuple[Target, ...]:
    """The targets the user named, with the task's kind.

    Raises:
        ConfigError: none named, or one named twice.
    """
    names = config.data.targets
    if not names or len(set(names)) < len(names):
        raise ConfigError("declaring targets", f"{list(names)}", "one or more different columns", "name --target")
    asked = task(config)
    return tuple(Target(name, asked.kind, config.unit or asked.unit) for name in names)


def is_tree(config: Config) -> bool:
    """Whether the configured model is a tree.

    Raises:
        UnknownNameError: it is neither an encoder nor a tree.
    """
    name = config.model.name or task(config).model
    trees, encoders = catalog.names("trees"), catalog.names("encoders")
    if name not in trees and name not in encoders:
        raise UnknownNameError("looking up a model", name, (*trees, *encoders))
    return name in trees


def readers(config: Config) -> dict[str, Reader]:
    """Slot name -> how it is read. The first slot has the configured model, further ones the task's encoders.

    Raises:
        UnknownNameError: an unknown encoder, tree or featurizer.
        ConfigError: a featurizer that does not fit the encoder or the slot, or a wrong setting.
    """
    asked, model = task(config), config.model
    made = {}
    for position, slot in enumerate(asked.slots):
        own = model.slots.get(slot.name, {})
        name = (model.name or asked.model) if position == 0 else own.get("name", asked.encoders.get(slot.name, ""))
        if is_tree(config):
            made[slot.name] = _tree_reader(model.name or asked.model, slot, config)
            continue
        features = model.features if position == 0 else own.get("features", "")
        options = model.featurizer if position == 0 else own.get("featurizer", {})
        encoder = catalog.load("encoders", name)
        featurizer = _featurizer(features or _default(encoder.features, slot, name), options, encoder.features, slot)
        settings = model.encoder if position == 0 else own.get("encoder", {})
        made[slot.name] = Reader(name, settings, (featurizer,))
    return made


def _tree_reader(name: str, slot: Slot, config: Config) -> Reader:
    """Trees read any vector features: their own, or the ones named, joined by "+"."""
    tree: type[Tree] = catalog.load("trees", name)
    wanted: tuple[str, ...] = ("columns",)
    options: Mapping[str, Any] = {}
    if slot.subject == "molecule":
        wanted = tuple(config.model.features.split("+")) if config.model.features else tree.features
        options = _by_featurizer(wanted, config.model.featurizer)
    made = tuple(_featurizer(w, options.get(w, {}), (), slot) for w in wanted)
    for feature, featurizer in made:
        if featurizer.kind != "vector" or (featurizer.gaps and not tree.gaps):
            came = f"{feature!r}, which " + ("may hold gaps" if featurizer.kind == "vector" else "makes no vectors")
            raise ConfigError(f"feeding the tree {name!r}", came, "vectors" + " without gaps" * (not tree.gaps))
    return Reader(name, config.model.encoder, made)


def _by_featurizer(wanted: tuple[str, ...], options: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Settings of several featurizers: a table under each one's name; what stands outside is the first one's."""
    own = {name: options[name] for name in wanted if name in options and len(wanted) > 1}
    for name, table in own.items():
        if not isinstance(table, Mapping):
            raise ConfigError(f"setting featurizer.{name}", repr(table), "a table of its settings")
    outside = {name: value for name, value in options.items() if name not in own}
    return {**own, wanted[0]: {**outside, **own.get(wanted[0], {})}}


def _default(features: tuple[str, ...], slot: Slot, encoder: str) -> str:
    for name in features:
        if catalog.load("features", name).subject == slot.subject:
            return name
    raise ConfigError(
        f"reading slot {slot.name!r} with {encoder!r}", f"{slot.subject} items", "an encoder for them", "choose another"
    )


def _featurizer(name: str, options: Mapping[str, Any], accepted: tuple[str, ...], slot: Slot) -> tuple[str, Featurizer]:
    if accepted and name not in accepted:
        raise ConfigError(f"feeding slot {slot.name!r}", f"the featurizer {name!r}", ", ".join(accepted))
    entry = catalog.load("features", name)
    if entry.subject != slot.subject:
        raise ConfigError(f"feeding slot {slot.name!r} ({slot.subject})", f"{name!r}, which reads {entry.subject}")
    return name, entry(structure(entry.Config, options, f"featurizer {name}"))


def tree(reader: Reader) -> Tree:
    """A fresh tree model.

    Raises:
        ConfigError: a wrong setting.
    """
    entry: type[Tree] = catalog.load("trees", reader.model)
    return entry(structure(entry.Config, reader.options, f"tree {reader.model}"))
