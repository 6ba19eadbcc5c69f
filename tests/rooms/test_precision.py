"""Which device and which numbers a run uses, on this machine and on others."""

import pytest
import torch

from molmed.errors import ConfigError
from molmed.train import precision
from molmed.train.config import TrainConfig
from molmed.train.precision import cpu_flags, device_here, device_used, fast_bf16, precision_used


@pytest.fixture
def plain_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CPU without bf16 instructions, as torch would report it."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, "avx512_bf16": False}, raising=False)


@pytest.mark.parametrize("flag", ["amx_bf16", "avx512_bf16"])
def test_a_cpu_multiplies_bf16_fast_if_it_has_an_instruction_for_it(
    flag: str, plain_cpu: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not fast_bf16("cpu")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True, flag: True})
    assert fast_bf16("cpu")


def test_auto_is_float32_where_bf16_would_be_slow(plain_cpu: None) -> None:
    assert precision_used(TrainConfig(device="cpu", precision="auto")) == "32-true"
    # what was asked for by name is done, fast or not
    assert precision_used(TrainConfig(device="cpu", precision="bf16-mixed")) == "bf16-mixed"


def test_auto_is_bf16_where_it_is_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert precision_used(TrainConfig(device="cpu", precision="auto")) == "bf16-mixed"
    assert precision_used(TrainConfig(device="cpu")) == "32-true"  # the default


def test_without_torchs_list_the_flags_are_those_of_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    text = precision.Path("/proc/cpuinfo")
    if not text.is_file():
        pytest.skip("no /proc/cpuinfo on this system")
    known = text.read_text(encoding="utf-8")
    assert cpu_flags() == {word for line in known.splitlines() if line.startswith("flags") for word in line.split()[2:]}


def without_cuda(monkeypatch: pytest.MonkeyPatch, devices: int = 0) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)


def test_auto_is_the_cpu_where_there_is_no_cuda_device(monkeypatch: pytest.MonkeyPatch) -> None:
    without_cuda(monkeypatch)
    assert device_here("auto") == device_here("cpu") == "cpu"
    assert device_used(TrainConfig(devices=4)) == "cpu"


def test_auto_is_cuda_where_there_is_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    without_cuda(monkeypatch, devices=1)
    assert device_here("auto") == device_here("cuda") == "cuda"
    assert device_here("cpu") == "cpu"


def test_cuda_without_a_device_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    without_cuda(monkeypatch)
    with pytest.raises(ConfigError, match=r"train.device.*'cuda' and 0 CUDA devices here.*'cpu'"):
        device_used(TrainConfig(device="cuda"))
    with pytest.raises(ConfigError, match=r"setting device.*'gpu'.*auto, cpu, cuda"):
        device_here("gpu")


def test_fewer_devices_than_processes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    without_cuda(monkeypatch, devices=1)
    with pytest.raises(ConfigError, match=r"devices = 2 and 1 CUDA device here.*a CUDA device per process"):
        device_used(TrainConfig(devices=2))


def test_this_machines_own_device_is_one_that_it_has(device: str) -> None:
    assert device_here(device) == device
    assert device_here("auto") == ("cuda" if torch.cuda.is_available() else "cpu")
