"""Packed rows <-> padded matrices, for networks that need a rectangle."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor


def pad(
    rows: Float[Tensor, "N width"], sizes: Int64[Tensor, " items"]
) -> tuple[Float[Tensor, "items longest width"], Bool[Tensor, "items longest"]]:
    """(rows of each item padded with zeros, True where a row is real). Undone by `padded[real]`."""
    longest = int(sizes.max()) if len(sizes) else 0
    real = torch.arange(longest, device=rows.device).unsqueeze(0) < sizes.unsqueeze(1)
    padded = rows.new_zeros(len(sizes), longest, rows.shape[1])
    padded[real] = rows
    return padded, real
