"""A fitted model behind one interface, whether a network or a forest: items in, values in the target's unit out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from molmed import catalog
from molmed.errors import ArtefactError
from molmed.experiment.build import Reader
from molmed.experiment.config import structure
from molmed.experiment.rows import Reading
from molmed.features import Chosen, Featurizer, Packed, State, featurised
from molmed.features._probe import digest
from molmed.features.store import Kept
from molmed.results import Fault
from molmed.targets import Target

Items = Mapping[str, Sequence[Any]]
"""slot name -> one item per row."""


@dataclass(frozen=True)
class SlotFeatures:
    """The featurizers of one slot with what they learnt from the training rows."""

    reader: Reader
    states: tuple[State, ...]

    @classmethod
    def fit(cls, reader: Reader, items: Sequence[Any]) -> "SlotFeatures":
        """Fit every featurizer of the slot to the training items."""
        return cls(reader, tuple(featurizer.fit(items) for _, featurizer in reader.featurizers))

    def packs(self, items: Sequence[Any], rng: np.random.Generator | None = None) -> list[Packed]:
        """One pack per featurizer."""
        pairs = zip(self.reader.featurizers, self.states, strict=True)
        return [featurizer.featurize(items, state, rng) for (_, featurizer), state in pairs]

    def featurised(
        self, items: Sequence[Any], kept: Kept | None = None
    ) -> list[tuple[Packed | Chosen, list[Fault | None]]]:
        """Per featurizer (the arrays of the items that it can featurise, per item why it cannot or None).

        With `kept` molecules come from a store; a slot whose featurizer draws them anew every epoch does not use it.
        """
        found: list[tuple[Packed | Chosen, list[Fault | None]]] = []
        for (name, featurizer), state in zip(self.reader.featurizers, self.states, strict=True):
            if kept is None or featurizer.subject != "molecule" or featurizer.randomises():
                found.append(featurised(featurizer, items, state))
            else:
                found.append(kept.features(name, featurizer, state, items))
        return found

    def dims(self) -> dict[str, int]:
        """The widths of the (only) featurizer."""
        ((_, featurizer),) = self.reader.featurizers
        return featurizer.dims(self.states[0])

    def randomises(self) -> bool:
        """Whether a featurizer draws its items anew when given a generator."""
        return any(featurizer.randomises() for _, featurizer in self.reader.featurizers)

    def unreadable(self, items: Sequence[Any]) -> list[Fault | None]:
        """Per item the first fault a featurizer finds in it (text in a column of numbers)."""
        faults: list[Fault | None] = [None] * len(items)
        for (_, featurizer), state in zip(self.reader.featurizers, self.states, strict=True):
            faults = [a or b for a, b in zip(faults, featurizer.unreadable(items, state), strict=True)]
        return faults

    def describe(self) -> dict[str, Any]:
        """JSON: the model's name and settings, and each featurizer with version, state and probe digest."""
        return {
            "model": self.reader.model,
            "options": dict(self.reader.options),
            "features": [
                {
                    "name": name,
                    "config": asdict(featurizer.config),
                    "version": featurizer.version,
                    "state": state,
                    "digest": digest(featurizer, state),
                }
                for (name, featurizer), state in zip(self.reader.featurizers, self.states, strict=True)
            ],
        }


def restore_slot(name: str, card: Mapping[str, Any]) -> SlotFeatures:
    """The slot's featurizers from a card, refused if this installation featurises otherwise.

    Raises:
        ArtefactError: another featurizer version, or other arrays for the probe items.
    """
    featurizers, states = [], []
    for stored in card["features"]:
        feature = stored["name"]
        entry = catalog.load("features", feature)
        featurizer: Featurizer = entry(structure(entry.Config, stored["config"], f"featurizer {feature}"))
        asked = f"loading the model's featurizer {feature!r} of slot {name!r}"
        remedy = "install the version the model was trained with, or train it again"
        if featurizer.version != stored["version"]:
            here = f"version {featurizer.version} here"
            raise ArtefactError(asked, here, f"version {stored['version']}, which it was trained with", remedy)
        if digest(featurizer, stored["state"]) != stored["digest"]:
            raise ArtefactError(
                asked, "other features for the probe items than when it was trained", "equal features", remedy
            )
        featurizers.append((feature, featurizer))
        states.append(stored["state"])
    return SlotFeatures(Reader(card["model"], card["options"], tuple(featurizers)), tuple(states))


