"""Multi-layer perceptron on vectors: fingerprints, descriptors, table columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from torch import nn

from molmed.nn.batch import Items
from molmed.nn.encoders._contract import Encoded, Encoder
from molmed.tunable import Float, Int


@dataclass(frozen=True)
class MLPConfig:
    """Values chosen, not studied."""

    width: Annotated[int, Int(8, 4096, step=8)] = 256
    layers: Annotated[int, Int(1, 6)] = 2
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.1


class MLP(Encoder):
    """Linear layers with ReLU. The element of a vector pack is the item itself: states = pooled."""

    Config = MLPConfig
    features = ("morgan_count", "morgan", "columns")

    def __init__(self, config: MLPConfig, dims: Mapping[str, int]) -> None:
        super().__init__(config, dims)
        widths = [dims["dim"], *[config.width] * config.layers]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(config.dropout)]
        self.layers = nn.Sequential(*layers)
        self.out_dim = config.width

    def forward(self, items: Items) -> Encoded:
        """Encode vectors."""
        pooled = self.layers(items.fields["x"])
        return Encoded(pooled, torch.arange(items.n, device=pooled.device), pooled)


ENTRY = MLP
