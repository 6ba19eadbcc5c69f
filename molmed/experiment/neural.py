"""A network on any slots: featurise, scale, train, predict, store."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from molmed import catalog
from molmed.errors import ArtefactError
from molmed.experiment import build
from molmed.experiment.config import Config, structure
from molmed.experiment.fitted import FittedModel, Items, Packs, SlotFeatures, featurise
from molmed.features.store import Kept
from molmed.nn.encoders import Encoder
from molmed.nn.feed import Feed, Rows, SlotRows
from molmed.nn.heads import Head
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner, predict_rows
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Scale, Slot, Target
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.loop import fit
from molmed.train.observers import Observer
from molmed.train.precision import device_here, fast_bf16
from molmed.train.seed import seed_all

_TASK = "task"


@dataclass
class FittedNetwork(FittedModel):
    """A trained network with the scales of its targets.

    Args:
        precision: of the matrix products when predicting: "auto" is bf16 where the device multiplies it fast, else
            float32; see `molmed.train.config.TrainConfig`.
    """

    slots: dict[str, SlotFeatures]
    targets: tuple[Target, ...]
    scales: tuple[Scale, ...]
    learner: SupervisedLearner
    join: JoinConfig
    precision: str = "auto"

    def predict_packed(self, packs: Packs) -> Float[np.ndarray, "rows targets"]:
        """Values of every row, in evaluation mode, on the device the network is on."""
        device = self.device
        half = fast_bf16(device) if self.precision == "auto" else self.precision == "bf16-mixed"
        with torch.autocast(device, torch.bfloat16, enabled=half):
            values = predict_rows(self.learner, _rows(packs))
        return np.stack([s.inverse(values[:, t]) for t, s in enumerate(self.scales)], axis=1)

    def set_precision(self, precision: str) -> None:
        """See the class."""
        self.precision = precision

    @property
    def device(self) -> str:
        """ "cpu" or "cuda": where its weights are."""
        return next(self.learner.module.parameters()).device.type

    def set_device(self, device: str) -> None:
        """See `FittedModel.set_device`."""
        self.learner.module.to(device_here(device))

    def tensors(self) -> dict[str, np.ndarray]:
        """The network's parameters."""
        return {name: t.detach().cpu().numpy() for name, t in self.learner.module.state_dict().items()}

    def describe(self) -> dict[str, Any]:
        """JSON of everything but the weights."""
        return {
            "family": "network",
            "slots": {name: slot.describe() for name, slot in self.slots.items()},
            "scales": [asdict(s) for s in self.scales],
            "join": asdict(self.join),
            "parameters": sum(p.numel() for p in self.learner.module.parameters()),
        }


def _rows(packs: Packs, redraws: Mapping[str, "_Redraw"] = MappingProxyType({}), **labels: np.ndarray) -> Rows:
    """The rows of packs; a network's slot has one featurizer and so one pack."""
    slots = {name: SlotRows("one", pack, redraw=redraws.get(name)) for name, (pack,) in packs.items()}
    return Rows(slots, len(next(iter(packs.values()))[0]), task=_TASK, **labels)


@dataclass(frozen=True)
class _Redraw:
    """Draws a slot's items anew, for `SlotRows.redraw`."""

    slot: SlotFeatures
    items: Sequence[Any]

    def __call__(self, rng: np.random.Generator) -> Any:
        return self.slot.packs(self.items, rng)[0]


def _encoder(reader: build.Reader, dims: Mapping[str, int]) -> Encoder:
    """A fresh network for a slot.

    Raises:
        ConfigError: a wrong setting.
    """
    entry: type[Encoder] = catalog.load("encoders", reader.model)
    return entry(structure(entry.Config, reader.options, f"encoder {reader.model}"), dims)


def _heads(wanted: tuple[Target, ...]) -> tuple[Head, ...]:
    """One head per target, by its kind.

    Raises:
        UnknownNameError: no head for that kind.
    """
    return tuple(catalog.load("heads", t.kind) for t in wanted)


