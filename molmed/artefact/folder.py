"""The folder model.molmed/: what is in it, written once, verified at every read."""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from molmed.errors import ArtefactError

FORMAT = 1
"""Format version this code writes and reads."""

_CARD = "card.json"


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
    folder = Path(folder)
    if folder.exists() and not (folder / _CARD).is_file():
        raise ArtefactError(f"writing the model {folder}", "a path that is not a model", "a new path or a model")
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _write_parts(temporary, contents)
        temporary.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
    finally:
        if temporary.exists():
            shutil.rmtree(temporary)


def _write_parts(folder: Path, contents: Contents) -> None:
    for stem, arrays in contents.tensors.items():
        path = folder / f"{stem}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file({name: np.ascontiguousarray(a) for name, a in sorted(arrays.items())}, path)
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
    (folder / _CARD).write_text(_json(card), encoding="utf-8")


def _json(values: Any) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(folder: Path) -> Contents:
    """Read and verify an artefact. Nothing in it is executed: JSON, safetensors, Parquet and text only.

    Raises:
        ArtefactError: no artefact there, a format from the future, or a part whose content does not match
            the hash in the card; the message names the part.
    """
    folder = Path(folder)
    asked = f"loading the model {folder}"
    remedy = "fetch an undamaged copy or train it again"
    try:
        card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtefactError(asked, f"no {_CARD}", "a folder written by molmed", "check the path") from None
    except NotADirectoryError:
        raise ArtefactError(asked, "a file", "a folder written by molmed", "check the path") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise ArtefactError(asked, f"a {_CARD} that is not JSON", "an undamaged model", remedy) from None
    if not isinstance(card, dict) or not isinstance(card.get("format"), int):
        raise ArtefactError(asked, f"a {_CARD} without a format version", "an undamaged model", remedy)
    if card["format"] > FORMAT:
        raise ArtefactError(
            asked, f"format version {card['format']}", f"versions up to {FORMAT}", "update molmed to read it"
        )
    if card.get("digest") != _digest(card) or not isinstance(card.get("files"), dict):
        raise ArtefactError(asked, f"a {_CARD} that was changed after writing", "an undamaged model", remedy)
    present = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()} - {_CARD}
    for name in sorted(present - set(card["files"])):
        raise ArtefactError(asked, f"a file {name} that the card does not list", "an undamaged model", "remove it")
    contents = Contents(card)
    for name, expected in card["files"].items():
        _read_part(folder, name, expected, contents, asked, remedy)
    return contents


def _read_part(folder: Path, name: str, expected: str, contents: Contents, asked: str, remedy: str) -> None:
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ArtefactError(asked, f"a file {name} outside the folder", "files of the model only", remedy)
    if not path.is_file():
        raise ArtefactError(asked, f"no {name}", "every file the card lists", remedy)
    if _sha256(path.read_bytes()) != expected:
        raise ArtefactError(asked, f"a {name} that does not match its hash", "an undamaged model", remedy)
    stem = name.rsplit(".", 1)[0]
    try:
        if name.endswith(".safetensors"):
            contents.tensors[stem] = load_file(path)
        elif name.endswith(".parquet"):
            contents.tables[stem] = pq.read_table(path).to_pandas()
        elif name.endswith(".json"):
            contents.documents[stem] = json.loads(path.read_text(encoding="utf-8"))
        else:
            contents.texts[name] = path.read_text(encoding="utf-8")
    except (SafetensorError, pa.ArrowInvalid, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtefactError(asked, f"an unreadable {name} ({error})", "an undamaged model", remedy) from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest(card: dict[str, Any]) -> str:
    """Hash of the card itself, its own `digest` field left out."""
    bare = {k: v for k, v in card.items() if k != "digest"}
    return _sha256(json.dumps(bare, sort_keys=True, ensure_ascii=False).encode())
