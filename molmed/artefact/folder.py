"""The folder model.molmed/: what is in it, written once, verified at every read."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load, save

from molmed.artefact.parts import CARD, REMEDY, Parts, open_parts
from molmed.errors import ArtefactError

FORMAT = 1
"""Format version this code writes and reads."""


@dataclass(frozen=True)
class Contents:
    """What an artefact holds, free of any meaning.

    Args:
        card: JSON values: task, targets, featurizers, metrics, hashes, intended use.
        tensors: file stem -> arrays by name; each file is one safetensors ("weights", "domain/index").
        tables: file stem -> data frame; each is one Parquet file ("history", "rejected", "domain/compounds").
        texts: file name -> text ("config.toml").
        documents: file stem -> JSON values ("calibration").
    """

    card: dict[str, Any]
    tensors: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)


def write(folder: Path, contents: Contents) -> None:
    """Write an artefact: into a temporary folder beside it, then moved, so that no half-written one is seen.

    An older artefact of that name is replaced; any other existing path is refused.

    Raises:
        ArtefactError: the path exists and is not an artefact.
    """
    with replacing(Path(folder)) as temporary:
        _write_parts(temporary, contents)


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A temporary folder to write a model into; it takes the name when the block ends well and is removed otherwise.

    Raises:
        ArtefactError: the path exists and is not an artefact.
    """
    _refuse_other(folder)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        yield temporary
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def check_place(folder: Path) -> None:
    """Refuse, before any work is done, a path that no model could be written to; nothing is left behind.

    Raises:
        ArtefactError: the path exists and is not an artefact, or the folder it is to stand in cannot be written to.
    """
    _refuse_other(folder)
    there = next(parent for parent in folder.absolute().parents if parent.exists())
    with writing(folder):
        Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=there)).rmdir()


def _refuse_other(folder: Path) -> None:
    if folder.exists() and not (folder / CARD).is_file():
        raise ArtefactError(f"writing the model {folder}", "a path that is not a model", "a new path or a model")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """What the machine says against writing there, as a sentence."""
    try:
        yield
    except OSError as error:
        came = f"that it cannot be written ({error.strerror or error})"
        raise ArtefactError(f"writing the model {path}", came, "a place that you may write to") from None


def _write_parts(folder: Path, contents: Contents) -> None:
    for stem, arrays in contents.tensors.items():
        path = folder / f"{stem}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        # not save_file, which gives only the owner the right to read
        path.write_bytes(save({name: np.ascontiguousarray(a) for name, a in sorted(arrays.items())}))
    for stem, frame in contents.tables.items():
        path = folder / f"{stem}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None), path)
    for name, text in contents.texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    for stem, values in contents.documents.items():
        (folder / f"{stem}.json").write_text(_json(values), encoding="utf-8")
    files = {
        path.relative_to(folder).as_posix(): _sha256(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    card = {"format": FORMAT, **contents.card, "files": files}
    card["digest"] = _digest(card)
    (folder / CARD).write_text(_json(card), encoding="utf-8")


def _json(values: Any) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path) -> Contents:
    """Read and verify an artefact, a folder or a packed file. Nothing in it is executed: JSON, safetensors, Parquet
    and text only.

    Raises:
        ArtefactError: no artefact there, a format from the future, or a part whose content does not match
            the hash in the card; the message names the part.
    """
    parts = verified(path)
    _, data = next(parts)
    contents = Contents(json.loads(data))
    for name, data in parts:
        _understand(name, data, contents, f"loading the model {path}")
    return contents


def verified(path: Path) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the card and then of every file it lists, each verified before it is given out.

    Raises:
        ArtefactError: see `read`.
    """
    with open_parts(Path(path)) as parts:
        card, data = _card(parts)
        yield CARD, data
        for name, expected in card["files"].items():
            data = parts.data(name)
            if _sha256(data) != expected:
                raise ArtefactError(parts.asked, f"a {name} that does not match its hash", "an undamaged model", REMEDY)
            yield name, data


def _card(parts: Parts) -> tuple[dict[str, Any], bytes]:
    """The card, verified, and its content as it stands; every other file of the model is on its list."""
    asked, whole = parts.asked, "an undamaged model"
    if CARD not in (present := parts.names()):
        accepted = "a folder or a packed file written by molmed"
        raise ArtefactError(asked, f"no {CARD}", accepted, "check the path")
    data = parts.data(CARD)
    try:
        card = json.loads(data.decode("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ArtefactError(asked, f"a {CARD} that is not JSON", whole, REMEDY) from None
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ArtefactError(asked, f"a {CARD} without a format version", whole, REMEDY)
    if card["format"] > FORMAT:
        raise ArtefactError(
            asked, f"format version {card['format']}", f"versions up to {FORMAT}", "update molmed to read it"
        )
    if card.get("digest") != _digest(card) or not isinstance(card.get("files"), dict):
        raise ArtefactError(asked, f"a {CARD} that was changed after writing", whole, REMEDY)
    for name in present:
        if name != CARD and name not in card["files"]:
            raise ArtefactError(asked, f"a file {name} that the card does not list", whole, "remove it")
    return card, data


def _understand(name: str, data: bytes, contents: Contents, asked: str) -> None:
    stem = name.rsplit(".", 1)[0]
    try:
        if name.endswith(".safetensors"):
            contents.tensors[stem] = load(data)
        elif name.endswith(".parquet"):
            contents.tables[stem] = pq.read_table(pa.BufferReader(data)).to_pandas()
        elif name.endswith(".json"):
            contents.documents[stem] = json.loads(data.decode("utf-8"))
        else:
            contents.texts[name] = data.decode("utf-8")
    except (SafetensorError, pa.ArrowInvalid, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtefactError(asked, f"an unreadable {name} ({error})", "an undamaged model", REMEDY) from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(card: dict[str, Any]) -> str:
    """Hash of the card itself, its own `digest` field left out."""
    bare = {k: v for k, v in card.items() if k != "digest"}
    return _sha256(json.dumps(bare, sort_keys=True, ensure_ascii=False).encode())
