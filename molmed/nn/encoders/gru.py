"""Bidirectional GRU over SMILES tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import nn

from molmed.nn.batch import Items
from molmed.nn.encoders._contract import Encoded, Encoder
from molmed.nn.layers.embedding import embedding
from molmed.nn.layers.ragged import recur
from molmed.nn.layers.segments import segment_mean
from molmed.tunable import Choice, Float, Int


@dataclass(frozen=True)
class GRUConfig:
    """`width` of each direction; `dropout` stands between layers, so one layer has none. Values chosen, not studied."""

    width: Annotated[int, Int(16, 1024, step=8)] = 128
    layers: Annotated[int, Int(1, 4)] = 2
    embedding: Annotated[int, Int(8, 512, step=8)] = 64
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.0
    readout: Annotated[str, Choice(("mean", "last"))] = "mean"


class GRU(Encoder):
    """Gated recurrent units (Cho et al. 2014) in both directions; `last` joins the two final states."""

    Config = GRUConfig
    features = ("tokens",)

    def __init__(self, config: GRUConfig, dims: Mapping[str, int]) -> None:
        super().__init__(config, dims)
        self.embed = embedding(dims["n_tokens"], config.embedding)
        self.gru = nn.GRU(
            config.embedding,
            config.width,
            config.layers,
            batch_first=True,
            bidirectional=True,
            dropout=config.dropout if config.layers > 1 else 0.0,
        )
        self.out_dim = 2 * config.width

    def forward(self, items: Items) -> Encoded:
        """Encode token sequences; padding is never seen, an empty sequence gives zeros."""
        states, last = recur(self.gru, self.embed(items.fields["ids"]), items.sizes["tokens"])
        owner = items.owner["tokens"]
        if self.config.readout == "last":
            return Encoded(states, owner, torch.cat([last[-2], last[-1]], dim=1))
        return Encoded(states, owner, segment_mean(states, owner, items.n))


ENTRY = GRU
