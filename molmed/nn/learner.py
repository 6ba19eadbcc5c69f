"""What the trainer trains: a model and the meaning of its outputs, for every task it holds."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from molmed.nn.batch import Batch
from molmed.nn.feed import Rows
from molmed.nn.model import Model


@dataclass(frozen=True)
class Predicted:
    """One batch's predictions on the CPU: values in the learnt scale, and the loss where labels are known."""

    task: str
    rows: Tensor
    value: Float[Tensor, "B T"]
    loss: float
    weight: float


class SupervisedLearner:
    """Satisfies `molmed.train`'s learner protocol for any mix of slots, targets and tasks."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.module: nn.Module = model

    def loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(sum of weighted cell losses, sum of weights) over the known cells of the batch."""
        return self._loss(batch, self.module(batch))

    def predict(self, batch: Batch) -> Predicted:
        """Decoded values and loss of one batch."""
        raws = self.module(batch)
        value = torch.cat([h.decode(raw.float()) for h, raw in zip(self.model.heads(batch.task), raws, strict=True)], 1)
        total, weight = self._loss(batch, raws) if batch.target.shape[1] else (torch.zeros(()), torch.zeros(()))
        return Predicted(batch.task, batch.rows.cpu(), value.detach().float().cpu(), float(total), float(weight))

    def score(self, outputs: Iterable[Predicted]) -> dict[str, float]:
        """{"loss": mean over known cells}; with several tasks also "loss/<task>", and "loss" is their mean.

        nan for a task without a known cell, which the mean leaves out.
        """
        totals: dict[str, list[float]] = {}
        for out in outputs:
            pair = totals.setdefault(out.task, [0.0, 0.0])
            pair[0] += out.loss
            pair[1] += out.weight
        means = {task: total / weight if weight else float("nan") for task, (total, weight) in totals.items()}
        known = [mean for task, mean in means.items() if totals[task][1]]
        scores = {"loss": sum(known) / len(known) if known else float("nan")}
        if len(means) > 1:
            scores |= {f"loss/{task}": mean for task, mean in means.items()}
        return scores

    def on_epoch_end(self, epoch: int) -> None:
        """Nothing moves between epochs."""

    def state_dict(self) -> dict[str, Tensor]:
        """No state beyond the module's own."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """No state beyond the module's own."""

    def _loss(self, batch: Batch, raws: list[Tensor]) -> tuple[Tensor, Tensor]:
        known = ~torch.isnan(batch.target)
        total, weight = batch.target.new_zeros(()), batch.target.new_zeros(())
        start = 0
        weights = self.model.target_weights(batch.task)
        for head, raw, scale in zip(self.model.heads(batch.task), raws, weights, strict=True):
            columns = slice(start, start + raw.shape[1])
            start += raw.shape[1]
            cell_weight = batch.weight[:, columns] * known[:, columns] * scale
            cells = head.loss(raw.float(), batch.target[:, columns], known[:, columns], batch.censor[:, columns])
            total = total + (cells * cell_weight).sum()
            weight = weight + cell_weight.sum()
        return total, weight


def predict_rows(learner: SupervisedLearner, rows: Rows, batch_size: int = 128) -> Float[np.ndarray, "rows T"]:
    """Values in the learnt scale for every row, in order; the network is left in evaluation mode.

    How rows are batched changes a value by float32 rounding only. T = the number of targets, or of the items
    of a table slot.
    """
    learner.module.eval()
    device = next(learner.module.parameters()).device
    table = [slot.packed.n for slot in rows.slots.values() if slot.cardinality == "table"]
    out = np.empty((rows.n, table[0] if table else len(learner.model.heads(rows.task))))
    order = np.arange(rows.n)
    if any(slot.packed.kind == "tokens" for slot in rows.slots.values()):
        order = np.argsort(rows.sizes(), kind="stable")  # what is padded costs less among its like
    with torch.inference_mode():
        for start in range(0, rows.n, batch_size):
            chosen = order[start : start + batch_size]
            out[chosen] = learner.predict(rows.batch(chosen, share=True).to(device)).value.numpy()
    return out
