"""One trainer, `molmed.train.fit`, for seven kinds of rows: graphs, tokens, tables, two slots, two tasks, a table of
candidates, sequences of sets. Each learns a rule that a model with a part missing does not learn."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rdkit import RDConfig
from rdkit.Chem import Crippen
from sklearn.datasets import load_breast_cancer

from molmed import catalog
from molmed.chem import Molecule, read
from molmed.features import Packed
from molmed.metrics import metric
from molmed.nn.encoders import Encoder
from molmed.nn.feed import Feed, MixedFeed, Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner, predict_rows
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Cardinality, Slot, Target
from molmed.train.config import TrainConfig
from molmed.train.history import History
from molmed.train.loop import fit
from molmed.train.seed import seed_all

SETTINGS = TrainConfig(epochs=25, lr=3e-3, warmup_epochs=1.0, device="cpu")
NUMBER, CLASS = Target("number"), Target("class", kind="binary")


@pytest.fixture(scope="module")
def molecules() -> list[Molecule]:
    """The first 300 readable structures of RDKit's NCI file of at most 40 atoms."""
    path = Path(RDConfig.RDDataDir) / "NCI" / "first_5K.smi"
    found = []
    with path.open(encoding="utf-8") as file:
        for row in csv.reader(file, delimiter="\t"):
            molecule = read(row[0])
            if isinstance(molecule, Molecule) and molecule.mol.GetNumAtoms() <= 40:
                found.append(molecule)
            if len(found) == 300:
                return found
    raise AssertionError("the file is shorter than it was")


@pytest.fixture(scope="module")
def logp(molecules: list[Molecule]) -> np.ndarray:
    """Crippen's logP of each, standardised."""
    values = np.asarray([Crippen.MolLogP(m.mol) for m in molecules])
    return (values - values.mean()) / values.std()


def packed(features: str, items: Sequence[Any]) -> tuple[Packed, dict[str, int]]:
    featurizer = catalog.load("features", features)()
    state = featurizer.fit(items)
    return featurizer.featurize(items, state), featurizer.dims(state)


def encoder(name: str, dims: Mapping[str, int], **settings: Any) -> Encoder:
    entry = catalog.load("encoders", name)
    return entry(entry.Config(**settings), dims)


def learner(
    encoders: Mapping[str, Encoder], tasks: Mapping[str, tuple[Mapping[str, tuple[Slot, str]], Sequence[Target]]]
) -> SupervisedLearner:
    """task -> ({slot name: (slot, encoder's key)}, targets)."""
    plans = {
        task: TaskPlan(
            tuple(slot for slot, _ in slots.values()),
            {name: key for name, (_, key) in slots.items()},
            tuple(targets),
            tuple(catalog.load("heads", t.kind) for t in targets),
        )
        for task, (slots, targets) in tasks.items()
    }
    return SupervisedLearner(Model(encoders, plans, JoinConfig(width=64)))


