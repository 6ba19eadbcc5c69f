"""Layers and encoders against the same arithmetic written out: numpy in float64, or torch on one item at a time."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from molmed.features import Packed
from molmed.nn.batch import Items
from molmed.nn.encoders.gin import GIN, GINConfig
from molmed.nn.encoders.gru import GRU, GRUConfig
from molmed.nn.encoders.smiles_transformer import SmilesTransformer, SmilesTransformerConfig
from molmed.nn.layers.attention import Block
from molmed.nn.layers.embedding import embedding
from molmed.nn.layers.ragged import pad, recur
from molmed.nn.layers.segments import segment_mean, segment_sum

RNG = np.random.default_rng(0)


def numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()


def linear(layer: Any, x: np.ndarray) -> np.ndarray:
    return x @ numbers(layer.weight).T + numbers(layer.bias)


def layer_norm(layer: Any, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + layer.eps) * numbers(layer.weight) + numbers(
        layer.bias
    )


def randomised(module: nn.Module) -> Any:
    """All parameters random, norms and biases too, so that a forgotten one shows."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(0, 0.3, generator=torch.Generator().manual_seed(parameter.numel()))
    return module.eval()


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_attention_is_softmax_of_q_k_over_root_d_times_v_plus_x(heads: int) -> None:
    """One item of 5 real positions in a rectangle of 8."""
    width, length = 8, 5
    block = randomised(Block(width, heads, 12, dropout=0.0))
    x = RNG.normal(size=(length, width))
    padded = torch.full((2, 8, width), 7.0)
    padded[0, :length] = torch.from_numpy(x)
    real = torch.zeros(2, 8, dtype=torch.bool)
    real[0, :length] = True
    real[1] = True
    got = numbers(block(padded, real))[0, :length]

    q, k, v = np.split(linear(block.qkv, layer_norm(block.norm_attention, x)), 3, axis=1)
    seen = []
    for part in np.split(np.arange(width), heads):
        scores = q[:, part] @ k[:, part].T / np.sqrt(width / heads)
        seen.append(softmax(scores) @ v[:, part])
    h = x + linear(block.out, np.concatenate(seen, axis=1))
    up = linear(block.feed[0], layer_norm(block.norm_feed, h))
    phi = 0.5 * (1 + np.vectorize(math.erf)(up / np.sqrt(2)))
    expected = h + linear(block.feed[2], up * phi)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def graph() -> Packed:
    """A triangle with a tail, and a lone atom. Edges both ways."""
    bonds = [(0, 1), (1, 2), (2, 0), (2, 3)]
    source = [end for bond in bonds for end in bond]
    target = [end for bond in bonds for end in bond[::-1]]
    return Packed(
        "graph",
        {
            "atom_features": RNG.normal(size=(5, 3)).astype(np.float32),
            "bond_features": np.repeat(RNG.normal(size=(4, 2)), 2, axis=0).astype(np.float32),
            "source": np.asarray(source, dtype=np.int32),
            "target": np.asarray(target, dtype=np.int32),
            "reverse": np.asarray([1, 0, 3, 2, 5, 4, 7, 6], dtype=np.int32),
        },
        {"atoms": np.asarray([0, 4, 5]), "bonds": np.asarray([0, 8, 8])},
        2,
    )


@pytest.mark.parametrize("readout", ["mean", "sum"])
def test_gin_is_its_formula_atom_by_atom(readout: str) -> None:
    """h_v <- h_v + MLP((1 + eps) n_v + sum over u -> v of relu(n_u + W e_uv)) with n = norm(h)."""
    packed = graph()
    encoder = randomised(GIN(GINConfig(width=16, layers=3, readout=readout), {"atom_dim": 3, "bond_dim": 2}))
    got = encoder(Items.of(packed))
    h = linear(encoder.embed, packed.fields["atom_features"].astype(float))
    edges = packed.fields["bond_features"].astype(float)
    for convolution, norm in zip(encoder.convolutions, encoder.norms, strict=True):
        e = linear(convolution.lin, edges)
        n = layer_norm(norm, h)
        gathered = (1 + numbers(convolution.eps)) * n
        for edge, (u, v) in enumerate(zip(packed.fields["source"], packed.fields["target"], strict=True)):
            gathered[v] += np.maximum(n[u] + e[edge], 0)
        h = h + linear(convolution.nn[2], np.maximum(linear(convolution.nn[0], gathered), 0))
    np.testing.assert_allclose(numbers(got.states), h, rtol=1e-4, atol=1e-5)
    pooled = np.stack([h[:4].sum(axis=0) / (4 if readout == "mean" else 1), h[4]])
    np.testing.assert_allclose(numbers(got.pooled), pooled, rtol=1e-4, atol=1e-5)


def sequences(sizes: list[int], n_tokens: int = 9) -> Packed:
    ids = RNG.integers(0, n_tokens, sum(sizes)).astype(np.int32)
    return Packed("tokens", {"ids": ids}, {"tokens": np.cumsum([0, *sizes])}, len(sizes))


