"""Sums and means over the rows of each item in a packed batch."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from molmed.nn.layers.bags import Bags, run_sum


def segment_sum(rows: Float[Tensor, "N width"], owner: Int64[Tensor, " N"], n: int) -> Float[Tensor, "n width"]:
    """The sum of each item's rows; zeros for an item without rows. `owner` ascends.

    Half precision is summed in float32 and rounded once.
    """
    counts = torch.bincount(owner, minlength=n)
    start = torch.cumsum(counts, 0, dtype=torch.int32) - counts.to(torch.int32)
    return run_sum(rows, Bags(torch.arange(len(rows), dtype=torch.int32, device=rows.device), start), owner)


def segment_mean(rows: Float[Tensor, "N width"], owner: Int64[Tensor, " N"], n: int) -> Float[Tensor, "n width"]:
    """The mean of each item's rows; zeros for an item without rows. `owner` ascends."""
    counts = torch.bincount(owner, minlength=n).clamp(min=1)
    return segment_sum(rows, owner, n) / counts.unsqueeze(1)
