"""The learning rate at every step is the formula's, and its warm-up is chemprop's."""

import math

import pytest
import torch

from molmed.train.config import TrainConfig
from molmed.train.schedule import lr_factor

CONFIG = TrainConfig(epochs=10, warmup_epochs=2.0, final_lr_fraction=0.1)


def factors(config: TrainConfig, steps_per_epoch: int) -> list[float]:
    return [lr_factor(step, steps_per_epoch, config) for step in range(config.epochs * steps_per_epoch)]


def test_a_line_up_and_half_a_cosine_down() -> None:
    got = factors(CONFIG, 7)
    expected = [0.1 + 0.9 * step / 14 for step in range(14)]
    expected += [0.1 + 0.45 * (1 + math.cos(math.pi * i / 55)) for i in range(56)]
    assert got == pytest.approx(expected, rel=1e-12)
    assert (got[0], got[14]) == (0.1, 1.0)
    assert got[-1] == pytest.approx(0.1)


def test_the_warm_up_is_chemprops() -> None:
    from chemprop.schedulers import build_NoamLike_LRSched

    lr, steps = 1e-3, 14
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr / 10)
    theirs = build_NoamLike_LRSched(optimiser, steps, 56, lr / 10, lr, lr / 10)
    for step in range(steps + 1):
        assert lr * lr_factor(step, 7, CONFIG) == pytest.approx(theirs.get_last_lr()[0], rel=1e-12)
        optimiser.step()
        theirs.step()


def test_constant_stays_at_the_peak_after_the_warm_up() -> None:
    got = factors(TrainConfig(epochs=4, warmup_epochs=0.5, schedule="constant"), 6)
    assert got == pytest.approx([0.1, 0.4, 0.7] + [1.0] * 21)


def test_without_warm_up_the_first_step_has_the_peak() -> None:
    got = factors(TrainConfig(epochs=2, warmup_epochs=0.0, final_lr_fraction=0.0), 4)
    assert got == pytest.approx([0.5 * (1 + math.cos(math.pi * i / 7)) for i in range(8)])
    assert got[-1] == pytest.approx(0.0, abs=1e-12)


def test_a_warm_up_longer_than_the_run_reaches_the_peak_at_its_end() -> None:
    got = factors(TrainConfig(epochs=3, warmup_epochs=1000.0), 2)
    assert got == sorted(got)
    assert (got[0], got[-1]) == (0.1, 1.0)


def test_a_run_of_one_step_is_possible() -> None:
    assert factors(TrainConfig(epochs=1), 1) == [1.0]
