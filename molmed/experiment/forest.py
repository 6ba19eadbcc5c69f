"""A tree model behind the same interface: vector features of every slot side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from molmed import catalog
from molmed.experiment import build
from molmed.experiment.config import Config
from molmed.experiment.fitted import FittedModel, Items, Packs, SlotFeatures, featurise
from molmed.features import Chosen, Packed, notes
from molmed.features.store import Kept
from molmed.results import Fault
from molmed.targets import Target
from molmed.trees import Fitted


@dataclass
class FittedTrees(FittedModel):
    """Fitted trees and the features they read; `noted`: training rows with a note on their features, by reason."""

    slots: dict[str, SlotFeatures]
    targets: tuple[Target, ...]
    name: str
    fitted: Fitted
    noted: dict[str, int] = field(default_factory=dict)

    def predict_packed(self, packs: Packs) -> Float[np.ndarray, "rows targets"]:
        """Values of every row."""
        return self.fitted.predict(_vectors(packs))

    def tensors(self) -> dict[str, np.ndarray]:
        """The trees' arrays."""
        return self.fitted.to_arrays()

    def describe(self) -> dict[str, Any]:
        """JSON of everything but the arrays."""
        return {
            "family": "trees",
            "name": self.name,
            "noted": self.noted,
            "slots": {name: slot.describe() for name, slot in self.slots.items()},
        }


def _vectors(packs: Packs) -> Float32[np.ndarray, "rows dim"]:
    return np.concatenate([pack.in_memory().fields["x"] for slot in packs.values() for pack in slot], axis=1)


def fit_trees(
    config: Config,
    items: Items,
    y: Float[np.ndarray, "rows targets"],
    weight: Float[np.ndarray, "rows targets"],
    kept: Kept | None = None,
) -> FittedTrees:
    """Fit on all the given rows that can be featurised: trees need no validation part.

    Args:
        kept: the rows' molecules in a store, where there is one.

    Raises:
        InputError: too few rows or classes for a target.
    """
    targets = build.targets(config)
    readers = build.readers(config)
    slots = {name: SlotFeatures.fit(reader, items[name]) for name, reader in readers.items()}
    model = build.tree(next(iter(readers.values())))
    packs, faults = featurise(slots, items, kept)
    good = [i for i, fault in enumerate(faults) if fault is None]
    fitted = model.fit(_vectors(packs), y[good], targets, weight[good], config.seed)
    noted = Counter(str(note.reason) for name, slot in slots.items() for note in _notes(slot, packs[name]) if note)
    return FittedTrees(slots, targets, next(iter(readers.values())).model, fitted, dict(noted))


def _notes(slot: SlotFeatures, packs: Sequence[Packed | Chosen]) -> list[Fault | None]:
    parts = zip(slot.reader.featurizers, slot.states, packs, strict=True)
    return notes([(featurizer, state, packed.in_memory()) for (_, featurizer), state, packed in parts])


def restore_trees(
    card: Mapping[str, Any],
    arrays: dict[str, np.ndarray],
    slots: dict[str, SlotFeatures],
    targets: tuple[Target, ...],
) -> FittedTrees:
    """The trees of a card and its arrays.

    Raises:
        ArtefactError: damaged arrays, or other featurizers here.
    """
    fitted = catalog.load("trees", card["name"]).Fitted.from_arrays(arrays)
    return FittedTrees(slots, targets, card["name"], fitted, dict(card["noted"]))
