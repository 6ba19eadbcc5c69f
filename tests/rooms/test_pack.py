"""A packed model is the model, byte for byte; an archive that is damaged or hostile is refused by name."""

import io
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from molmed import artefact
from molmed.artefact import Contents
from molmed.artefact.folder import _digest
from molmed.artefact.parts import CARD, HARMLESS, MAX_RATIO
from molmed.errors import ArtefactError

Entry = tuple[str | zipfile.ZipInfo, bytes]


def contents(note: str = "Å") -> Contents:
    weights = np.random.default_rng(0).standard_normal((40, 30)).astype(np.float32)
    return Contents(
        {"task": "activity", "note": note},
        tensors={"weights": {"a": weights, "none": np.empty(0)}, "domain/index": {"b": np.eye(2)}},
        tables={"history": pd.DataFrame({"epoch": [0, 1], "loss": [0.5, None]})},
        texts={"config.toml": "seed = 1\n"},
        documents={"calibration": {"level": 0.9}},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    artefact.write(tmp_path / "m.molmed", contents())
    return tmp_path / "m.molmed"


@pytest.fixture
def packed(folder: Path, tmp_path: Path) -> Path:
    return artefact.pack(folder, tmp_path / "m.molmed.zip")


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def entries(path: Path) -> list[Entry]:
    with zipfile.ZipFile(path) as archive:
        return [(name, archive.read(name)) for name in archive.namelist()]


def rewritten(path: Path, change: Callable[[list[Entry]], list[Entry]], method: int = zipfile.ZIP_STORED) -> Path:
    """The archive with other entries; names may occur twice."""
    changed = change(entries(path))
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in changed:
            entry = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            archive.writestr(entry, data, method)
    return path


def signed(card: bytes, change: Callable[[dict], None]) -> bytes:
    """A card changed and signed anew, as somebody who knows the format could."""
    values = json.loads(card)
    change(values)
    values["digest"] = _digest(values)
    return json.dumps(values).encode()


def test_packing_and_unpacking_gives_the_same_files(folder: Path, packed: Path, tmp_path: Path) -> None:
    artefact.unpack(packed, tmp_path / "again.molmed")
    assert files(tmp_path / "again.molmed") == files(folder)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again.molmed", "m.molmed", "m.molmed.zip"]


def test_a_packed_model_reads_as_the_folder_does(folder: Path, packed: Path) -> None:
    one, other = artefact.read(folder), artefact.read(packed)
    assert one.card == other.card
    assert one.texts == other.texts
    assert one.documents == other.documents
    for stem, arrays in one.tensors.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(other.tensors[stem][name], array)
            assert other.tensors[stem][name].dtype == array.dtype
            assert other.tensors[stem][name].flags.writeable
    pd.testing.assert_frame_equal(one.tables["history"], other.tables["history"])


def test_equal_models_are_equal_archives(folder: Path, packed: Path, tmp_path: Path) -> None:
    """Whatever the files' times and rights, and wherever they lie."""
    for path in folder.rglob("*"):
        os.utime(path, (1_500_000_000, 1_500_000_000))
    (folder / "config.toml").chmod(0o600)
    (tmp_path / "deeper").mkdir()
    moved = folder.rename(tmp_path / "deeper" / "other.molmed")
    assert artefact.pack(moved, tmp_path / "b.zip").read_bytes() == packed.read_bytes()
    assert artefact.pack(packed, tmp_path / "c.zip").read_bytes() == packed.read_bytes()
    artefact.write(tmp_path / "n.molmed", contents("other"))
    assert artefact.pack(tmp_path / "n.molmed", tmp_path / "d.zip").read_bytes() != packed.read_bytes()


def test_an_archive_names_nothing_of_the_machine_that_made_it(folder: Path, packed: Path) -> None:
    with zipfile.ZipFile(packed) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.extra == b""
            assert not entry.filename.startswith("/")
            assert ".." not in entry.filename
            assert stat.S_ISREG(entry.external_attr >> 16)
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644
        assert archive.namelist() == [CARD, *json.loads(archive.read(CARD))["files"]]
        assert set(archive.namelist()) == set(files(folder))
    assert str(folder.parent).encode() not in packed.read_bytes()


def test_a_model_zipped_by_another_tool_is_read(packed: Path) -> None:
    """Stored instead of deflated, in another order, with entries for the folders."""
    rewritten(packed, lambda found: [("domain/", b""), *reversed(found)])
    assert artefact.read(packed).card["task"] == "activity"


def test_a_damaged_folder_is_not_packed(folder: Path, tmp_path: Path) -> None:
    (folder / "config.toml").write_text("seed = 2\n", encoding="utf-8")
    with pytest.raises(ArtefactError, match=r"config\.toml that does not match its hash"):
        artefact.pack(folder, tmp_path / "m.zip")
    assert [p.name for p in tmp_path.iterdir()] == ["m.molmed"]


def test_unpacking_replaces_a_model_and_nothing_else(packed: Path, folder: Path, tmp_path: Path) -> None:
    artefact.write(folder, contents("older"))
    artefact.unpack(packed, folder)
    assert artefact.read(folder).card["note"] == "Å"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(ArtefactError, match="a path that is not a model"):
        artefact.unpack(packed, tmp_path / "mine")
    assert files(tmp_path / "mine") == {"thesis.txt": b"years of work"}


def test_what_cannot_be_packed_or_unpacked_is_refused_in_a_sentence(folder: Path, packed: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="a folder"):
        artefact.pack(folder, tmp_path)
    with pytest.raises(ArtefactError, match="a folder"):
        artefact.unpack(folder, tmp_path / "x")
    with pytest.raises(ArtefactError, match="no such file"):
        artefact.unpack(tmp_path / "nowhere.zip", tmp_path / "x")
    with pytest.raises(ArtefactError, match="nowhere"):
        artefact.pack(tmp_path / "nowhere", tmp_path / "x.zip")
    with pytest.raises(ArtefactError, match="cannot be written"):
        artefact.pack(folder, packed / "below" / "x.zip")
    with pytest.raises(ArtefactError, match="cannot be written"):
        artefact.unpack(packed, packed / "below" / "x")


def test_every_truncated_archive_is_refused(packed: Path, tmp_path: Path) -> None:
    data = packed.read_bytes()
    short = tmp_path / "short.zip"
    for length in [*range(0, len(data), max(1, len(data) // 60)), len(data) - 1]:
        short.write_bytes(data[:length])
        with pytest.raises(ArtefactError, match=r"short\.zip"):
            artefact.read(short)


def test_one_changed_byte_is_refused_or_changes_nothing(packed: Path, tmp_path: Path) -> None:
    """Some bytes of a zip archive mean nothing to a reader (a time stamp); a changed part never comes through."""
    data, whole = packed.read_bytes(), artefact.read(packed)
    damaged = tmp_path / "damaged.zip"
    refused = 0
    places = range(0, len(data), max(1, len(data) // 300))
    for place in places:
        damaged.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
        try:
            found = artefact.read(damaged)
        except ArtefactError as error:
            assert "damaged.zip" in str(error)  # noqa: PT017
            refused += 1
        else:
            assert found.card == whole.card
            np.testing.assert_array_equal(found.tensors["weights"]["a"], whole.tensors["weights"]["a"])
    assert refused > len(places) // 2


@pytest.mark.parametrize("name", ["weights.safetensors", "history.parquet", "config.toml", "calibration.json"])
def test_a_part_that_was_exchanged_is_refused_by_its_name(packed: Path, name: str) -> None:
    """The archive itself is sound, its checksums included."""
    rewritten(packed, lambda found: [(n, d + b" " if n == name else d) for n, d in found])
    with pytest.raises(ArtefactError, match=rf"a {name} that does not match its hash"):
        artefact.read(packed)


def test_a_missing_part_and_an_unlisted_one_are_refused_by_name(packed: Path, folder: Path) -> None:
    rewritten(packed, lambda found: [e for e in found if e[0] != "history.parquet"])
    with pytest.raises(ArtefactError, match=r"no history\.parquet"):
        artefact.read(packed)
    artefact.pack(folder, packed)
    rewritten(packed, lambda found: [*found, ("hook.py", b"raise SystemExit")])
    with pytest.raises(ArtefactError, match=r"a file hook\.py that the card does not list"):
        artefact.read(packed)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.toml",
        "/etc/evil.toml",
        "domain/../../evil.toml",
        "C:/evil.toml",
        "a\\..\\evil.toml",
        "domain//x",
        "./x",
    ],
)
def test_names_that_lead_out_of_the_model_are_refused(packed: Path, tmp_path: Path, name: str) -> None:
    """Even where the card lists them with their hash."""
    evil = b"key = 1"

    def planted(found: list[Entry]) -> list[Entry]:
        digest = artefact.folder._sha256(evil)
        card = signed(found[0][1], lambda card: card["files"].update({name: digest}))
        return [(CARD, card), *found[1:], (name, evil)]

    rewritten(packed, planted)
    for action in (lambda: artefact.read(packed), lambda: artefact.unpack(packed, tmp_path / "out" / "m")):
        with pytest.raises(ArtefactError, match=r"an entry .* that (has a name no model has|leads out of the model)"):
            action()
    assert not list(tmp_path.rglob("evil*"))
    assert not (tmp_path / "out" / "m").exists()


def test_a_link_is_refused(packed: Path) -> None:
    link = zipfile.ZipInfo("config.toml")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    rewritten(packed, lambda found: [*(e for e in found if e[0] != "config.toml"), (link, b"/etc/passwd")])
    with pytest.raises(ArtefactError, match=r"'config\.toml' that is a link"):
        artefact.read(packed)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_entries_of_one_name_are_refused(packed: Path) -> None:
    rewritten(packed, lambda found: [*found, ("config.toml", b"seed = 2\n")])
    with pytest.raises(ArtefactError, match=r"two entries named 'config\.toml'"):
        artefact.read(packed)


def test_an_encrypted_entry_is_refused(packed: Path) -> None:
    data = bytearray(packed.read_bytes())
    place = data.rindex(b"PK\x01\x02")
    data[place + 8] |= 1
    packed.write_bytes(bytes(data))
    with pytest.raises(ArtefactError, match="that is encrypted"):
        artefact.read(packed)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_another_compression_is_refused(packed: Path, method: int) -> None:
    rewritten(packed, lambda found: found, method)
    with pytest.raises(ArtefactError, match="another method than deflate"):
        artefact.read(packed)


def test_a_bomb_is_refused_before_it_goes_off(packed: Path) -> None:
    bomb = b"\0" * (HARMLESS + 1)
    rewritten(packed, lambda found: [*found, ("bomb.toml", bomb)], zipfile.ZIP_DEFLATED)
    assert packed.stat().st_size * MAX_RATIO < len(bomb)
    with pytest.raises(ArtefactError, match=r"bytes that would unpack to 67,1\d\d,\d\d\d"):
        artefact.read(packed)


def test_an_entry_longer_than_it_declares_is_refused(packed: Path) -> None:
    """The declared size is what the bomb is judged by, so no more than that is ever unpacked."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries(packed):
            archive.writestr(
                zipfile.ZipInfo(name), data + b"\0" * 100_000 * (name == "config.toml"), zipfile.ZIP_DEFLATED
            )
    data = bytearray(buffer.getvalue())
    place = data.rindex(b"config.toml", 0, data.rindex(b"PK\x05\x06")) - 46
    assert data[place : place + 4] == b"PK\x01\x02"
    struct.pack_into("<I", data, place + 24, 9)  # the uncompressed size in the central directory
    packed.write_bytes(bytes(data))
    with pytest.raises(ArtefactError, match=r"a config\.toml that (cannot be unpacked|does not match its hash)"):
        artefact.read(packed)


def test_an_archive_of_the_folder_itself_is_answered_with_what_to_do(packed: Path) -> None:
    rewritten(packed, lambda found: [(f"m.molmed/{name}", data) for name, data in found])
    with pytest.raises(ArtefactError, match=r"m\.molmed/card\.json.*card\.json at its root.*molmed pack"):
        artefact.read(packed)


def test_a_zip_of_something_else_and_a_file_that_is_none_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ArtefactError, match=r"other\.zip: found no card\.json"):
        artefact.read(tmp_path / "other.zip")
    (tmp_path / "text.zip").write_text("hello", encoding="utf-8")
    with pytest.raises(ArtefactError, match="a file that is no zip file"):
        artefact.read(tmp_path / "text.zip")


def test_weights_may_be_read_by_whoever_may_read_the_rest(folder: Path) -> None:
    assert len({stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*") if p.is_file()}) == 1
