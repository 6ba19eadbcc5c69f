"""On which device a run takes place and in which numbers it multiplies matrices. The rest is float32 either way."""

import os
import re
from pathlib import Path

import torch

from molmed.errors import ConfigError
from molmed.train.config import TrainConfig

_CPU_FLAGS = ("amx_bf16", "avx512_bf16")
"""What multiplies bf16 matrices, by the names that Linux and torch give them. Arm's are left out: untried."""


def device_used(config: TrainConfig) -> str:
    """ "cpu" or "cuda": what `config.device` comes to on this machine; "auto" is CUDA where there is a device.

    Raises:
        ConfigError: no CUDA device, or fewer of them than processes.
    """
    device = device_here(config.device, "train.device")
    found = torch.cuda.device_count() if device == "cuda" else config.devices
    if found < config.devices:
        came = f"{config.device!r} with devices = {config.devices} and {_counted(found)} here"
        raise ConfigError("setting train.device", came, "a CUDA device per process", "set train.device to 'cpu'")
    return device


def device_here(name: str, setting: str = "device") -> str:
    """ "cpu" or "cuda": what "auto", "cpu" or "cuda" comes to on this machine; "auto" is CUDA where there is a device.

    Raises:
        ConfigError: "cuda" where there is no CUDA device, or another name.
    """
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not found):
        return "cpu"
    if name not in ("auto", "cuda"):
        raise ConfigError(f"setting {setting}", repr(name), "auto, cpu, cuda")
    if not found:
        raise ConfigError(f"setting {setting}", f"{name!r} and {_counted(0)} here", "a CUDA device", "use 'cpu'")
    return "cuda"


def _counted(devices: int) -> str:
    return f"{devices} CUDA device{'s' * (devices != 1)}"


def precision_used(config: TrainConfig) -> str:
    """ "32-true" or "bf16-mixed": what `config.precision` comes to on this machine.

    "auto" is bf16 where the device multiplies bf16 matrices fast (`fast_bf16`), float32 elsewhere.

    Raises:
        ConfigError: see `device_used`.
    """
    if config.precision != "auto":
        return config.precision
    return "bf16-mixed" if fast_bf16(device_used(config)) else "32-true"


def fast_bf16(device: str) -> bool:
    """Whether a device has instructions for bf16 matrix products, which without them are slower than float32's.

    CUDA: compute capability 8.0 (Ampere) or newer, on every device. CPU: AMX or AVX512-BF16.
    """
    if device == "cuda":
        return all(torch.cuda.get_device_capability(i) >= (8, 0) for i in range(torch.cuda.device_count()))
    return not set(_CPU_FLAGS).isdisjoint(cpu_flags())


def cpu_flags() -> frozenset[str]:
    """Names of what this CPU can do: torch's list (2.10 and newer), else that of Linux, else none."""
    listed = getattr(torch.cpu, "get_capabilities", None)
    if listed is not None:
        return frozenset(name for name, has in listed().items() if has is True)
    path = Path("/proc/cpuinfo")
    text = path.read_text(encoding="utf-8") if os.name == "posix" and path.is_file() else ""
    found = re.search(r"^flags\s*:(.*)$", text, flags=re.MULTILINE)
    return frozenset(found.group(1).split() if found else ())
