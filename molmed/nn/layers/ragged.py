"""Packed rows <-> padded matrices, for networks that need a rectangle."""

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn.functional import dropout
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

    On a CPU a packed sequence is not trained on: in torch 2.13 the gradient of each of its steps is a matrix of the
    size of the whole sequence, which took 70 % of the time.
    """
    some = torch.nonzero(sizes).squeeze(1)
    directions = 2 if network.bidirectional else 1
    last = rows.new_zeros(directions * network.num_layers, len(sizes), network.hidden_size)
    if len(some) == 0:
        return rows.new_zeros(0, directions * network.hidden_size), last
    padded, real = pad(rows, sizes[some])
    if rows.device.type == "cpu" and torch.is_grad_enabled():
        out, ends = _over_padding(network, padded, sizes[some])
    else:
        packed = pack_padded_sequence(padded, sizes[some].cpu(), batch_first=True, enforce_sorted=False)
        packed_out, ends = network(packed)
        out = pad_packed_sequence(packed_out, batch_first=True)[0]
    return out[real], last.to(ends.dtype).index_copy(1, some, ends)


def _over_padding(
    network: nn.GRU, padded: Float[Tensor, "items longest width"], sizes: Int64[Tensor, " items"]
) -> tuple[Float[Tensor, "items longest out"], Float[Tensor, "ends items hidden"]]:
    """What the network gives for packed sequences, layer by layer over the padding, which comes after every state.

    For the direction that reads from the end, each item is turned round within its own length.
    """
    x = padded.transpose(0, 1)
    place = torch.arange(len(x), device=x.device).unsqueeze(1)
    turned = torch.where(place < sizes, sizes - 1 - place, place)
    at_end = (sizes - 1).unsqueeze(0)
    none = x.new_zeros(1, len(sizes), network.hidden_size)
    ends = []
    for layer in range(network.num_layers):
        x = dropout(x, network.dropout, network.training) if layer else x
        directions = []
        for suffix in ("", "_reverse") if network.bidirectional else ("",):
            names = (f"{kind}_l{layer}{suffix}" for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            weights = [getattr(network, name) for name in names]
            read = _rows_at(x, turned) if suffix else x
            out, _ = torch.gru(read, none, weights, True, 1, 0.0, network.training, False, False)
            ends.append(_rows_at(out, at_end)[0])
            directions.append(_rows_at(out, turned) if suffix else out)
        x = torch.cat(directions, dim=2)
    return x.transpose(0, 1), torch.stack(ends)


def _rows_at(x: Float[Tensor, "longest items width"], place: Int64[Tensor, "places items"]) -> Tensor:
    return x.gather(0, place.unsqueeze(2).expand(-1, -1, x.shape[2]))
