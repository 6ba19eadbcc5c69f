"""Cross-entropy on a logit; the value is the probability of class 1."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from molmed.nn.heads._contract import Head


class Binary(Head):
    """One logit per target. Censoring has no meaning for a class and is not looked at."""

    kind = "binary"
    width = 1

    def loss(
        self,
        raw: Float[Tensor, "B T width"],
        target: Float[Tensor, "B T"],
        mask: Bool[Tensor, "B T"],
        censor: Tensor,
    ) -> Float[Tensor, "B T"]:
        """-log of the probability given to the true class."""
        logit = torch.where(mask, raw.squeeze(2), 0.0)
        cells = binary_cross_entropy_with_logits(logit, torch.where(mask, target, 0.0), reduction="none")
        return torch.where(mask, cells, 0.0)

    def decode(self, raw: Float[Tensor, "B T width"]) -> Float[Tensor, "B T"]:
        """Probability of class 1."""
        return raw.squeeze(2).sigmoid()


ENTRY = Binary()
