"""Every encoder of the shelf, with every featurizer it accepts: each item is encoded on its own, and it learns."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from molmed import catalog, tunable
from molmed.errors import ConfigError
from molmed.features import SCHEMAS, Packed, concatenate
from molmed.nn.batch import Items
from molmed.nn.encoders import Encoded, Encoder
from molmed.nn.feed import Feed, Rows, SlotRows
from molmed.nn.join import JoinConfig
from molmed.nn.learner import SupervisedLearner
from molmed.nn.model import Model, TaskPlan
from molmed.targets import Slot, Target
from molmed.train.config import TrainConfig
from molmed.train.loop import epochs
from molmed.train.seed import seed_all

NAMES = catalog.names("encoders")
PAIRS = [(name, features) for name in NAMES for features in catalog.load("encoders", name).features]

# What the order of float32 sums may change. Relative to the largest number of the item's vector.
ROUNDING = 1e-5


@dataclass
class Subject:
    """An encoder in evaluation mode on a device, and packed items it reads."""

    entry: type[Encoder]
    encoder: Encoder
    packed: Packed
    dims: dict[str, int]
    of: str
    device: str


@pytest.fixture(params=PAIRS, ids="-".join)
def subject(request: pytest.FixtureRequest, items_of: Callable[[str], Sequence[Any]], device: str) -> Subject:
    name, features = request.param
    featurizer = catalog.load("features", features)()
    items = items_of(featurizer.subject)
    state = featurizer.fit(items)
    entry = catalog.load("encoders", name)
    dims = featurizer.dims(state)
    encoder = fresh(entry, dims).to(device)
    return Subject(entry, encoder, featurizer.featurize(items, state), dims, featurizer.subject, device)


def fresh(entry: type[Encoder], dims: dict[str, int], config: Any = None, seed: int = 0) -> Encoder:
    """On the CPU, in evaluation mode."""
    seed_all(seed)
    return entry(entry.Config() if config is None else config, dims).eval()


def on(encoder: Encoder, packed: Packed) -> Items:
    """The items on the encoder's device."""
    return Items.of(packed).to(next(encoder.parameters()).device)


def encode(encoder: Encoder, packed: Packed) -> Encoded:
    with torch.no_grad():
        return encoder(on(encoder, packed))


def assert_same(left: Tensor, right: Tensor) -> None:
    torch.testing.assert_close(left, right, rtol=0, atol=ROUNDING * max(1e-3, float(right.abs().max())))


def test_another_device_gives_the_same_vectors(subject: Subject) -> None:
    """To rounding, of sums in another order."""
    here, there = encode(subject.encoder, subject.packed), encode(fresh(subject.entry, subject.dims), subject.packed)
    assert here.pooled.device.type == subject.device
    torch.testing.assert_close(
        here.pooled.cpu(), there.pooled, rtol=0, atol=10 * ROUNDING * float(there.pooled.abs().max())
    )


def empty_item(packed: Packed) -> Packed:
    """One item of the same kind whose ragged levels hold nothing."""
    offsets = {level: np.zeros(2, dtype=np.int64) for level in packed.offsets}
    return Packed(packed.kind, {name: rows[:0] for name, rows in packed.fields.items()}, offsets, 1)


def test_one_row_per_element_and_one_vector_per_item(subject: Subject) -> None:
    encoded = encode(subject.encoder, subject.packed)
    n = len(subject.packed)
    assert encoded.pooled.shape == (n, subject.encoder.out_dim)
    assert encoded.states.shape[0] == len(encoded.owner)
    assert torch.bincount(encoded.owner, minlength=n).tolist() == subject.packed.sizes().tolist()
    assert encoded.owner.tolist() == sorted(encoded.owner.tolist())
    assert torch.isfinite(encoded.pooled).all()
    assert torch.isfinite(encoded.states).all()


def test_different_items_get_different_vectors(subject: Subject) -> None:
    pooled = encode(subject.encoder, subject.packed).pooled
    distance = torch.cdist(pooled, pooled) + torch.eye(len(pooled), device=pooled.device)
    assert distance.min() > 100 * ROUNDING * pooled.abs().max()


def test_an_item_alone_is_the_same_item_in_a_batch(subject: Subject) -> None:
    together = encode(subject.encoder, subject.packed)
    for i in range(len(subject.packed)):
        alone = encode(subject.encoder, subject.packed.take([i]))
        assert_same(alone.pooled[0], together.pooled[i])
        if len(alone.states):
            assert_same(alone.states, together.states[together.owner == i])


def test_the_order_of_a_batch_does_not_count(subject: Subject) -> None:
    order = np.random.default_rng(0).permutation(len(subject.packed))
    straight, turned = encode(subject.encoder, subject.packed), encode(subject.encoder, subject.packed.take(order))
    assert_same(turned.pooled, straight.pooled[torch.from_numpy(order).to(subject.device)])


def test_company_and_padding_do_not_count(subject: Subject) -> None:
    largest = int(subject.packed.sizes().argmax())
    few, crowd = subject.packed.take([0, 1]), subject.packed.take([0, 1, *[largest] * 30])
    assert_same(encode(subject.encoder, crowd).pooled[:2], encode(subject.encoder, few).pooled)


