"""The contract every task passes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from molmed.targets import Kind, Slot


@dataclass(frozen=True)
class Task:
    """One question, declared. Names refer to the shelves; nothing here is imported but the declaration.

    Args:
        slots: what a row gives to the model. An empty `columns` is filled from the user's file.
        kind: of the targets, which the user names by column.
        metric: what candidates are compared by (see `molmed.metrics.METRICS`).
        split: default split.
        model: default model for the first slot: an encoder or a tree.
        encoders: slot name -> encoder of the further slots.
        unit: of the targets unless the user says otherwise.
        intended_use: one sentence for the model card.
        must_not: what the predictions must not be used for.
    """

    slots: tuple[Slot, ...]
    kind: Kind
    metric: str
    split: str
    model: str
    intended_use: str
    must_not: str
    encoders: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
