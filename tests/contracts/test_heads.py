"""Every head of the shelf: unknown labels do not count, no output breaks it, decode says what the loss meant."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from molmed import catalog
from molmed.nn.heads import Head
from molmed.targets import Target

NAMES = catalog.names("heads")
B, T = 7, 3

# kind of target -> labels as the head gets them (regression in the learnt scale). A new kind needs one entry.
LABELS = {
    "regression": lambda rng: rng.normal(size=(B, T)),
    "binary": lambda rng: rng.integers(0, 2, size=(B, T)).astype(float),
}
# head -> its loss per cell, written in numpy from raw (B, T) and labels (B, T)
FORMULAS = {
    "regression": lambda raw, y: (raw - y) ** 2,
    "binary": lambda raw, y: -y * np.log(1 / (1 + np.exp(-raw))) - (1 - y) * np.log(1 - 1 / (1 + np.exp(-raw))),
}


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def head(name: str) -> Head:
    return catalog.load("heads", name)


def labels(head: Head, seed: int = 0) -> Tensor:
    return torch.from_numpy(LABELS[head.kind](np.random.default_rng(seed))).float()


def raws(head: Head, scale: float = 1.0) -> Tensor:
    made = torch.randn(B, T, head.width, generator=torch.Generator().manual_seed(0)) * scale
    return made.requires_grad_()


def loss(head: Head, raw: Tensor, target: Tensor, censor: Tensor | None = None) -> Tensor:
    exact = torch.zeros(target.shape, dtype=torch.int8)
    return head.loss(raw, target, ~torch.isnan(target), exact if censor is None else censor)


def test_a_head_says_its_kind_and_its_width(head: Head) -> None:
    Target("y", kind=head.kind)
    assert head.kind in LABELS, f"no labels of kind {head.kind!r}: add an entry to LABELS"
    assert head.width >= 1
    assert not hasattr(head, "parameters"), "the linear map belongs to the model"


def test_every_cell_has_a_loss_and_a_value(head: Head) -> None:
    raw, target = raws(head), labels(head)
    assert loss(head, raw, target).shape == head.decode(raw).shape == (B, T)
    assert torch.isfinite(loss(head, raw, target)).all()
    assert torch.isfinite(head.decode(raw)).all()


def test_another_width_than_declared_is_refused(head: Head) -> None:
    raw = torch.zeros(B, T, head.width + 1)
    with pytest.raises(TypeCheckError):
        head.decode(raw)


def test_an_unknown_label_costs_nothing_and_moves_nothing(head: Head) -> None:
    raw, target = raws(head), labels(head)
    unknown = torch.zeros(B, T, dtype=torch.bool)
    unknown[0, 1], unknown[3] = True, True
    cells = loss(head, raw, target.masked_fill(unknown, float("nan")))
    assert (cells[unknown] == 0).all()
    torch.testing.assert_close(cells[~unknown], loss(head, raw, target)[~unknown], rtol=0, atol=0)
    cells.sum().backward()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()
    assert (raw.grad[unknown] == 0).all()
    assert (raw.grad[~unknown] != 0).all()


@pytest.mark.parametrize("broken", [float("inf"), float("nan")])
def test_an_unknown_label_under_a_broken_output_moves_nothing(head: Head, broken: float) -> None:
    raw, target = raws(head).detach(), labels(head)
    raw[2] = broken
    target[2] = float("nan")
    raw.requires_grad_()
    cells = loss(head, raw, target)
    cells.sum().backward()
    assert torch.isfinite(cells).all()
    assert raw.grad is not None
    assert torch.isfinite(raw.grad).all()


@pytest.mark.parametrize("size", [1e2, 1e4, 1e15])
def test_extreme_outputs_have_finite_losses_and_gradients(head: Head, size: float) -> None:
    raw = torch.full((B, T, head.width), size)
    raw[::2] = -size
    raw.requires_grad_()
    cells = loss(head, raw, labels(head))
    cells.sum().backward()
    assert raw.grad is not None
    assert torch.isfinite(cells).all()
    assert torch.isfinite(raw.grad).all()
    assert torch.isfinite(head.decode(raw)).all()
    assert (cells >= 0).all()


def test_a_class_is_decoded_to_a_probability(head: Head) -> None:
    if head.kind == "regression":
        return
    for scale in (1.0, 100.0):
        value = head.decode(raws(head, scale))
        assert (value >= 0).all()
        assert (value <= 1).all()
        assert value.max() > 0.5 > value.min()


def test_less_loss_means_a_value_nearer_to_the_label(head: Head) -> None:
    """100 steps along the gradient bring the decoded value to the label."""
    raw, target = torch.zeros(B, T, head.width, requires_grad=True), labels(head)
    before = (head.decode(raw) - target).abs().mean()
    optimiser = torch.optim.Adam([raw], lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        loss(head, raw, target).sum().backward()
        optimiser.step()
    assert (head.decode(raw) - target).abs().max() < 0.1 * before


@pytest.mark.parametrize("known", sorted(FORMULAS))
def test_the_loss_is_its_formula(known: str) -> None:
    head = catalog.load("heads", known)
    raw, target = raws(head, 3.0).detach(), labels(head, seed=1)
    expected = FORMULAS[known](raw.double().numpy()[:, :, 0], target.double().numpy())
    np.testing.assert_allclose(loss(head, raw, target).numpy(), expected, rtol=2e-5, atol=1e-6)


def test_the_probability_is_the_logistic_of_the_output() -> None:
    raw = raws(catalog.load("heads", "binary"), 4.0).detach()
    value = catalog.load("heads", "binary").decode(raw)
    np.testing.assert_allclose(value.numpy(), 1 / (1 + np.exp(-raw.double().numpy()[:, :, 0])), rtol=1e-6)


@pytest.mark.parametrize(
    ("censor", "raw", "expected"),
    [
        (0, 2.0, 1.0),
        (0, 0.0, 1.0),
        (-1, 2.0, 1.0),  # the truth is below 1, 2 is wrong by at least 1
        (-1, 0.0, 0.0),  # 0 may be the truth
        (1, 2.0, 0.0),  # the truth is above 1, 2 may be it
        (1, 0.0, 1.0),
        (-1, 1.0, 0.0),
        (1, 1.0, 0.0),
    ],
)
def test_a_censored_number_costs_on_its_wrong_side_only(censor: int, raw: float, expected: float) -> None:
    output = torch.full((1, 1, 1), raw, requires_grad=True)
    side = torch.full((1, 1), censor, dtype=torch.int8)
    cell = loss(catalog.load("heads", "regression"), output, torch.ones(1, 1), side)
    cell.sum().backward()
    assert float(cell.detach()) == expected
    assert output.grad is not None
    assert float(output.grad) == 2 * np.sign(raw - 1) * expected