@pytest.mark.parametrize("readout", ["mean", "last"])
def test_the_gru_reads_each_molecule_as_if_it_were_alone(readout: str) -> None:
    """Against torch.nn.GRU on each sequence on its own, which needs no padding."""
    sizes = [3, 11, 1, 7, 0, 2]
    packed = sequences(sizes)
    encoder = randomised(GRU(GRUConfig(width=16, layers=2, embedding=8, readout=readout), {"n_tokens": 9}))
    got = encoder(Items.of(packed))
    states = []
    for item, size in enumerate(sizes):
        own = packed.take([item]).fields["ids"]
        if size == 0:
            assert (got.pooled[item] == 0).all()
            continue
        out, last = encoder.gru(encoder.embed(torch.from_numpy(own).long()).unsqueeze(0))
        states.append(out[0])
        pooled = out[0].mean(dim=0) if readout == "mean" else torch.cat([last[-2, 0], last[-1, 0]])
        torch.testing.assert_close(got.pooled[item], pooled, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(got.states, torch.cat(states), rtol=1e-5, atol=1e-6)


def test_the_transformer_adds_sines_and_cosines_of_the_position() -> None:
    """Equal tokens differ by their position only: PE(p, 2i) = sin(p / 10000^(2i/d)), PE(p, 2i+1) = cos(same)."""
    width, length = 16, 6
    encoder = SmilesTransformer(SmilesTransformerConfig(width=width, layers=1, dropout=0.0), {"n_tokens": 3}).eval()
    seen: list[Tensor] = []
    encoder.blocks[0].register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    encoder(Items.of(Packed("tokens", {"ids": np.ones(length, np.int32)}, {"tokens": np.asarray([0, length])}, 1)))
    positions = numbers(seen[0][0]) - numbers(encoder.embed.weight)[1]
    for p in range(length):
        for i in range(0, width, 2):
            angle = p / 10_000 ** (i / width)
            assert positions[p, i] == pytest.approx(np.sin(angle), abs=1e-6)
            assert positions[p, i + 1] == pytest.approx(np.cos(angle), abs=1e-6)


def test_an_unknown_id_says_nothing_until_it_is_learnt() -> None:
    made = embedding(5, 8)
    assert (made.weight[0] == 0).all()
    assert (made.weight[1:].abs().sum(dim=1) > 0).all()
    made(torch.tensor([0, 1])).sum().backward()
    assert made.weight.grad is not None
    assert made.weight.grad[0].tolist() == [1.0] * 8


@pytest.mark.parametrize("sizes", [[2, 0, 3], [0, 0], [1], []])
def test_sums_and_means_over_segments(sizes: list[int]) -> None:
    owner = np.repeat(np.arange(len(sizes)), sizes)
    rows = RNG.normal(size=(sum(sizes), 4))
    for function, reduce in ((segment_sum, np.sum), (segment_mean, np.mean)):
        got = function(torch.from_numpy(rows), torch.from_numpy(owner), len(sizes))
        expected = [reduce(rows[owner == i], axis=0) if size else np.zeros(4) for i, size in enumerate(sizes)]
        np.testing.assert_allclose(got.numpy(), np.reshape(expected, (len(sizes), 4)), rtol=1e-12)


def test_half_precision_is_summed_in_single() -> None:
    """bfloat16 has 8 bits for a number: 1000 is its nearest to 1001, and counting in it ends at 256."""
    ones, owner = torch.ones(1001, 1, dtype=torch.bfloat16), torch.zeros(1001, dtype=torch.int64)
    assert segment_sum(ones, owner, 1).item() == 1000
    assert segment_mean(ones, owner, 1).item() == 1


@pytest.mark.parametrize("sizes", [[2, 0, 3], [0, 0], [4], []])
def test_padding_is_undone_by_its_mask(sizes: list[int]) -> None:
    rows = torch.randn(sum(sizes), 3)
    padded, real = pad(rows, torch.tensor(sizes, dtype=torch.int64))
    assert padded.shape == (len(sizes), max(sizes, default=0), 3)
    assert torch.equal(padded[real], rows)
    assert (padded[~real] == 0).all()
    assert real.sum(dim=1).tolist() == sizes


@pytest.mark.parametrize("sizes", [[2, 0, 3], [0, 0], [], [1, 1]])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_recurrent_network_has_zeros_for_who_has_no_rows(sizes: list[int], bidirectional: bool) -> None:
    network = nn.GRU(3, 5, 2, batch_first=True, bidirectional=bidirectional)
    states, last = recur(network, torch.randn(sum(sizes), 3), torch.tensor(sizes, dtype=torch.int64))
    ends = 4 if bidirectional else 2
    assert states.shape == (sum(sizes), 10 if bidirectional else 5)
    assert last.shape == (ends, len(sizes), 5)
    for item, size in enumerate(sizes):
        assert bool((last[:, item] == 0).all()) == (size == 0)
