"""One safetensors file that holds everything a run needs to go on exactly. No pickle."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from molmed.errors import ArtefactError
from molmed.results import Epoch
from molmed.train.config import TrainConfig

FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state after an epoch.

    Args:
        module, learner: weights, and the learner's non-gradient state.
        optimiser: "<parameter number>.<name>" -> tensor.
        best: weights of the best epoch so far.
        step: optimiser steps done.
        epochs: the history; its last entry is the epoch this was written after.
        config: the settings of the run.
    """

    module: dict[str, Tensor]
    learner: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    best: dict[str, Tensor]
    step: int
    epochs: tuple[Epoch, ...]
    config: dict[str, Any]


_PARTS = ("module", "learner", "optimiser", "best")


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically: a reader sees the old file or the new one, never half of one."""
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for part in _PARTS
        for name, tensor in getattr(checkpoint, part).items()
    }
    meta = {
        "format": FORMAT,
        "step": checkpoint.step,
        "epochs": [asdict(e) for e in checkpoint.epochs],
        "config": checkpoint.config,
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    save_file(tensors, temporary, metadata={"molmed": json.dumps(meta)})
    os.replace(temporary, path)


def read(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises:
        ArtefactError: missing, damaged, or of another format version.
    """
    asked, remedy = f"resuming from {path}", "start the run anew"
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {})["molmed"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
    except FileNotFoundError:
        raise ArtefactError(asked, "no such file", "a checkpoint", remedy) from None
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ArtefactError(asked, f"a damaged file ({error})", "a checkpoint", remedy) from None
    if meta["format"] != FORMAT:
        raise ArtefactError(asked, f"checkpoint format {meta['format']}", f"format {FORMAT}", remedy)
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    for name, tensor in tensors.items():
        part, key = name.split("/", 1)
        parts[part][key] = tensor
    epochs = tuple(Epoch(**e) for e in meta["epochs"])
    return Checkpoint(**parts, step=meta["step"], epochs=epochs, config=meta["config"])


def matches(checkpoint: Checkpoint, config: TrainConfig, path: Path) -> None:
    """Refuse to go on under other settings than the run was started with.

    Raises:
        ArtefactError: naming the first setting that differs.
    """
    for key, value in asdict(config).items():
        was = checkpoint.config.get(key)
        if was != value:
            raise ArtefactError(
                f"resuming from {path}", f"{key} = {was!r}, asked {value!r}", "equal settings", "use another folder"
            )


def optimiser_tensors(optimiser: Optimizer) -> dict[str, Tensor]:
    """The optimiser's state, flat: "<parameter number>.<name>"."""
    state = optimiser.state_dict()["state"]
    return {f"{number}.{name}": t for number, values in state.items() for name, t in values.items()}


def restore_optimiser(optimiser: Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the flat state back; settings such as the learning rate stay the optimiser's own."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, name = key.split(".", 1)
        state.setdefault(int(number), {})[name] = tensor
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def weights(module: nn.Module) -> dict[str, Tensor]:
    """A copy of a module's parameters and buffers on the CPU."""
    return {name: t.detach().cpu().clone() for name, t in module.state_dict().items()}
