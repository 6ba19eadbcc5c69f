"""Our D-MPNN with the weights of a chemprop 2.3.1 network is that network, on 200 molecules of RDKit's NCI file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.models import MPNN
from chemprop.nn import BondMessagePassing, MeanAggregation, NormAggregation, RegressionFFN, SumAggregation
from rdkit import RDConfig

from molmed import catalog
from molmed.chem import Molecule, read
from molmed.features import Packed
from molmed.nn.batch import Items
from molmed.nn.encoders.dmpnn import DMPNN, DMPNNConfig
from molmed.nn.feed import Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner, predict_rows
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Slot, Target

READOUTS: dict[str, type] = {"norm": NormAggregation, "mean": MeanAggregation, "sum": SumAggregation}
SCHEME = {"scheme": "chemprop_v2"}


@pytest.fixture(scope="module")
def molecules() -> list[Molecule]:
    with (Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi").open(encoding="utf-8") as file:
        answers = [read(row.split()[0]) for row, _ in zip(file, range(220), strict=False)]
    found = [m for m in answers if isinstance(m, Molecule)][:200]
    assert len(found) == 200
    return found


@pytest.fixture(scope="module")
def graphs(molecules: list[Molecule]) -> Packed:
    featurizer = catalog.load("features", "graph")
    return featurizer(featurizer.Config(**SCHEME)).featurize(molecules, {})


@pytest.fixture(scope="module")
def theirs(molecules: list[Molecule]) -> BatchMolGraph:
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    return BatchMolGraph([featurizer(m.mol) for m in molecules])


def pair(readout: str, bias: bool = False, n_targets: int = 1) -> tuple[MPNN, SupervisedLearner]:
    """chemprop's network of default sizes, randomly initialised, and ours with its weights."""
    torch.manual_seed(1)
    network = MPNN(BondMessagePassing(bias=bias), READOUTS[readout](), RegressionFFN(n_tasks=n_targets)).eval()
    widths = {"atom_dim": network.message_passing.W_o.in_features - 300, "bond_dim": 14}
    encoder = DMPNN(DMPNNConfig(bias=bias, readout=readout), widths)
    targets = tuple(Target(f"t{i}") for i in range(n_targets))
    head = catalog.load("heads", "regression")
    plan = TaskPlan((Slot("molecule"),), {"molecule": "graphs"}, targets, (head,) * n_targets)
    model = Model({"graphs": encoder}, {"task": plan}, JoinConfig()).eval()

    for name in ("W_i", "W_h", "W_o"):
        getattr(encoder, name).load_state_dict(getattr(network.message_passing, name).state_dict())
    net: Any = model.tasks["task"]
    (hidden,) = [layer for layer in net.hidden if isinstance(layer, torch.nn.Linear)]
    hidden.load_state_dict(network.predictor.ffn[0][-1].state_dict())
    net.out.load_state_dict(network.predictor.ffn[1][-1].state_dict())
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in network.parameters() if p.requires_grad)
    return network, SupervisedLearner(model)


def test_the_graphs_are_the_same(graphs: Packed, theirs: BatchMolGraph) -> None:
    fields = Items.of(graphs).fields
    assert torch.equal(fields["atom_features"], theirs.V)
    assert torch.equal(fields["bond_features"], theirs.E)
    assert torch.equal(torch.stack([fields["source"], fields["target"]]), theirs.edge_index)
    assert torch.equal(fields["reverse"], theirs.rev_edge_index)


def tolerance(values: torch.Tensor) -> float:
    """1e-5 of the largest number (all are of order 1 but the sum's), and a thousandth of what separates molecules."""
    return min(1e-5 * max(1.0, float(values.abs().max())), 1e-3 * float(values.std(dim=0).max()))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("readout", READOUTS)
def test_vectors_and_predictions_agree(graphs: Packed, theirs: BatchMolGraph, readout: str, bias: bool) -> None:
    network, ours = pair(readout, bias, n_targets=3)
    with torch.no_grad():
        vectors, predictions = network.fingerprint(theirs), network(theirs)
        pooled = ours.model.encoders["graphs"](Items.of(graphs)).pooled
    torch.testing.assert_close(pooled, vectors, rtol=0, atol=tolerance(vectors))
    got = predict_rows(ours, Rows({"molecule": SlotRows("one", graphs)}, 200), batch_size=64)
    np.testing.assert_allclose(got, predictions.numpy(), rtol=0, atol=tolerance(predictions))


def test_gradients_agree(graphs: Packed, theirs: BatchMolGraph) -> None:
    network, ours = pair("norm")
    y = torch.linspace(-1, 1, 200).unsqueeze(1)
    ((network(theirs) - y) ** 2).mean().backward()
    rows = Rows({"molecule": SlotRows("one", graphs)}, 200, target=y.double().numpy())
    total, weight = ours.loss(rows.batch(np.arange(200)))
    (total / weight).backward()
    encoder: Any = ours.model.encoders["graphs"]
    for name in ("W_i", "W_h", "W_o"):
        expected = getattr(network.message_passing, name).weight.grad
        got = getattr(encoder, name).weight.grad
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def test_the_defaults_are_chemprops() -> None:
    network = MPNN(BondMessagePassing(), NormAggregation(), RegressionFFN())
    config = DMPNNConfig()
    layer = network.message_passing
    assert (config.width, config.depth, config.dropout) == (layer.output_dim, layer.depth, layer.dropout.p)
    assert config.bias == (layer.W_h.bias is not None)
    assert network.agg.norm == 100
    first = network.predictor.ffn[0][-1]
    assert (JoinConfig().width, JoinConfig().layers, JoinConfig().dropout) == (first.out_features, 1, 0.0)
