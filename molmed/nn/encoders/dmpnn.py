"""D-MPNN: messages along directed bonds, then one sum per atom and one readout per molecule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor, nn

from molmed.nn.batch import Items
from molmed.nn.encoders._contract import Encoded, Encoder
from molmed.nn.layers.bags import atom_sum, bag_sum
from molmed.nn.layers.fused import lowered, relu, relu_linear
from molmed.nn.layers.segments import segment_mean, segment_sum
from molmed.tunable import Choice, Float, Int


@dataclass(frozen=True)
class DMPNNConfig:
    """Defaults are chemprop 2.3.1's; `norm` divides the sum over atoms by 100, as its command line does."""

    width: Annotated[int, Int(16, 2400, step=4)] = 300
    depth: Annotated[int, Int(2, 8)] = 3
    dropout: Annotated[float, Float(0.0, 0.6)] = 0.0
    bias: bool = False
    readout: Annotated[str, Choice(("mean", "sum", "norm"))] = "norm"


class DMPNN(Encoder):
    """Directed message passing network.

    Source: Yang et al. 2019, J. Chem. Inf. Model. 59, 3370, section "Directed MPNN", in the form of chemprop
    2.3.1's BondMessagePassing: h0 = W_i [x_v, e_vw]; h <- relu(h0 + W_h (sum of h into v, less the reverse
    bond's)); atom = relu(W_o [x_v, sum of h into v]). Letters: `e` bonds, `v` atoms.
    """

    Config = DMPNNConfig
    features = ("graph",)

    def __init__(self, config: DMPNNConfig, dims: Mapping[str, int]) -> None:
        super().__init__(config, dims)
        width = config.width
        self.W_i = nn.Linear(dims["atom_dim"] + dims["bond_dim"], width, bias=config.bias)
        self.W_h = nn.Linear(width, width, bias=config.bias)
        self.W_o = nn.Linear(dims["atom_dim"] + width, width)
        self.dropout = nn.Dropout(config.dropout)
        self.out_dim = width

    def forward(self, items: Items) -> Encoded:
        """Encode graphs; an atom without bonds receives no message."""
        x, e = lowered(items.fields["atom_features"]), lowered(items.fields["bond_features"])
        near = items.adjacency
        assert near is not None
        h0 = self.W_i(torch.cat([x.index_select(0, items.fields["source"]), e], dim=1))
        h = relu(h0)
        for step in range(1, self.config.depth):
            m = bag_sum(h, near.into_bond, near.from_bond)
            h = self.dropout(relu_linear(m, self.W_h, h0, last=step == self.config.depth - 1))
        heard = atom_sum(h, near, items.fields["target"])
        atoms = self.dropout(relu_linear(torch.cat([x, heard], dim=1), self.W_o))
        owner = items.owner["atoms"]
        return Encoded(atoms, owner, self._readout(atoms, owner, items.n))

    def _readout(self, atoms: Tensor, owner: Tensor, n: int) -> Tensor:
        if self.config.readout == "mean":
            return segment_mean(atoms, owner, n)
        total = segment_sum(atoms, owner, n)
        return total / 100 if self.config.readout == "norm" else total


ENTRY = DMPNN
