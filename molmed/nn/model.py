"""Slots -> encoders -> join -> heads: one network for any number of tasks that may share encoders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from molmed.errors import ConfigError
from molmed.nn.batch import Batch, Items, SlotBatch
from molmed.nn.encoders import Encoder
from molmed.nn.fill import filled
from molmed.nn.heads import Head
from molmed.nn.join import JoinConfig
from molmed.nn.layers.ragged import recur
from molmed.nn.layers.segments import segment_mean
from molmed.targets import Slot, Target


@dataclass(frozen=True)
class TaskPlan:
    """One task of a model: its slots, which encoder reads each, its targets and their heads."""

    slots: tuple[Slot, ...]
    encoders: Mapping[str, str]
    """slot name -> key of the encoder; slots of several tasks may name the same one."""
    targets: tuple[Target, ...]
    heads: tuple[Head, ...]
    """one per target"""


class TaskNet(nn.Module):
    """Everything of one task that is not an encoder: joins, hidden layers, one linear output per target.

    A `table` slot's items are scored against the row: raw[b, t] = query(row b) . key(item t) / sqrt(width),
    plus a learnt bias, so the number of items is free at prediction time.
    """

    def __init__(self, plan: TaskPlan, widths: Mapping[str, int], config: JoinConfig) -> None:
        """Build from the plan and the encoders' widths per slot.

        Raises:
            ConfigError: no slot gives a row vector, several table slots, or a table with several targets.
        """
        super().__init__()
        self.plan = plan
        table = [s for s in plan.slots if s.cardinality == "table"]
        rows = [s for s in plan.slots if s.cardinality != "table"]
        if not rows or len(table) > 1 or (table and (len(plan.targets) != 1 or plan.heads[0].width != 1)):
            raise ConfigError(
                "building a task network",
                f"{len(rows)} row slots, {len(table)} table slots, {len(plan.targets)} targets",
                "at least one row slot, and at most one table slot, which then has one target of width 1",
            )
        self.table = table[0].name if table else ""
        self.sequence = _by_name(
            "a slot",
            {
                s.name: nn.GRU(widths[s.name], widths[s.name], batch_first=True)
                for s in rows
                if s.cardinality == "sequence"
            },
        )
        width = sum(widths[s.name] for s in rows)
        hidden: list[nn.Module] = []
        for _ in range(config.layers):
            hidden += [nn.Dropout(config.dropout), nn.Linear(width, config.width), nn.ReLU()]
            width = config.width
        self.hidden = nn.Sequential(*hidden, nn.Dropout(config.dropout))
        if table:
            self.query, self.key = nn.Linear(width, config.width), nn.Linear(widths[self.table], config.width)
            self.bias = nn.Parameter(torch.zeros(()))
        else:
            self.out = nn.Linear(width, sum(h.width for h in plan.heads))

    def forward(self, batch: Batch, pooled: Mapping[str, Tensor]) -> list[Float[Tensor, "B _ _"]]:
        """Raw outputs per target, (B, 1, width); for a table slot one entry of shape (B, items, 1)."""
        rows = [
            self._row(s.name, batch.slots[s.name], pooled[s.name], len(batch))
            for s in self.plan.slots
            if s.cardinality != "table"
        ]
        x = self.hidden(torch.cat(rows, dim=1))
        if self.table:
            query, key = self.query(x), self.key(pooled[self.table])
            return [(query @ key.T / query.shape[1] ** 0.5 + self.bias).unsqueeze(2)]
        return [raw.unsqueeze(1) for raw in self.out(x).split([h.width for h in self.plan.heads], dim=1)]

    def _row(self, name: str, slot: SlotBatch, pooled: Tensor, n: int) -> Tensor:
        """One vector per row: the item's own, the mean of a set, or the last state over a sequence.

        A row without items has zeros.
        """
        if slot.cardinality == "one":
            return pooled
        if slot.cardinality == "set":
            return segment_mean(pooled, slot.row, n)
        network = self.sequence[name]
        assert isinstance(network, nn.GRU)
        _, last = recur(network, pooled, torch.bincount(slot.row, minlength=n))
        return last[0]


def _by_name(what: str, modules: Mapping[str, nn.Module]) -> nn.ModuleDict:
    try:
        return nn.ModuleDict(dict(modules))
    except KeyError as error:  # an empty name, a dot in it, or a method of ModuleDict
        raise ConfigError(f"naming {what} of a network", str(error.args[0]), "another word, without a dot") from None


class Model(nn.Module):
    """Encoders by key, and a `TaskNet` per task that uses some of them."""

    def __init__(self, encoders: Mapping[str, Encoder], tasks: Mapping[str, TaskPlan], config: JoinConfig) -> None:
        """Join them.

        Raises:
            ConfigError: a task that makes no network, or a name that torch cannot hold.
        """
        super().__init__()
        self.encoders = _by_name("an encoder", encoders)
        self.tasks = _by_name(
            "a task",
            {
                name: TaskNet(plan, {s: encoders[key].out_dim for s, key in plan.encoders.items()}, config)
                for name, plan in tasks.items()
            },
        )

    def forward(self, batch: Batch) -> list[Float[Tensor, "B _ _"]]:
        """Raw outputs per target of the batch's task."""
        net = self.tasks[batch.task]
        assert isinstance(net, TaskNet)
        pooled = {name: self._encode(net.plan.encoders[name], slot.items) for name, slot in batch.slots.items()}
        return net(batch, pooled)

    def _encode(self, key: str, items: Items) -> Float[Tensor, "items _"]:
        """One vector per item."""
        shaped = filled(items) if torch.is_autocast_enabled("cpu") else items
        pooled: Tensor = self.encoders[key](shaped).pooled
        return pooled[: items.n]

    def heads(self, task: str) -> Sequence[Head]:
        """The heads of a task's targets, in order."""
        net = self.tasks[task]
        assert isinstance(net, TaskNet)
        return net.plan.heads

    def target_weights(self, task: str) -> list[float]:
        """The loss weight of a task's targets, in order."""
        net = self.tasks[task]
        assert isinstance(net, TaskNet)
        return [t.weight for t in net.plan.targets]