Packs = Mapping[str, list[Packed | Chosen]]
"""slot name -> one pack per featurizer of the slot; every pack has one item per row."""


def featurise(
    slots: Mapping[str, SlotFeatures], items: Items, kept: Kept | None = None
) -> tuple[Packs, list[Fault | None]]:
    """(the packs of the rows that can be featurised, per row why it cannot or None).

    With `kept` the molecules' arrays come from a store, and are not copied from there.
    """
    n = len(next(iter(items.values())))
    faults: list[Fault | None] = [None] * n
    for name, slot in slots.items():
        faults = [a or b for a, b in zip(faults, slot.unreadable(items[name]), strict=True)]
    good = [i for i in range(n) if faults[i] is None]
    made = {name: slot.featurised([items[name][i] for i in good], kept) for name, slot in slots.items()}
    for found in made.values():
        for _, own in found:
            for i, fault in zip(good, own, strict=True):
                faults[i] = faults[i] or fault
    packs = {
        name: [_without(pack, [faults[i] for i, f in zip(good, own, strict=True) if f is None]) for pack, own in found]
        for name, found in made.items()
    }
    return packs, faults


def _without(pack: Packed | Chosen, faults: Sequence[Fault | None]) -> Packed | Chosen:
    """The items of a pack that have no fault."""
    return pack.take([i for i, fault in enumerate(faults) if fault is None]) if any(faults) else pack


class FittedModel(ABC):
    """Items of every slot -> values. What it was fitted on is in `slots`."""

    slots: dict[str, SlotFeatures]
    targets: tuple[Target, ...]

    @property
    def n_members(self) -> int:
        """How many models of an ensemble there are; 1 for a single model."""
        return 1

    def reading(self) -> Reading | None:
        """How structures become arrays while they are read, where the model reads nothing else; else None."""
        if len(self.slots) != 1:
            return None
        (slot,) = self.slots.values()
        if len(slot.reader.featurizers) != 1 or slot.reader.featurizers[0][1].subject != "molecule":
            return None
        return Reading(slot.reader.featurizers[0][1], slot.states[0])

    def featurise(self, items: Items, kept: Kept | None = None) -> tuple[Packs, list[Fault | None]]:
        """See `featurise`."""
        return featurise(self.slots, items, kept)

    @abstractmethod
    def predict_packed(self, packs: Packs) -> Float[np.ndarray, "rows targets"]:
        """Values in the target's unit, or the probability of class 1 (not calibrated), one row per packed item."""

    def predict_members_packed(self, packs: Packs) -> Float[np.ndarray, "members rows targets"]:
        """The values of every member of an ensemble; a single model is its own only member."""
        return self.predict_packed(packs)[None]

    def predict_members(self, items: Items, kept: Kept | None = None) -> Float[np.ndarray, "members rows targets"]:
        """Values of every row by every member; nan where a row cannot be featurised.

        Args:
            kept: the rows' molecules in a store, where there is one.
        """
        packs, faults = self.featurise(items, kept)
        good = [i for i, fault in enumerate(faults) if fault is None]
        values = np.full((self.n_members, len(faults), len(self.targets)), np.nan)
        values[:, good] = self.predict_members_packed(packs)
        return values

    def predict(self, items: Items, kept: Kept | None = None) -> Float[np.ndarray, "rows targets"]:
        """Values of every row; nan where a row cannot be featurised. For `kept` see `predict_members`."""
        return self.predict_members(items, kept).mean(axis=0)

    def set_precision(self, precision: str) -> None:
        """In which numbers a network multiplies matrices when predicting; nothing to set for trees."""
        return None

    @property
    def device(self) -> str:
        """ "cpu" or "cuda": where it predicts; trees do so on the CPU."""
        return "cpu"

    def set_device(self, device: str) -> None:
        """Have a network predict on "cpu", "cuda", or "auto": CUDA where there is a device; nothing to set for trees.

        Raises:
            ConfigError: "cuda" where there is no CUDA device.
        """
        return None

    @abstractmethod
    def tensors(self) -> dict[str, np.ndarray]:
        """Its weights."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """JSON from which, with the weights, it can be restored."""
