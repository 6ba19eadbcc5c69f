"""Sums and means over the rows of each item in a packed batch."""

import torch
from jaxtyping import Float, Int64
from torch import Tensor


def segment_sum(rows: Float[Tensor, "N width"], owner: Int64[Tensor, " N"], n: int) -> Float[Tensor, "n width"]:
    """The sum of each item's rows; zeros for an item without rows. Half precision is summed in float32."""
    rows = rows.float() if rows.dtype in (torch.bfloat16, torch.float16) else rows
    return rows.new_zeros(n, rows.shape[1]).index_add_(0, owner, rows)


def segment_mean(rows: Float[Tensor, "N width"], owner: Int64[Tensor, " N"], n: int) -> Float[Tensor, "n width"]:
    """The mean of each item's rows; zeros for an item without rows."""
    counts = torch.bincount(owner, minlength=n).clamp(min=1)
    return segment_sum(rows, owner, n) / counts.unsqueeze(1)
