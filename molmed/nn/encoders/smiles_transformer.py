"""Transformer over SMILES tokens with sinusoidal positions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from molmed.errors import ConfigError
from molmed.nn.batch import Items
from molmed.nn.encoders._contract import Encoded, Encoder
from molmed.nn.layers.attention import Block
from molmed.nn.layers.embedding import embedding
from molmed.nn.layers.ragged import pad
from molmed.nn.layers.segments import segment_mean
from molmed.tunable import Float, Int


@dataclass(frozen=True)
class SmilesTransformerConfig:
    """Small enough for a CPU; values chosen, not studied."""

    width: Annotated[int, Int(16, 1024, step=16)] = 128
    layers: Annotated[int, Int(1, 12)] = 3
    heads: Annotated[int, Int(1, 16)] = 4
    feed_forward: Annotated[int, Int(16, 4096, step=16)] = 256
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.1


class SmilesTransformer(Encoder):
    """Pre-norm Transformer encoder; each molecule attends to its own tokens only, the readout is their mean."""

    Config = SmilesTransformerConfig
    features = ("tokens",)

    def __init__(self, config: SmilesTransformerConfig, dims: Mapping[str, int]) -> None:
        """Build it.

        Raises:
            ConfigError: the width is not a multiple of the number of heads, or is odd.
        """
        super().__init__(config, dims)
        if config.width % config.heads or config.width % 2:
            raise ConfigError(
                "building the SMILES Transformer",
                f"width {config.width} with {config.heads} heads",
                "an even width that is a multiple of heads",
            )
        self.embed = embedding(dims["n_tokens"], config.width)
        self.blocks = nn.ModuleList(
            Block(config.width, config.heads, config.feed_forward, config.dropout) for _ in range(config.layers)
        )
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.out_dim = config.width

    def forward(self, items: Items) -> Encoded:
        """Encode token sequences; padding changes no row."""
        x, real = pad(self.embed(items.fields["ids"]), items.sizes["tokens"])
        x = self.dropout(x + _positions(x.shape[1], self.config.width).to(x))
        for block in self.blocks:
            x = block(x, real)
        states, owner = self.norm(x)[real], items.owner["tokens"]
        return Encoded(states, owner, segment_mean(states, owner, items.n))


def _positions(length: int, width: int) -> Tensor:
    """(length, width) sines and cosines (Vaswani et al. 2017, section 3.5)."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(length).unsqueeze(1) * rate
    return torch.stack([angle.sin(), angle.cos()], dim=2).view(length, width)


ENTRY = SmilesTransformer
