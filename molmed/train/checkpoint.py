"""One safetensors file that holds everything a run needs to go on exactly. No pickle."""

import hashlib
import json
import os
from collections.abc import Mapping
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
        steps_per_epoch: optimiser steps of an epoch, by which other rows or another batch size are noticed.
        epochs: the history; its last entry is the epoch this was written after.
        config: the settings of the run.
    """

    module: dict[str, Tensor]
    learner: dict[str, Tensor]
    optimiser: dict[str, Tensor]
    best: dict[str, Tensor]
    step: int
    steps_per_epoch: int
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
        "digest": _digest(tensors),
        "step": checkpoint.step,
        "steps_per_epoch": checkpoint.steps_per_epoch,
        "epochs": [asdict(e) for e in checkpoint.epochs],
        "config": checkpoint.config,
    }
    # one name, so that a process killed while writing leaves at most one such file and the next one takes it over
    temporary = path.with_name(f".{path.name}.part")
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
            found = meta["format"]
            if found != FORMAT:
                raise ArtefactError(asked, f"checkpoint format {found}", f"format {FORMAT}", remedy)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dict
        if meta["digest"] != _digest(tensors):
            raise ValueError("its tensors are not those that were written")
        parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
        for name, tensor in tensors.items():
            part, key = name.split("/", 1)
            parts[part][key] = tensor
        epochs = tuple(Epoch(**e) for e in meta["epochs"])
        return Checkpoint(
            **parts,
            step=meta["step"],
            steps_per_epoch=meta["steps_per_epoch"],
            epochs=epochs,
            config=dict(meta["config"]),
        )
    except FileNotFoundError:
        raise ArtefactError(asked, "no such file", "a checkpoint", remedy) from None
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ArtefactError(asked, f"a damaged file ({error})", "a checkpoint", remedy) from None


def _digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes: safetensors itself notices a wrong length, not a wrong byte."""
    total = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def matches(checkpoint: Checkpoint, config: TrainConfig, steps_per_epoch: int, module: nn.Module, path: Path) -> None:
    """Refuse to go on with other settings, rows or networks than the run was started with.

    Raises:
        ArtefactError: naming the first thing that differs.
    """
    asked, remedy = f"resuming from {path}", "use another folder"
    for key, value in asdict(config).items():
        was = checkpoint.config.get(key)
        if was != value:
            raise ArtefactError(asked, f"{key} = {was!r}, asked {value!r}", "equal settings", remedy)
    if checkpoint.steps_per_epoch != steps_per_epoch:
        found = f"{checkpoint.steps_per_epoch} optimiser steps an epoch, asked {steps_per_epoch}"
        raise ArtefactError(asked, found, "the same training rows and batch size", remedy)
    was_shaped = {name: tuple(t.shape) for name, t in checkpoint.module.items()}
    shaped = {name: tuple(t.shape) for name, t in module.state_dict().items()}
    for name in {**was_shaped, **shaped}:
        if was_shaped.get(name) != shaped.get(name):
            found = f"weights {name!r} of shape {was_shaped.get(name)}, asked {shaped.get(name)}"
            raise ArtefactError(asked, found, "the same network", remedy)


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
