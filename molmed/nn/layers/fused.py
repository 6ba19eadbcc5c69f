"""A linear layer, a sum and a ReLU with as few passes over memory as torch allows."""

import torch
from jaxtyping import Float
from torch import Tensor, nn


def relu_linear(
    rows: Float[Tensor, "N in_dim"], layer: nn.Linear, add: Float[Tensor, "N out_dim"] | None = None
) -> Float[Tensor, "N out_dim"]:
    """relu(layer(rows) + add). Without gradients the sum is part of the matrix product.

    On a CPU in bf16 a pass over the rows takes a third of the time of the product itself, so each one counts.
    """
    if add is None:
        return torch.relu_(layer(rows))
    if torch.is_grad_enabled() or layer.bias is not None:
        return torch.relu_(layer(rows) + add)
    return torch.addmm(add, rows, layer.weight.t()).relu_()
