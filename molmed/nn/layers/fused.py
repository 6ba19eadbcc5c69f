"""A linear layer, a sum and a ReLU with as few passes over memory as torch allows."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def relu_linear(
    rows: Float[Tensor, "N in_dim"],
    layer: nn.Linear,
    add: Float[Tensor, "N out_dim"] | None = None,
    last: bool = False,
) -> Float[Tensor, "N out_dim"]:
    """relu(layer(rows) + add). Without gradients the sum is part of the matrix product.

    With `last` nobody needs `add` any more, so that its place may be written over.

    On a CPU in bf16 a pass over the rows takes a third of the time of the product itself, so each one counts.
    """
    if add is None:
        return relu(layer(rows), inplace=True)
    if torch.is_grad_enabled() or layer.bias is not None:
        return relu(layer(rows) + add, inplace=True)
    weight = layer.weight.to(add.dtype).t()
    return relu(add.addmm_(rows, weight) if last else torch.addmm(add, rows, weight), inplace=True)


def relu(rows: Float[Tensor, "N width"], inplace: bool = False) -> Float[Tensor, "N width"]:
    """relu(rows). Without gradients bf16 on a CPU is compared as whole numbers of 16 bits, in a fifth of the time.

    The sign is the highest bit of either, so what is below zero is the same; only a nan of negative sign is lost.
    """
    if rows.dtype == torch.bfloat16 and rows.device.type == "cpu" and not torch.is_grad_enabled():
        bits = rows.view(torch.int16)
        return (bits.clamp_min_(0) if inplace else bits.clamp_min(0)).view(torch.bfloat16)
    return torch.relu_(rows) if inplace else torch.relu(rows)


def lowered(rows: Float[Tensor, "N width"]) -> Float[Tensor, "N width"]:
    """Features in the number format that the products will have: under autocast its own, else as they are.

    A matrix product casts its input anyway; before anything is picked or joined there is half as much to move.
    """
    kind = rows.device.type
    return rows.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else rows
