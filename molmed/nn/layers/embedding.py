"""A learnt vector for each id of a vocabulary."""

import torch
from torch import nn


def embedding(n_ids: int, width: int) -> nn.Embedding:
    """An embedding whose row 0, which stands for every unknown token or code, starts at zero.

    Training rows hold no unknown id where the vocabulary was fitted on them, so row 0 keeps its first value: torch's
    own, a random vector of length sqrt(width), would speak up at prediction for something never seen.
    """
    made = nn.Embedding(n_ids, width)
    with torch.no_grad():
        made.weight[0] = 0
    return made
