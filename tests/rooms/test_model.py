"""One network for any slots, targets and tasks: what its loss adds up, what it predicts, what it refuses."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from molmed import catalog
from molmed.errors import ConfigError
from molmed.features import Packed
from molmed.nn.encoders.code_bag import CodeBag, CodeBagConfig
from molmed.nn.encoders.gru import GRU, GRUConfig
from molmed.nn.encoders.mlp import MLP, MLPConfig
from molmed.nn.feed import Feed, Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import Predicted, SupervisedLearner, predict_rows
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Slot, Target
from molmed.train.learner import Learner
from molmed.train.seed import seed_all

RNG = np.random.default_rng(0)
TARGETS = (Target("number", weight=2.0), Target("class", kind="binary", weight=0.5), Target("other"))


def encoders() -> dict[str, Any]:
    return {
        "text": GRU(GRUConfig(width=16, embedding=8), {"n_tokens": 9}),
        "table": MLP(MLPConfig(width=8, dropout=0.0), {"dim": 3}),
        "codes": CodeBag(CodeBagConfig(width=8), {"n_codes": 7}),
    }


SLOTS: dict[str, tuple[Slot, str]] = {
    "molecule": (Slot("molecule"), "text"),
    "patient": (Slot("patient", subject="columns"), "table"),
    "visits": (Slot("visits", subject="codes", cardinality="sequence"), "codes"),
    "problems": (Slot("problems", subject="codes", cardinality="set"), "codes"),
}


def plan(slots: Mapping[str, tuple[Slot, str]], targets: tuple[Target, ...]) -> TaskPlan:
    return TaskPlan(
        tuple(slot for slot, _ in slots.values()),
        {name: key for name, (_, key) in slots.items()},
        targets,
        tuple(catalog.load("heads", t.kind) for t in targets),
    )


def learner(targets: tuple[Target, ...] = TARGETS) -> SupervisedLearner:
    seed_all(0)
    return SupervisedLearner(Model(encoders(), {"task": plan(SLOTS, targets)}, JoinConfig(width=16)))


def ragged(kind: str, sizes: np.ndarray, high: int) -> Packed:
    level = {"tokens": "tokens", "codes": "codes"}[kind]
    ids = RNG.integers(0, high, int(sizes.sum())).astype(np.int32)
    return Packed(kind, {"ids": ids}, {level: np.cumsum([0, *sizes])}, len(sizes))  # type: ignore[arg-type]


def rows(n: int = 37) -> Rows:
    visits = RNG.integers(0, 5, n)
    y = RNG.normal(size=(n, 3))
    y[:, 1] = y[:, 1] > 0
    y[RNG.random((n, 3)) < 0.3] = np.nan
    per_row = np.cumsum([0, *visits])
    return Rows(
        {
            "molecule": SlotRows("one", ragged("tokens", RNG.integers(1, 30, n), 9)),
            "patient": SlotRows("one", Packed("vector", {"x": RNG.normal(size=(n, 3)).astype(np.float32)}, {}, n)),
            "visits": SlotRows("sequence", ragged("codes", RNG.integers(0, 4, visits.sum()), 7), per_row),
            "problems": SlotRows("set", ragged("codes", RNG.integers(0, 4, visits.sum()), 7), per_row),
        },
        n,
        target=y,
        weight=RNG.uniform(0.5, 2, size=(n, 3)),
    )


def test_a_supervised_learner_satisfies_the_trainers_protocol() -> None:
    assert isinstance(learner(), Learner)


@pytest.mark.parametrize("size", [1, 2, 7, 36, 256])
def test_a_prediction_does_not_depend_on_how_rows_are_batched(size: int) -> None:
    """To float32 rounding: 1e-5 of the spread of the values."""
    made, data = learner(), rows()
    whole = predict_rows(made, data, batch_size=37)
    parts = predict_rows(made, data, batch_size=size)
    assert whole.shape == (37, 3)
    assert whole.std(axis=0).min() > 1e-3
    np.testing.assert_allclose(parts, whole, rtol=0, atol=1e-5 * max(1, whole.std()))


def test_a_prediction_is_made_in_evaluation_mode_without_labels() -> None:
    made, data = learner(), rows()
    made.module.train()
    bare = Rows(data.slots, data.n)
    np.testing.assert_array_equal(predict_rows(made, bare), predict_rows(made, data))
    assert not made.module.training


def test_no_rows_have_no_predictions() -> None:
    data = rows()
    nothing = {n: SlotRows(s.cardinality, s.packed.take([]), s.offsets if s.offsets is None else s.offsets[:1])
               for n, s in data.slots.items()}  # fmt: skip
    assert predict_rows(learner(), Rows(nothing, 0)).shape == (0, 3)


def test_the_loss_is_the_weighted_sum_over_known_cells() -> None:
    made, data = learner(), rows()
    made.module.eval()
    batch = data.batch(np.arange(data.n))
    total, weight = made.loss(batch)
    with torch.no_grad():
        raws = [raw[:, 0, 0].double().numpy() for raw in made.module(batch)]
    expected = known_weight = 0.0
    for t, target in enumerate(TARGETS):
        for row in range(data.n):
            y, raw = data.target[row, t], raws[t][row]
            if math.isnan(y):
                continue
            p = 1 / (1 + math.exp(-raw))
            cell = (raw - y) ** 2 if target.kind == "regression" else -math.log(p if y else 1 - p)
            expected += target.weight * data.weight[row, t] * cell
            known_weight += target.weight * data.weight[row, t]
    assert float(total.detach()) == pytest.approx(expected, rel=1e-5)
    assert float(weight) == pytest.approx(known_weight, rel=1e-5)


def test_a_binary_target_is_predicted_as_a_probability() -> None:
    made, data = learner(), rows()
    batch = data.batch(np.arange(data.n))
    made.module.eval()
    with torch.no_grad():
        raws, value = made.module(batch), made.predict(batch).value
    torch.testing.assert_close(value[:, 0], raws[0][:, 0, 0])
    torch.testing.assert_close(value[:, 1], raws[1][:, 0, 0].sigmoid())


def predicted(task: str, loss: float, weight: float) -> Predicted:
    return Predicted(task, torch.zeros(1, dtype=torch.int64), torch.zeros(1, 1), loss, weight)


def test_the_score_is_the_mean_over_cells_and_then_over_tasks() -> None:
    made = learner()
    assert made.score([predicted("a", 6.0, 3.0), predicted("a", 2.0, 1.0)]) == {"loss": 2.0}
    two = made.score([predicted("a", 6.0, 3.0), predicted("b", 1.0, 10.0), predicted("a", 2.0, 1.0)])
    assert two == {"loss": pytest.approx(1.05), "loss/a": 2.0, "loss/b": pytest.approx(0.1)}


def test_a_task_without_a_known_label_does_not_hide_the_others() -> None:
    found = learner().score([predicted("a", 6.0, 3.0), predicted("b", 0.0, 0.0)])
    assert found["loss"] == 2.0
    assert math.isnan(found["loss/b"])
    assert math.isnan(learner().score([predicted("b", 0.0, 0.0)])["loss"])
    assert math.isnan(learner().score([])["loss"])


def test_every_slot_reaches_the_prediction() -> None:
    made, data = learner(), rows()
    before = predict_rows(made, data)
    for name, slot in data.slots.items():
        turned = {
            **data.slots,
            name: SlotRows(slot.cardinality, slot.packed.take(np.arange(slot.packed.n)[::-1]), slot.offsets),
        }
        after = predict_rows(made, Rows(turned, data.n))
        assert np.abs(after - before).max() > 1e-4, name


def test_the_order_counts_in_a_sequence_and_not_in_a_set() -> None:
    made, data = learner(), rows()
    before = predict_rows(made, data)
    for name, counts in (("visits", True), ("problems", False)):
        slot = data.slots[name]
        assert slot.offsets is not None
        backwards = np.concatenate(
            [np.arange(a, b)[::-1] for a, b in zip(slot.offsets[:-1], slot.offsets[1:], strict=True)]
        )
        turned = {**data.slots, name: SlotRows(slot.cardinality, slot.packed.take(backwards), slot.offsets)}
        after = predict_rows(made, Rows(turned, data.n))
        assert (np.abs(after - before).max() > 1e-4) == counts
        if not counts:
            np.testing.assert_allclose(after, before, atol=1e-6)


def test_an_encoder_named_by_two_slots_is_one_encoder() -> None:
    made = learner()
    made.loss(next(Feed(rows(), 37).batches(0)))[0].backward()
    assert len([k for k in made.module.state_dict() if "codes" in k and "embed" in k]) == 1
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in made.module.parameters())


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_the_number_of_hidden_layers_is_free(layers: int) -> None:
    slots = {"patient": SLOTS["patient"]}
    model = Model({"table": encoders()["table"]}, {"task": plan(slots, TARGETS)}, JoinConfig(width=16, layers=layers))
    data = rows()
    made = SupervisedLearner(model)
    assert predict_rows(made, Rows({"patient": data.slots["patient"]}, data.n)).shape == (37, 3)
    assert sum("hidden" in k and "weight" in k for k in model.state_dict()) == layers


TABLE = (Slot("drugs", cardinality="table"), "text")


def test_a_candidates_score_is_its_key_times_the_rows_query() -> None:
    seed_all(0)
    made = Model(
        encoders(), {"task": plan({"patient": SLOTS["patient"], "drugs": TABLE}, TARGETS[:1])}, JoinConfig(width=16)
    ).eval()
    data, drugs = rows(), SlotRows("table", ragged("tokens", np.asarray([3, 1, 8, 2]), 9))
    batch = Rows({"patient": data.slots["patient"], "drugs": drugs}, data.n).batch(np.arange(5))
    net: Any = made.tasks["task"]
    torch.nn.init.constant_(net.bias, 0.7)
    with torch.no_grad():
        query = net.query(net.hidden(made.encoders["table"](batch.slots["patient"].items).pooled))
        key = net.key(made.encoders["text"](batch.slots["drugs"].items).pooled)
        (raw,) = made(batch)
    assert raw.shape == (5, 4, 1)
    for b in range(5):
        for t in range(4):
            assert float(raw[b, t, 0]) == pytest.approx(float(query[b] @ key[t]) / 4 + 0.7, abs=1e-6)


@pytest.mark.parametrize(
    ("slots", "targets"),
    [
        ({}, TARGETS[:1]),
        ({"drugs": TABLE}, TARGETS[:1]),  # nobody to score for
        (
            {"patient": SLOTS["patient"], "drugs": TABLE, "more": (Slot("more", cardinality="table"), "text")},
            TARGETS[:1],
        ),
        ({"patient": SLOTS["patient"], "drugs": TABLE}, TARGETS[:2]),
    ],
    ids=["no slot", "a table alone", "two tables", "two targets of a table"],
)
def test_a_network_that_makes_no_sense_is_refused(
    slots: Mapping[str, tuple[Slot, str]], targets: tuple[Target, ...]
) -> None:
    with pytest.raises(ConfigError, match="at least one row slot"):
        Model(encoders(), {"task": plan(slots, targets)}, JoinConfig())


@pytest.mark.parametrize("name", ["a.b", "", "items"])
def test_a_name_that_torch_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="naming"):
        Model(encoders(), {name: plan({"patient": SLOTS["patient"]}, TARGETS)}, JoinConfig())
    with pytest.raises(ConfigError, match="naming"):
        Model({name: encoders()["table"]}, {}, JoinConfig())