def halves(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Three quarters to train on and one to look at."""
    order = np.random.default_rng(0).permutation(n)
    return order[: 3 * n // 4], order[3 * n // 4 :]


def one(pack: Packed, rows: np.ndarray) -> SlotRows:
    return SlotRows("one", pack.take(rows))


def train(made: SupervisedLearner, train_rows: Rows, valid: Rows, settings: TrainConfig = SETTINGS) -> History:
    feed = Feed(train_rows, batch_size=32)
    return fit(made, feed, Feed(valid, batch_size=256, shuffle=False), settings)


def score(name: str, made: SupervisedLearner, rows: Rows) -> float:
    return metric(name)(rows.target.reshape(-1), predict_rows(made, rows).reshape(-1))


def fitted_r2(name: str, features: str, items: Sequence[Any], y: np.ndarray, **settings: Any) -> float:
    """R2 on the quarter that was not trained on, of a model with one slot and one number."""
    pack, dims = packed(features, items)
    seed_all(0)
    made = learner({"own": encoder(name, dims, **settings)}, {"task": ({"item": (Slot("item"), "own")}, [NUMBER])})
    seen, unseen = (Rows({"item": one(pack, rows)}, len(rows), target=y[rows, None]) for rows in halves(len(items)))
    train(made, seen, unseen)
    return score("r2", made, unseen)


@pytest.mark.parametrize(
    ("name", "settings"),
    [("dmpnn", {"width": 64, "readout": "mean"}), ("gin", {"width": 64, "layers": 3})],
    ids=["dmpnn", "gin"],
)
def test_graphs(molecules: list[Molecule], logp: np.ndarray, name: str, settings: dict[str, Any]) -> None:
    assert fitted_r2(name, "graph", molecules, logp, **settings) > 0.7


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("gru", {"width": 32, "layers": 1, "embedding": 32}),
        ("smiles_transformer", {"width": 32, "layers": 2, "heads": 2, "feed_forward": 64, "dropout": 0.0}),
    ],
    ids=["gru", "transformer"],
)
def test_token_sequences(molecules: list[Molecule], logp: np.ndarray, name: str, settings: dict[str, Any]) -> None:
    assert fitted_r2(name, "tokens", molecules, logp, **settings) > 0.7


def test_a_table_as_a_diagnosis() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    seen, unseen = halves(len(y))
    columns = catalog.load("features", "columns")()
    state = columns.fit(x[seen].tolist())
    made_rows = [
        Rows({"patient": SlotRows("one", columns.featurize(x[rows].tolist(), state))}, len(rows), y[rows, None] * 1.0)
        for rows in (seen, unseen)
    ]
    seed_all(0)
    slots = {"patient": (Slot("patient", subject="columns"), "own")}
    made = learner({"own": encoder("mlp", columns.dims(state), width=32)}, {"task": (slots, [CLASS])})
    history = train(made, *made_rows)
    assert score("auroc", made, made_rows[1]) > 0.97
    assert history.best.scores["loss"] < 0.15


def test_a_row_of_two_slots_where_both_are_needed(molecules: list[Molecule], logp: np.ndarray) -> None:
    """The response is the molecule's logP, turned round for half of the patients."""
    rng = np.random.default_rng(3)
    sign = rng.choice([-1.0, 1.0], len(molecules))
    patients = [[s, noise] for s, noise in zip(sign.tolist(), rng.normal(size=len(sign)).tolist(), strict=True)]
    y = logp * sign
    graphs, graph_dims = packed("graph", molecules)
    table, table_dims = packed("columns", patients)
    seed_all(0)
    made = learner(
        {
            "graphs": encoder("dmpnn", graph_dims, width=64, readout="mean"),
            "columns": encoder("mlp", table_dims, width=32, dropout=0.0),
        },
        {
            "task": (
                {
                    "molecule": (Slot("molecule"), "graphs"),
                    "patient": (Slot("patient", subject="columns"), "columns"),
                },
                [NUMBER],
            )
        },
    )
    seen, unseen = (
        Rows({"molecule": one(graphs, rows), "patient": one(table, rows)}, len(rows), target=y[rows, None])
        for rows in halves(len(molecules))
    )
    train(made, seen, unseen)
    assert score("r2", made, unseen) > 0.6
    assert fitted_r2("dmpnn", "graph", molecules, y, width=64, readout="mean") < 0.2
    assert fitted_r2("mlp", "columns", patients, y, width=32, dropout=0.0) < 0.2


def test_two_data_sets_share_one_encoder(molecules: list[Molecule], logp: np.ndarray) -> None:
    """200 molecules with a number, 150 others with two classes, one of them half unknown; batches alternate."""
    pack, dims = packed("graph", molecules)
    ring = np.asarray([float(m.mol.GetRingInfo().NumRings() > 0) for m in molecules])
    nitrogen = np.asarray([float("N" in m.smiles or "n" in m.smiles) for m in molecules])
    classes = np.stack([ring, np.where(np.arange(300) % 2 == 0, nitrogen, np.nan)], axis=1)
    slots = {"molecule": (Slot("molecule"), "shared")}
    seed_all(0)
    shared = encoder("dmpnn", dims, width=64, readout="mean")
    made = learner(
        {"shared": shared},
        {"solubility": (slots, [NUMBER]), "alerts": (slots, [Target("ring", "binary"), Target("nitrogen", "binary")])},
    )

    def feeds(numbers: range, others: range, shuffle: bool) -> MixedFeed:
        first, second = np.asarray(numbers), np.asarray(others)
        return MixedFeed(
            [
                Feed(
                    Rows({"molecule": one(pack, first)}, len(first), logp[first, None], task="solubility"), 20, shuffle
                ),
                Feed(Rows({"molecule": one(pack, second)}, len(second), classes[second], task="alerts"), 20, shuffle),
            ]
        )

    mixed, valid = feeds(range(160), range(160, 260), True), feeds(range(260, 300), range(40), False)
    order = [batch.task for batch in mixed.batches(0)]
    assert sorted(order) == ["alerts"] * 5 + ["solubility"] * 8
    assert order != sorted(order, reverse=True)
    assert order != [batch.task for batch in mixed.batches(1)]

    reached = {}
    for batch in mixed.batches(0):
        made.module.zero_grad()
        made.loss(batch)[0].backward()
        reached[batch.task] = [p.grad.clone() for p in shared.parameters() if p.grad is not None]
        others = made.model.tasks["alerts" if batch.task == "solubility" else "solubility"]
        assert all(p.grad is None for p in others.parameters())
    assert all(len(gradients) == len(list(shared.parameters())) for gradients in reached.values())
    assert all(g.abs().sum() > 0 for gradients in reached.values() for g in gradients)
    made.module.zero_grad()

    history = fit(made, mixed, valid, SETTINGS)
    first, best = history.epochs[0].scores, history.best.scores
    assert first.keys() == {"loss", "loss/solubility", "loss/alerts"}
    assert first["loss"] == pytest.approx((first["loss/solubility"] + first["loss/alerts"]) / 2)
    assert best["loss/solubility"] < min(0.5, 0.5 * first["loss/solubility"])  # 1 is the variance
    assert best["loss/alerts"] < min(0.4, 0.7 * first["loss/alerts"])  # 0.69 is a coin


def test_a_row_scores_a_table_of_candidates(molecules: list[Molecule], logp: np.ndarray) -> None:
    """Patients want a fatty or a watery drug. Trained on 150 candidates, asked about 30 and about 3 new ones."""
    pack, dims = packed("graph", molecules)
    rng = np.random.default_rng(1)
    wants = rng.normal(size=200)
    patients, patient_dims = packed(
        "columns", [[w, n] for w, n in zip(wants.tolist(), rng.normal(size=200).tolist(), strict=True)]
    )
    candidates = rng.permutation(len(molecules))
    seed_all(0)
    made = learner(
        {
            "graphs": encoder("dmpnn", dims, width=64, readout="mean"),
            "columns": encoder("mlp", patient_dims, width=32, dropout=0.0),
        },
        {
            "task": (
                {
                    "patient": (Slot("patient", subject="columns"), "columns"),
                    "drugs": (Slot("drugs", cardinality="table"), "graphs"),
                },
                [Target("fits", kind="binary")],
            )
        },
    )

    def rows(numbers: np.ndarray, drugs: np.ndarray, unknown: float = 0.0) -> Rows:
        y = (np.outer(wants[numbers], logp[drugs]) > 0).astype(float)
        y[np.random.default_rng(2).random(y.shape) < unknown] = np.nan
        slots = {"patient": one(patients, numbers), "drugs": SlotRows("table", pack.take(drugs))}
        return Rows(slots, len(numbers), target=y)

    seen, unseen = halves(200)
    train(made, rows(seen, candidates[:150], unknown=0.5), rows(unseen, candidates[:150]))
    new = candidates[150:180]
    many = rows(unseen, new)
    assert predict_rows(made, many).shape == (50, 30)
    assert score("auroc", made, many) > 0.9
    few = rows(unseen, new[[4, 2, 9]])
    np.testing.assert_allclose(predict_rows(made, few), predict_rows(made, many)[:, [4, 2, 9]], rtol=1e-5, atol=1e-6)


def visits(n: int, seed: int) -> tuple[list[list[str]], np.ndarray, np.ndarray]:
    """(visits one row after the other, offsets, whether the start of A comes before the start of B)."""
    rng = np.random.default_rng(seed)
    every: list[list[str]] = []
    ends, labels = [0], []
    for _ in range(n):
        length = int(rng.integers(2, 7))
        own = [[str(code) for code in rng.choice(["C", "D", "E", "F"], rng.integers(0, 3))] for _ in range(length)]
        first, second = sorted(rng.choice(length, 2, replace=False).tolist())
        a_first = bool(rng.random() < 0.5)
        own[first].append("A" if a_first else "B")
        own[second].append("B" if a_first else "A")
        every += own
        ends.append(len(every))
        labels.append(float(a_first))
    return every, np.asarray(ends), np.asarray(labels)[:, None]


def sequence_learner(dims: Mapping[str, int], cardinality: Cardinality) -> SupervisedLearner:
    seed_all(0)
    slots = {"visits": (Slot("visits", subject="codes", cardinality=cardinality), "codes")}
    return learner({"codes": encoder("code_bag", dims, width=16)}, {"task": (slots, [CLASS])})


@pytest.mark.parametrize(("cardinality", "low", "high"), [("sequence", 0.98, 1.0), ("set", 0.3, 0.7)])
def test_a_sequence_of_sets_is_read_in_its_order(cardinality: Cardinality, low: float, high: float) -> None:
    """Which of two diagnoses came first: told by the sequence, not by the set of the same visits."""
    codes = catalog.load("features", "codes")()
    state = codes.fit(visits(300, 0)[0])

    def rows(n: int, seed: int) -> Rows:
        every, ends, y = visits(n, seed)
        return Rows({"visits": SlotRows(cardinality, codes.featurize(every, state), ends)}, n, target=y)

    made = sequence_learner(codes.dims(state), cardinality)
    train(made, rows(300, 0), rows(100, 1))
    assert low <= score("accuracy", made, rows(200, 2)) <= high


@pytest.mark.parametrize("cardinality", ["sequence", "set"])
def test_a_row_without_visits_is_a_row(cardinality: Cardinality) -> None:
    """Alone, among others, and in a batch where nobody has a visit; it changes nobody else and trains."""
    every = [["A"], ["A", "B"], [], ["B"], ["C"]]
    ends = np.asarray([0, 0, 2, 2, 5, 5])  # rows 0, 2 and 4 are empty
    pack, dims = packed("codes", every)
    rows = Rows({"visits": SlotRows(cardinality, pack, ends)}, 5, target=np.asarray([[0.0], [1], [0], [1], [0]]))
    made = sequence_learner(dims, cardinality)
    together = predict_rows(made, rows)
    assert np.isfinite(together).all()
    assert together[0] == together[2] == together[4]
    assert len(np.unique(together)) == 3
    for size in (1, 2, 3):
        np.testing.assert_allclose(predict_rows(made, rows, batch_size=size), together, rtol=1e-6)
    nobody = Rows({"visits": SlotRows(cardinality, pack.take([]), np.zeros(3, dtype=np.int64))}, 2)
    np.testing.assert_allclose(predict_rows(made, nobody), together[[0, 0]], rtol=1e-6)
    history = fit(made, Feed(rows, batch_size=2), None, replace(SETTINGS, epochs=60))
    assert history.epochs[-1].train_loss < 0.5 * history.epochs[0].train_loss
    assert all(torch.isfinite(p).all() for p in made.module.parameters())
