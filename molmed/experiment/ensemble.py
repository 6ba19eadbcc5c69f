"""The fold models kept as members: one value, their mean, and how far they are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from molmed.errors import ConfigError
from molmed.experiment.build import Reader
from molmed.experiment.fitted import FittedModel, Packs, SlotFeatures
from molmed.targets import Target


def folds_of(members: int, cv: int = 0) -> int:
    """The number of folds that an ensemble of this many members takes; `cv` as asked for beside it, 0 = not.

    Raises:
        ConfigError: fewer than two members, or another number of folds than of members.
    """
    asked = "keeping the models of the folds as an ensemble"
    if members < 2:
        raise ConfigError(asked, f"{members} folds", "2 or more", "ask for 5, or for no ensemble")
    if cv and cv != members:
        remedy = f"ask for {members} folds too, or leave their number out"
        raise ConfigError(asked, f"{members} members and {cv} folds", "one member for each fold", remedy)
    return members


@dataclass
class Ensemble(FittedModel):
    """Models of the same kind, each fitted to another part of the rows.

    Features that several members read alike are made once for all of them: `slots` holds every featurizer with
    every state there is among the members, `picks` which of them each member reads.

    Source: Lakshminarayanan, Pritzel & Blundell 2017, arXiv 1612.01474, section 2.4: the mean of the members; its
    spread here is the part of their formula that stems from the members' disagreement.
    """

    members: tuple[FittedModel, ...]
    slots: dict[str, SlotFeatures] = field(init=False)
    targets: tuple[Target, ...] = field(init=False)
    picks: tuple[dict[str, list[int]], ...] = field(init=False)

    def __post_init__(self) -> None:
        if len(self.members) < 2:
            raise ValueError(f"an ensemble of {len(self.members)} members, where it takes two")
        self.targets = self.members[0].targets
        self.slots, picks = {}, [dict[str, list[int]]() for _ in self.members]
        for name in self.members[0].slots:
            self.slots[name], chosen = _joined([member.slots[name] for member in self.members])
            for pick, own in zip(picks, chosen, strict=True):
                pick[name] = own
        self.picks = tuple(picks)

    @property
    def n_members(self) -> int:
        """How many."""
        return len(self.members)

    def predict_members_packed(self, packs: Packs) -> Float[np.ndarray, "members rows targets"]:
        """The values of every member."""
        return np.stack(
            [
                member.predict_packed({name: [packs[name][i] for i in own] for name, own in pick.items()})
                for member, pick in zip(self.members, self.picks, strict=True)
            ]
        )

    def predict_packed(self, packs: Packs) -> Float[np.ndarray, "rows targets"]:
        """The mean over the members; of probabilities for a binary target."""
        return self.predict_members_packed(packs).mean(axis=0)

    def set_precision(self, precision: str) -> None:
        """Of every member."""
        for member in self.members:
            member.set_precision(precision)

    @property
    def device(self) -> str:
        """That of its members."""
        return self.members[0].device

    def set_device(self, device: str) -> None:
        """Of every member."""
        for member in self.members:
            member.set_device(device)

    def tensors(self) -> dict[str, np.ndarray]:
        """The members' weights, as `<member>/<name>`."""
        return {
            f"{i}/{name}": array for i, member in enumerate(self.members) for name, array in member.tensors().items()
        }

    def describe(self) -> dict[str, Any]:
        """JSON: that of every member."""
        return {"family": "ensemble", "members": [member.describe() for member in self.members]}


def _joined(slots: Sequence[SlotFeatures]) -> tuple[SlotFeatures, list[list[int]]]:
    """(the different featurizers with their states, in order of appearance; which of them each slot has)."""
    featurizers, states, keys = [], [], []
    picks: list[list[int]] = []
    for slot in slots:
        own = []
        for (name, featurizer), state in zip(slot.reader.featurizers, slot.states, strict=True):
            key = (name, featurizer.config, state)
            if key not in keys:
                keys.append(key)
                featurizers.append((name, featurizer))
                states.append(state)
            own.append(keys.index(key))
        picks.append(own)
    reader = slots[0].reader
    return SlotFeatures(Reader(reader.model, reader.options, tuple(featurizers)), tuple(states)), picks


def weights_of_member(tensors: Mapping[str, np.ndarray], member: int) -> dict[str, np.ndarray]:
    """The part of an ensemble's weights that belongs to one member."""
    mark = f"{member}/"
    return {name.removeprefix(mark): array for name, array in tensors.items() if name.startswith(mark)}
