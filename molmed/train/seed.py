"""Where randomness starts: one seed for torch, numpy's global generator and Python's."""

import random

import numpy as np
import torch


def seed_all(*entropy: int) -> None:
    """Seed every global generator from some numbers, e.g. (seed, epoch).

    Seeding each epoch from (seed, epoch) is what makes a resumed run equal an uninterrupted one.
    """
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - third parties draw from the global generator
    torch.manual_seed(seed)
