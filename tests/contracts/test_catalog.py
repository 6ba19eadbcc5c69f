"""The folder is the registry: every entry of every shelf is listed from its text and loads by its name."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from molmed import catalog
from molmed.errors import UnknownNameError

ENTRIES = [(shelf, name) for shelf in catalog.SHELVES for name in catalog.names(shelf)]

ADDED = '''"""An encoder that stands outside the package.

More about it.
"""

LOADED = True
ENTRY = "the entry of an added file"
'''


@pytest.fixture
def shelves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder named by MOLMED_SHELVES with encoders/added_net.py in it."""
    (tmp_path / "encoders").mkdir()
    (tmp_path / "encoders" / "added_net.py").write_text(ADDED, encoding="utf-8")
    monkeypatch.setenv("MOLMED_SHELVES", str(tmp_path))
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith("molmed.nn.encoders.added_")]:
        del sys.modules[name]


@pytest.mark.parametrize("shelf", catalog.SHELVES)
def test_every_shelf_holds_something(shelf: str) -> None:
    assert catalog.names(shelf)


@pytest.mark.parametrize(("shelf", "name"), ENTRIES)
def test_an_entry_describes_itself_in_one_line(shelf: str, name: str) -> None:
    (entry,) = [e for e in catalog.entries(shelf) if e.name == name]
    assert entry.description.endswith("."), f"{entry.path}: {entry.description!r}"
    assert 10 <= len(entry.description) <= 120, f"{entry.path}: {entry.description!r}"


@pytest.mark.parametrize(("shelf", "name"), ENTRIES)
def test_an_entry_loads_by_its_name(shelf: str, name: str) -> None:
    assert catalog.load(shelf, name) is not None


@pytest.mark.parametrize("shelf", catalog.SHELVES)
def test_parts_are_not_entries(shelf: str) -> None:
    assert not [name for name in catalog.names(shelf) if name.startswith("_")]


def test_a_file_in_a_named_folder_joins_the_shelf(shelves: Path) -> None:
    assert "added_net" in catalog.names("encoders")
    assert catalog.load("encoders", "added_net") == "the entry of an added file"


def test_the_packages_own_entries_stay_beside_added_ones(shelves: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_added = set(catalog.names("encoders"))
    monkeypatch.delenv("MOLMED_SHELVES")
    assert with_added == {*catalog.names("encoders"), "added_net"}


def test_several_folders_may_be_named(shelves: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    second = tmp_path / "second" / "encoders"
    second.mkdir(parents=True)
    (second / "added_second.py").write_text(ADDED, encoding="utf-8")
    monkeypatch.setenv("MOLMED_SHELVES", os.pathsep.join([str(shelves), str(second.parent)]))
    assert {"added_net", "added_second"} <= set(catalog.names("encoders"))


def test_listing_does_not_import(shelves: Path) -> None:
    (shelves / "encoders" / "added_bomb.py").write_text(
        '"""Fails when imported."""\nraise RuntimeError', encoding="utf-8"
    )
    descriptions = {e.name: e.description for e in catalog.entries("encoders")}
    assert descriptions["added_bomb"] == "Fails when imported."
    assert descriptions["added_net"] == "An encoder that stands outside the package."
    assert "molmed.nn.encoders.added_net" not in sys.modules


def test_a_file_that_fails_while_loading_is_not_half_loaded(shelves: Path) -> None:
    (shelves / "encoders" / "added_bomb.py").write_text("raise RuntimeError('at import')", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(RuntimeError, match="at import"):
            catalog.load("encoders", "added_bomb")


def test_a_wrong_name_is_answered_with_the_nearest(shelves: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'added_net'") as refused:
        catalog.load("encoders", "aded_net")
    assert "'aded_net'" in str(refused.value)


@pytest.mark.parametrize(("shelf", "name"), ENTRIES)
def test_a_misspelt_entry_is_recognised(shelf: str, name: str) -> None:
    misspelt = name + "x"
    with pytest.raises(UnknownNameError, match=rf"did you mean .*'{name}'"):
        catalog.load(shelf, misspelt)


def test_a_wrong_shelf_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'encoders'"):
        catalog.names("encoder")
