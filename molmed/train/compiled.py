"""torch.compile as an option: what it needs, and what becomes of a run without it."""

import os
import shutil
import warnings
from collections.abc import Callable
from typing import Any

import torch

from molmed.errors import ConfigError
from molmed.train.config import TrainConfig

_COMPILERS = ("g++", "clang++", "cl")


def translated(function: Callable[..., Any], config: TrainConfig, device: str) -> Callable[..., Any]:
    """The function as torch.compile makes it where `config.compile` asks for it, else itself.

    Sizes are dynamic, since no two batches of molecules have the same number of atoms; with `cuda_graphs` each new
    size is recorded once. Without a compiler the function itself comes back, with a warning.

    Raises:
        ConfigError: CUDA graphs without `compile` or without CUDA.
    """
    if config.cuda_graphs and not (config.compile and device == "cuda"):
        came = f"cuda_graphs with compile = {str(config.compile).lower()} on the device {device!r}"
        raise ConfigError("setting train.cuda_graphs", came, "compile on CUDA", "leave cuda_graphs out")
    if not config.compile:
        return function
    missing = missing_compiler(device)
    if missing:
        warnings.warn(f"train.compile: {missing} is not installed, so the network runs as it is.", stacklevel=2)
        return function
    if config.cuda_graphs:
        return torch.compile(function, mode="reduce-overhead")
    return torch.compile(function, dynamic=True)


def missing_compiler(device: str) -> str:
    """What torch.compile would need on a device and does not find, or ""."""
    if device == "cuda":
        from torch.utils._triton import has_triton

        return "" if has_triton() else "Triton"
    wanted = (os.environ["CXX"],) if os.environ.get("CXX") else _COMPILERS
    return "" if any(shutil.which(name) for name in wanted) else f"a C++ compiler ({', '.join(wanted)})"