def test_no_items_give_no_vectors(subject: Subject) -> None:
    encoded = encode(subject.encoder, subject.packed.take([]))
    assert encoded.pooled.shape == (0, subject.encoder.out_dim)
    assert len(encoded.states) == len(encoded.owner) == 0


def test_an_item_of_nothing_has_a_finite_vector_and_disturbs_no_other(subject: Subject) -> None:
    if not subject.packed.offsets:
        return  # a vector has no ragged level that could be empty
    nothing = empty_item(subject.packed)
    assert torch.isfinite(encode(subject.encoder, nothing).pooled).all()
    assert torch.isfinite(encode(subject.encoder, concatenate([nothing, nothing])).pooled).all()
    mixed = concatenate([nothing, subject.packed, nothing])
    encoded = subject.encoder(on(subject.encoder, mixed))
    assert torch.isfinite(encoded.pooled).all()
    assert_same(encoded.pooled[1:-1].detach(), encode(subject.encoder, subject.packed).pooled)
    encoded.pooled.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in subject.encoder.parameters() if p.grad is not None)


def test_gradients_reach_every_parameter(subject: Subject) -> None:
    pooled = subject.encoder(on(subject.encoder, subject.packed)).pooled
    direction = torch.randn(pooled.shape, generator=torch.Generator().manual_seed(0)).to(subject.device)
    (pooled * direction).sum().backward()
    for name, parameter in subject.encoder.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_encoding_leaves_the_batch_as_it_was(subject: Subject) -> None:
    items = on(subject.encoder, subject.packed)
    before = {name: field.clone() for name, field in items.fields.items()}
    subject.encoder(items).pooled.sum().backward()
    for name, field in before.items():
        assert torch.equal(items.fields[name], field), name


def test_it_overfits_eight_rows(subject: Subject) -> None:
    """At most 200 AdamW steps at a learning rate of 3e-3 bring the error of 8 labels of variance 1 below 0.01."""
    config = subject.entry.Config()
    if "dropout" in {f.name for f in fields(config)}:
        config = replace(config, dropout=0.0)
    target = Target("y")
    plan = TaskPlan((Slot("item", subject.of),), {"item": "encoder"}, (target,), (catalog.load("heads", target.kind),))
    seed_all(0)
    model = Model({"encoder": subject.entry(config, subject.dims)}, {"task": plan}, JoinConfig(width=64))
    y = np.random.default_rng(1).normal(size=(8, 1))
    rows = Rows({"item": SlotRows("one", subject.packed.take(range(8)))}, 8, target=(y - y.mean()) / y.std())
    settings = TrainConfig(epochs=200, lr=3e-3, warmup_epochs=0.0, schedule="constant", device=subject.device)
    losses = []
    for epoch in epochs(SupervisedLearner(model), Feed(rows, batch_size=8), None, settings):  # one step an epoch
        losses.append(epoch.train_loss)
        if losses[-1] < 0.01:
            break
    assert losses[0] > 0.5
    assert losses[-1] < 0.01, losses[::20]


def test_equal_seeds_give_equal_weights(subject: Subject) -> None:
    first, again, other = (fresh(subject.entry, subject.dims, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_weights_go_through_a_safetensors_file(subject: Subject, tmp_path: Path) -> None:
    save_file(subject.encoder.state_dict(), tmp_path / "weights.safetensors")
    restored = fresh(subject.entry, subject.dims, seed=9).to(subject.device)
    restored.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    expected, got = encode(subject.encoder, subject.packed), encode(restored, subject.packed)
    assert torch.equal(got.pooled, expected.pooled)


@pytest.mark.parametrize("name", NAMES)
def test_its_featurizers_are_on_the_shelf_and_make_one_kind_of_pack(name: str) -> None:
    entry = catalog.load("encoders", name)
    assert entry.features
    kinds = {catalog.load("features", features).kind for features in entry.features}
    assert len(kinds) == 1
    assert kinds <= set(SCHEMAS)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_of_its_settings_has_a_range_that_holds_the_default(name: str) -> None:
    config = catalog.load("encoders", name).Config
    assert is_dataclass(config)
    assert config.__dataclass_params__.frozen  # type: ignore[attr-defined]
    types = get_type_hints(config)
    numbers = {f.name for f in fields(config) if types[f.name] in (int, float)}
    assert numbers <= set(tunable.ranges(config))
    tunable.check(config())


def outside(allowed: tunable.Range) -> Iterator[Any]:
    if isinstance(allowed, tunable.Choice):
        yield "no such value"
    else:
        yield from (allowed.low - 1, allowed.high + 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_setting_out_of_range_is_refused_by_its_name(name: str) -> None:
    config = catalog.load("encoders", name).Config
    found = tunable.ranges(config)
    assert found
    for field, allowed in found.items():
        for value in outside(allowed):
            with pytest.raises(ConfigError, match=rf"{field}.*{value}"):
                tunable.check(replace(config(), **{field: value}))
