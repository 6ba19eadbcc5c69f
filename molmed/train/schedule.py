"""The learning rate as a function of the optimiser step."""

import math

from molmed.train.config import TrainConfig

_START = 0.1
"""First learning rate as a fraction of the peak (chemprop 2.3.1: 1e-4 of 1e-3)."""


def lr_factor(step: int, steps_per_epoch: int, config: TrainConfig) -> float:
    """Learning rate at a step (0-based) as a fraction of `config.lr`.

    Linear from 0.1 to 1 over the warm-up, then constant or half a cosine down to `final_lr_fraction` at the
    last step (Loshchilov & Hutter 2017, SGDR, without restarts).
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    total = config.epochs * steps_per_epoch
    warmup = min(warmup, max(total - 1, 0))
    if step < warmup:
        return _START + (1 - _START) * step / warmup
    if config.schedule == "constant":
        return 1.0
    progress = min((step - warmup) / max(total - 1 - warmup, 1), 1.0)
    return config.final_lr_fraction + (1 - config.final_lr_fraction) * 0.5 * (1 + math.cos(math.pi * progress))
