"""Graphs of few different sizes: what bf16 products on a CPU need to be fast."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import pad

from molmed.nn.batch import Items
from molmed.nn.layers.bags import Adjacency, Bags

MULTIPLE = 64
"""Of 64, 128, 256 and 512 the first was as fast as any and adds least (pipelines/LOG.md)."""


@torch.compiler.disable  # compiled, it would be compiled anew for each number of atoms
def filled(items: Items) -> Items:
    """The graphs with one more, that brings the numbers of atoms and bonds to multiples of 64; other kinds as they are.

    oneDNN makes a kernel for every new shape of a bf16 product, and no two batches have the same number of atoms: half
    of a D-MPNN's time went into kernels used once. The added graph's atoms have no bonds that anybody hears; drop its
    row from what the encoder returns.
    """
    if items.adjacency is None:
        return items
    atoms, bonds = len(items.fields["atom_features"]), len(items.fields["bond_features"])
    more_bonds = -bonds % MULTIPLE
    more_atoms = -atoms % MULTIPLE or (MULTIPLE if more_bonds else 0)  # a bond needs an atom to start from
    more = {"atoms": more_atoms, "bonds": more_bonds}
    fields = {
        "atom_features": _longer(items.fields["atom_features"], more_atoms),
        "bond_features": _longer(items.fields["bond_features"], more_bonds),
        "source": _longer(items.fields["source"], more_bonds, atoms),
        "target": _longer(items.fields["target"], more_bonds, atoms),
        "reverse": torch.cat([items.fields["reverse"], torch.arange(bonds, bonds + more_bonds)]),
    }
    near = items.adjacency
    return replace(
        items,
        fields=fields,
        owner={level: _longer(owner, more[level], items.n) for level, owner in items.owner.items()},
        sizes={level: _longer(sizes, 1, more[level]) for level, sizes in items.sizes.items()},
        n=items.n + 1,
        adjacency=Adjacency(
            _emptier(near.into_atom, more_atoms),
            _emptier(near.into_bond, more_bonds),
            None if near.from_bond is None else _emptier(near.from_bond, more_bonds),
        ),
    )


def _longer(rows: Tensor, more: int, value: int = 0) -> Tensor:
    return pad(rows, (0, 0, 0, more) if rows.dim() == 2 else (0, more), value=value)


def _emptier(bags: Bags, more: int) -> Bags:
    return Bags(bags.index, _longer(bags.start, more, len(bags.index)))
