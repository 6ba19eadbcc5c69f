"""A stored model is whole or refused; reading one runs none of its code."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed import artefact
from molmed.artefact import FORMAT, Contents
from molmed.artefact.folder import _digest
from molmed.errors import ArtefactError


def contents() -> Contents:
    return Contents(
        {"task": "activity", "note": "Å"},
        tensors={"weights": {"a": np.arange(6, dtype=np.float32).reshape(2, 3)}, "domain/index": {"b": np.eye(2)}},
        tables={"history": pd.DataFrame({"epoch": [0, 1], "loss": [0.5, None], "name": ["x", "y"]})},
        texts={"config.toml": "seed = 1\n"},
        documents={"calibration": {"level": 0.9}},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    artefact.write(tmp_path / "m.molmed", contents())
    return tmp_path / "m.molmed"


def edit_card(folder: Path, change: Callable[[dict], None], *, resign: bool = False) -> None:
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    change(card)
    if resign:
        card["digest"] = _digest(card)
    (folder / "card.json").write_text(json.dumps(card), encoding="utf-8")


def test_what_is_written_is_read_back(folder: Path) -> None:
    found = artefact.read(folder)
    assert found.card["task"] == "activity"
    assert found.card["note"] == "Å"
    assert found.card["format"] == FORMAT
    for stem, arrays in contents().tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(found.tensors[stem][name], array)
            assert found.tensors[stem][name].dtype == array.dtype
    pd.testing.assert_frame_equal(found.tables["history"], contents().tables["history"])
    assert found.texts == contents().texts
    assert found.documents == contents().documents


def test_equal_contents_are_equal_files(folder: Path, tmp_path: Path) -> None:
    artefact.write(tmp_path / "again.molmed", contents())
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again.molmed" / path.relative_to(folder)).read_bytes()


def test_only_formats_that_hold_no_code_are_written(folder: Path) -> None:
    assert {p.suffix for p in folder.rglob("*") if p.is_file()} <= {".json", ".safetensors", ".parquet", ".toml"}


def test_an_older_model_is_replaced_and_anything_else_is_not(folder: Path, tmp_path: Path) -> None:
    artefact.write(folder, Contents({"task": "other"}))
    assert artefact.read(folder).card["task"] == "other"
    assert not artefact.read(folder).tensors
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ArtefactError, match="a path that is not a model"):
        artefact.write(tmp_path / "mine", contents())
    assert (tmp_path / "mine" / "thesis.txt").exists()


def test_a_failed_write_leaves_the_older_model_and_no_litter(folder: Path) -> None:
    with pytest.raises(ValueError, match="Out of range"):
        artefact.write(folder, Contents({"nan": float("nan")}))
    assert artefact.read(folder).card["task"] == "activity"
    assert [p.name for p in folder.parent.iterdir()] == ["m.molmed"]


FILES = ["weights.safetensors", "domain/index.safetensors", "history.parquet", "config.toml", "calibration.json"]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("where", ["first", "middle", "last"])
def test_one_changed_byte_is_refused_by_the_files_name(folder: Path, name: str, where: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[{"first": 0, "middle": len(data) // 2, "last": -1}[where]] ^= 1
    (folder / name).write_bytes(bytes(data))
    with pytest.raises(ArtefactError, match=f"a {name} that does not match its hash"):
        artefact.read(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_refused_by_its_name(folder: Path, name: str) -> None:
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ArtefactError, match=name):
        artefact.read(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_its_name(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtefactError, match=f"no {name}"):
        artefact.read(folder)


def test_a_file_that_the_card_does_not_list_is_refused(folder: Path) -> None:
    (folder / "domain" / "hook.py").write_text("raise SystemExit", encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"domain/hook\.py"):
        artefact.read(folder)


def test_a_listed_file_outside_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.toml").write_text("key = 1", encoding="utf-8")

    def outside(card: dict) -> None:
        card["files"]["../secret.toml"] = card["files"]["config.toml"]

    edit_card(folder, outside, resign=True)
    with pytest.raises(ArtefactError, match="outside the folder"):
        artefact.read(folder)


def test_an_edited_card_is_refused(folder: Path) -> None:
    edit_card(folder, lambda card: card.update(task="toxicity"))
    with pytest.raises(ArtefactError, match=r"card\.json that was changed after writing"):
        artefact.read(folder)


def test_a_format_from_the_future_is_refused_with_its_version(folder: Path) -> None:
    edit_card(folder, lambda card: card.update(format=FORMAT + 1))
    with pytest.raises(ArtefactError, match=rf"format version {FORMAT + 1}.*up to {FORMAT}.*update molmed"):
        artefact.read(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "1"}', "\x00"])
def test_a_card_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "card.json").write_text(text, encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"card\.json"):
        artefact.read(folder)


def test_no_folder_a_file_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "empty").mkdir()
    for name in ("nowhere", "file", "empty"):
        with pytest.raises(ArtefactError, match=name):
            artefact.read(tmp_path / name)


def test_a_copied_model_is_as_good_as_the_first(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy.molmed")
    assert artefact.read(tmp_path / "copy.molmed").card == artefact.read(folder).card
