"""A checkpoint is read back as it was written, and refused where it is not the run's own."""

import json
import math
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from molmed.errors import ArtefactError
from molmed.results import Epoch
from molmed.train import checkpoint
from molmed.train.checkpoint import FORMAT, Checkpoint, matches, read, write
from molmed.train.config import TrainConfig

CONFIG = TrainConfig(epochs=7, seed=3)
EPOCHS = (Epoch(0, 1 / 3, {"loss": math.inf}, 1e-3, 0.1, True), Epoch(1, 0.1, {"loss": math.nan}, 2e-4, 0.2, False))


def network(width: int = 3) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, width), nn.BatchNorm1d(width), nn.Linear(width, 1))


def written(path: Path) -> Checkpoint:
    module = network()
    made = Checkpoint(
        checkpoint.weights(module),
        {"multiplier": torch.tensor(0.5, dtype=torch.float64), "nothing": torch.zeros(0), "on": torch.tensor([True])},
        {"0.exp_avg": torch.randn(3, 2).T, "0.step": torch.tensor(4.0), "1.half": torch.randn(5).bfloat16()},
        checkpoint.weights(module),
        12,
        6,
        EPOCHS,
        asdict(CONFIG),
    )
    write(path, made)
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "last.safetensors"


def test_what_is_read_is_what_was_written(path: Path) -> None:
    made, found = written(path), read(path)
    for part in ("module", "learner", "optimiser", "best"):
        expected, got = getattr(made, part), getattr(found, part)
        assert got.keys() == expected.keys()
        for name, tensor in expected.items():
            assert got[name].dtype == tensor.dtype
            assert torch.equal(got[name], tensor), name
    assert (found.step, found.steps_per_epoch, found.config) == (12, 6, asdict(CONFIG))
    assert str(found.epochs) == str(EPOCHS)  # nan is not equal to itself
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_writing_replaces_the_file_and_what_a_killed_writer_left(path: Path) -> None:
    (path.parent / f".{path.name}.part").write_bytes(b"half a file")
    path.write_bytes(b"an old file")
    written(path)
    assert read(path).step == 12
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_missing_file_is_refused(path: Path) -> None:
    with pytest.raises(ArtefactError, match="no such file"):
        read(path)


def test_a_file_cut_short_anywhere_is_refused(path: Path) -> None:
    written(path)
    whole = path.read_bytes()
    for length in [0, 1, 8, 100, *range(200, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(ArtefactError, match="damaged file"):
            read(path)


def test_a_changed_byte_of_a_tensor_is_noticed(path: Path) -> None:
    written(path)
    whole = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(whole[:8], "little")
    assert start < len(whole)
    for at in range(start, len(whole)):
        path.write_bytes(bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]))
        with pytest.raises(ArtefactError, match="not those that were written"):
            read(path)


def changed(path: Path, **meta: Any) -> None:
    """Write the checkpoint again with other metadata; None leaves an entry out."""
    made = written(path)
    tensors = {
        f"{part}/{name}": t.clone(memory_format=torch.contiguous_format)
        for part in ("module", "learner", "optimiser", "best")
        for name, t in getattr(made, part).items()
    }
    good = {
        "format": FORMAT, "digest": checkpoint._digest(tensors), "step": 12, "steps_per_epoch": 6,
        "epochs": [asdict(e) for e in EPOCHS], "config": asdict(CONFIG),
    }  # fmt: skip
    good |= meta
    save_file(tensors, path, {"molmed": json.dumps({k: v for k, v in good.items() if v is not None})})


def test_the_unchanged_metadata_is_accepted(path: Path) -> None:
    changed(path)
    assert read(path).step == 12


def test_a_file_of_the_future_is_refused_by_its_format(path: Path) -> None:
    changed(path, format=FORMAT + 1, digest="of another kind", config=None)
    with pytest.raises(ArtefactError, match=rf"format {FORMAT + 1}.*accepted: format {FORMAT}"):
        read(path)


@pytest.mark.parametrize(
    "meta",
    [
        {"format": None},
        {"digest": "0" * 64},
        {"step": None},
        {"epochs": [{"epoch": 1}]},
        {"epochs": 3},
        {"config": "none"},
    ],
    ids=str,
)
def test_metadata_that_is_not_a_checkpoints_is_refused(path: Path, meta: dict[str, Any]) -> None:
    changed(path, **meta)
    with pytest.raises(ArtefactError, match="damaged file"):
        read(path)


@pytest.mark.parametrize(
    ("tensors", "meta"),
    [
        ({"weight": torch.zeros(2)}, None),  # somebody else's safetensors file
        ({"weight": torch.zeros(2)}, {"molmed": "[]"}),
        ({"weight": torch.zeros(2)}, {"molmed": "{"}),
        ({"other/weight": torch.zeros(2)}, {"molmed": json.dumps({"format": FORMAT})}),
    ],
)
def test_another_safetensors_file_is_refused(path: Path, tensors: dict[str, Any], meta: dict[str, str] | None) -> None:
    save_file(tensors, path, meta)
    with pytest.raises(ArtefactError, match="damaged file"):
        read(path)


def test_the_same_run_is_accepted(path: Path) -> None:
    matches(written(path), CONFIG, 6, network(), path)


OTHER: dict[str, Any] = {
    "epochs": 8, "lr": 2e-3, "weight_decay": 0.1, "warmup_epochs": 1.0, "final_lr_fraction": 0.2,
    "schedule": "constant", "clip_norm": 2.0, "patience": 5, "monitor": "rmse", "accumulate": 2, "seed": 4,
    "device": "cuda", "devices": 2, "precision": "bf16-mixed", "compile": True, "cuda_graphs": True, "threads": 2,
    "timeout": 10.0,
}  # fmt: skip


@pytest.mark.parametrize("setting", [f.name for f in fields(TrainConfig)])
def test_another_setting_is_refused_by_its_name(path: Path, setting: str) -> None:
    saved = written(path)
    asked = replace(CONFIG, **{setting: OTHER[setting]})
    was, now = getattr(CONFIG, setting), OTHER[setting]
    with pytest.raises(ArtefactError, match=rf"{setting} = {was!r}, asked {now!r}"):
        matches(saved, asked, 6, network(), path)


def test_other_rows_or_another_batch_size_are_refused(path: Path) -> None:
    with pytest.raises(ArtefactError, match="6 optimiser steps an epoch, asked 5"):
        matches(written(path), CONFIG, 5, network(), path)


def test_another_network_is_refused_by_its_first_weight(path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"'0.weight' of shape \(3, 2\), asked \(4, 2\)"):
        matches(written(path), CONFIG, 6, network(4), path)
    with pytest.raises(ArtefactError, match=r"'3.weight' of shape None"):
        matches(written(path), CONFIG, 6, nn.Sequential(*network(), nn.Linear(1, 1)), path)
