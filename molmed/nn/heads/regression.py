"""Squared error in the learnt scale; a censored value only counts on its wrong side."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from molmed.nn.heads._contract import Head


class Regression(Head):
    """One output per target. For censor -1 (truth below the stated value) predictions below it cost nothing."""

    kind = "regression"
    width = 1

    def loss(
        self,
        raw: Float[Tensor, "B T width"],
        target: Float[Tensor, "B T"],
        mask: Bool[Tensor, "B T"],
        censor: Tensor,
    ) -> Float[Tensor, "B T"]:
        """(prediction - target)^2 where it counts."""
        error = raw.squeeze(2) - torch.where(mask, target, 0.0)
        beyond = ((censor < 0) & (error < 0)) | ((censor > 0) & (error > 0))
        return torch.where(mask & ~beyond, error, 0.0).square()

    def decode(self, raw: Float[Tensor, "B T width"]) -> Float[Tensor, "B T"]:
        """The output itself."""
        return raw.squeeze(2)


ENTRY = Regression()
