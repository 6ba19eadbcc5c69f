"""Packed rows <-> padded matrices, for networks that need a rectangle."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def pad(
    rows: Float[Tensor, "N width"], sizes: Int64[Tensor, " items"]
) -> tuple[Float[Tensor, "items longest width"], Bool[Tensor, "items longest"]]:
    """(rows of each item padded with zeros, True where a row is real). Undone by `padded[real]`."""
    longest = int(sizes.max()) if len(sizes) else 0
    real = torch.arange(longest, device=rows.device).unsqueeze(0) < sizes.unsqueeze(1)
    padded = rows.new_zeros(len(sizes), longest, rows.shape[1])
    padded[real] = rows
    return padded, real


def recur(
    network: nn.GRU, rows: Float[Tensor, "N width"], sizes: Int64[Tensor, " items"]
) -> tuple[Float[Tensor, "N out"], Float[Tensor, "ends items hidden"]]:
    """(state after each row, last state of each layer and direction), every item read on its own.

    An item without rows, which torch's packed sequences do not take, has zeros for its last states.
    """
    some = torch.nonzero(sizes).squeeze(1)
    directions = 2 if network.bidirectional else 1
    last = rows.new_zeros(directions * network.num_layers, len(sizes), network.hidden_size)
    if len(some) == 0:
        return rows.new_zeros(0, directions * network.hidden_size), last
    padded, real = pad(rows, sizes[some])
    packed = pack_padded_sequence(padded, sizes[some].cpu(), batch_first=True, enforce_sorted=False)
    out, ends = network(packed)
    states = pad_packed_sequence(out, batch_first=True)[0][real]
    return states, last.to(ends.dtype).index_copy(1, some, ends)
