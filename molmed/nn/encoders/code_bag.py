"""Mean of learnt code vectors: a visit, a problem list, a prescription."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from torch import nn

from molmed.nn.batch import Items
from molmed.nn.encoders._contract import Encoded, Encoder
from molmed.nn.layers.embedding import embedding
from molmed.nn.layers.segments import segment_mean
from molmed.tunable import Float, Int


@dataclass(frozen=True)
class CodeBagConfig:
    """Values chosen, not studied."""

    width: Annotated[int, Int(8, 1024, step=8)] = 64
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.0


class CodeBag(Encoder):
    """One vector per code, averaged; an empty set gives zeros."""

    Config = CodeBagConfig
    features = ("codes",)

    def __init__(self, config: CodeBagConfig, dims: Mapping[str, int]) -> None:
        super().__init__(config, dims)
        self.embed = embedding(dims["n_codes"], config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.out_dim = config.width

    def forward(self, items: Items) -> Encoded:
        """Encode sets of codes."""
        states, owner = self.dropout(self.embed(items.fields["ids"])), items.owner["codes"]
        return Encoded(states, owner, segment_mean(states, owner, items.n))


ENTRY = CodeBag