def _learner(
    slots: Mapping[str, SlotFeatures], declared: Sequence[Slot], targets: tuple[Target, ...], join: JoinConfig
) -> SupervisedLearner:
    encoders = {name: _encoder(slot.reader, slot.dims()) for name, slot in slots.items()}
    plan = TaskPlan(tuple(declared), {name: name for name in slots}, targets, _heads(targets))
    return SupervisedLearner(Model(encoders, {_TASK: plan}, join))


def fit_network(
    config: Config,
    items: Items,
    y: Float[np.ndarray, "rows targets"],
    weight: Float[np.ndarray, "rows targets"],
    valid: np.ndarray,
    *,
    observers: Sequence[Observer] = (),
    folder: Path | None = None,
    resume: bool = False,
    kept: Kept | None = None,
) -> tuple[FittedNetwork, History]:
    """Train on the rows outside `valid`; the epoch is chosen on the rows in it (row numbers; empty = last epoch).

    Everything learnt from data (vocabularies, imputers, scales) is learnt from the rows outside `valid`.
    With `kept` the molecules' arrays stay where a store has them, and each batch takes its own from there.
    """
    targets = build.targets(config)
    declared = build.task(config).slots
    train = np.setdiff1d(np.arange(len(y)), valid)
    chosen = {name: [values[i] for i in train] for name, values in items.items()}
    slots = {name: SlotFeatures.fit(reader, chosen[name]) for name, reader in build.readers(config).items()}
    scales = tuple(Scale.fit(y[train, t], target.kind) for t, target in enumerate(targets))
    learnt = np.stack([s.forward(y[:, t]) for t, s in enumerate(scales)], axis=1)
    settings: TrainConfig = replace(config.train, seed=config.seed)
    seed_all(config.seed)
    learner = _learner(slots, declared, targets, config.model.join)

    def feed(rows: np.ndarray, shuffle: bool) -> Feed:
        packs, faults = featurise(slots, {name: [values[i] for i in rows] for name, values in items.items()}, kept)
        good = rows[[i for i, fault in enumerate(faults) if fault is None]]
        redraws = {
            name: _Redraw(slot, [items[name][i] for i in good]) for name, slot in slots.items() if slot.randomises()
        }
        made = _rows(packs, redraws, target=learnt[good], weight=weight[good])
        if not shuffle:
            return Feed(made, 256, shuffle=False)
        model = config.model
        return Feed(made, model.batch_size, True, config.seed, model.batch_window, model.batch_elements)

    history = fit(
        learner,
        feed(train, True),
        feed(valid, False) if len(valid) else None,
        settings,
        observers=observers,
        folder=folder,
        resume=resume,
    )
    return FittedNetwork(slots, targets, scales, learner, config.model.join), history


def restore_network(
    card: Mapping[str, Any],
    tensors: Mapping[str, np.ndarray],
    features: dict[str, SlotFeatures],
    slots: tuple[Slot, ...],
    targets: tuple[Target, ...],
) -> FittedNetwork:
    """The network of a card and its weights.

    Raises:
        ArtefactError: weights that do not fit the network the card describes, or are no numbers.
    """
    broken = [name for name, array in tensors.items() if not np.isfinite(array).all()]
    if broken:
        raise ArtefactError(
            "loading the model's weights", f"{broken[0]} with values that are no numbers", "finite ones"
        )
    join = structure(JoinConfig, card["join"])
    learner = _learner(features, slots, targets, join)
    try:
        learner.module.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    except RuntimeError as error:
        first = " ".join(str(error).split())[:200]
        raise ArtefactError("loading the model's weights", first, "weights of the network in the card") from None
    learner.module.eval()
    return FittedNetwork(features, targets, tuple(Scale(**s) for s in card["scales"]), learner, join)
