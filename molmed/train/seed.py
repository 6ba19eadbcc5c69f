"""Where randomness starts: one seed for torch, numpy's global generator and Python's."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_all(*entropy: int) -> None:
    """Seed every global generator from some numbers, e.g. (seed, epoch)."""
    seed = int(np.random.SeedSequence(entropy).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - third parties draw from the global generator
    torch.manual_seed(seed)


@contextmanager
def seeded(*entropy: int) -> Iterator[None]:
    """Inside, every global generator starts from these numbers; afterwards each goes on where it stood before.

    An epoch that runs inside `seeded(seed, epoch)` draws the same whatever was drawn before it, which is what
    makes a resumed run equal an uninterrupted one, and it leaves no trace in the caller's own random numbers.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    gpus = [torch.cuda.current_device()] if torch.cuda.is_available() and torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=gpus):
        seed_all(*entropy)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)  # noqa: NPY002
