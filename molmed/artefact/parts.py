"""The files of a stored model, wherever they lie: in a folder or in one zip file. Names in, bytes out."""

import re
import stat
import zipfile
import zlib
from abc import ABC, abstractmethod
from pathlib import Path, PurePosixPath
from types import TracebackType

from molmed.errors import ArtefactError

CARD = "card.json"

REMEDY = "fetch an undamaged copy or train it again"

MAX_RATIO = 100
"""An archive that unpacks to more than so many times its own size is refused. Chosen: a forest packs 5 : 1, bits of
fingerprints 10 : 1, a deflate bomb up to 1032 : 1."""

HARMLESS = 1 << 26
"""Below 64 MiB unpacked the ratio does not matter. Chosen: a small forest of one value packs better than 100 : 1."""

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_DRIVE = re.compile(r"^[A-Za-z]:")


class Parts(ABC):
    """The files of one model; to be used in a `with` block."""

    asked: str
    """What the caller is doing, for the messages."""

    @abstractmethod
    def names(self) -> list[str]:
        """Every file, as a path with "/" below the model's root, sorted."""

    @abstractmethod
    def data(self, name: str) -> bytes:
        """The content of a file.

        Raises:
            ArtefactError: it is not there, or cannot be read; the message names it.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of what is open."""

    def __enter__(self) -> "Parts":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def missing(self, name: str) -> ArtefactError:
        """What is raised where a file is not there."""
        return ArtefactError(self.asked, f"no {name}", "every file the card lists", REMEDY)


def open_parts(path: Path) -> Parts:
    """The files of the model at a path: a folder or a zip file.

    Raises:
        ArtefactError: nothing there, neither of the two, or an archive that is damaged or not to be trusted.
    """
    asked = f"loading the model {path}"
    if path.is_dir():
        return Folder(path, asked)
    if path.is_file():
        return Archive(path, asked)
    came = f"no {CARD}" if not path.exists() else "neither a folder nor a file"
    raise ArtefactError(asked, came, "a folder or a packed file written by molmed", "check the path")


class Folder(Parts):
    """The files of a folder; a link that leads out of it is no file of it."""

    def __init__(self, path: Path, asked: str) -> None:
        self.path, self.asked = path, asked

    def names(self) -> list[str]:
        """Every file below the folder."""
        return sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())

    def data(self, name: str) -> bytes:
        """The content of a file."""
        path = self.path / name
        try:
            if not path.resolve().is_relative_to(self.path.resolve()):
                raise ArtefactError(self.asked, f"a file {name} outside the folder", "files of the model only", REMEDY)
            return path.read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise self.missing(name) from None
        except (OSError, ValueError) as error:
            came = f"that {name} cannot be read ({error})"
            raise ArtefactError(self.asked, came, "files you may read") from None

    def close(self) -> None:
        """Nothing is open."""


class Archive(Parts):
    """The files of a zip archive, which is read in place: nothing of it is written anywhere.

    What an archive could be made to do is refused when it is opened, before anything is unpacked: names that lead out
    of the model, links, two files of one name, encryption, other methods than stored and deflated, and contents out of
    proportion to its size.
    """

    def __init__(self, path: Path, asked: str) -> None:
        self.asked = asked
        try:
            self.size = path.stat().st_size
            self.zip = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            with path.open("rb") as file:
                begins = file.read(4)
            came = "a zip file that is cut short or damaged" if begins[:2] == b"PK" else "a file that is no zip file"
            accepted = "a folder or a packed file written by molmed"
            raise ArtefactError(asked, came, accepted, REMEDY) from None
        except (OSError, ValueError, NotImplementedError) as error:
            came = f"that it cannot be opened ({error})"
            raise ArtefactError(asked, came, "a folder or a packed file written by molmed") from None
        try:
            self.entries = self._checked(self.zip.infolist())
        except ArtefactError:
            self.zip.close()
            raise

    def _checked(self, listed: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
        entries: dict[str, zipfile.ZipInfo] = {}
        for entry in listed:
            name = entry.orig_filename
            if wrong := _wrong(entry):
                raise ArtefactError(self.asked, f"an entry {name[:100]!r} that {wrong}", "plain files", "do not use it")
            if entry.filename in entries:
                raise ArtefactError(self.asked, f"two entries named {name!r}", "one of each name", "do not use it")
            if not entry.is_dir():
                entries[entry.filename] = entry
        unpacked = sum(entry.file_size for entry in entries.values())
        if unpacked > max(HARMLESS, MAX_RATIO * self.size):
            came = f"{self.size:,} bytes that would unpack to {unpacked:,}"
            raise ArtefactError(self.asked, came, f"at most {MAX_RATIO} times its size", "do not use it")
        if CARD not in entries:
            deeper = next((n for n in entries if PurePosixPath(n).name == CARD), "")
            came = f"{deeper}, but no {CARD} beside it" if deeper else f"no {CARD}"
            accepted = f"an archive with {CARD} at its root"
            raise ArtefactError(self.asked, came, accepted, "pack the model with `molmed pack`")
        return entries

    def names(self) -> list[str]:
        """Every file of the archive."""
        return sorted(self.entries)

    def data(self, name: str) -> bytes:
        """The content of a file."""
        entry = self.entries.get(name)
        if entry is None:
            raise self.missing(name)
        try:
            with self.zip.open(entry) as file:
                content = file.read(entry.file_size + 1)  # never more than what was declared and judged
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            came = f"a {name} that cannot be unpacked ({error})"
            raise ArtefactError(self.asked, came, "an undamaged model", REMEDY) from None
        if len(content) != entry.file_size:
            came = f"a {name} of another size than the archive declares"
            raise ArtefactError(self.asked, came, "an undamaged model", REMEDY)
        return content

    def close(self) -> None:
        """Close the file."""
        self.zip.close()


def _wrong(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not to be trusted, or ""."""
    name = entry.orig_filename
    if not name or "\x00" in name or "\\" in name or name.startswith("/") or _DRIVE.match(name):
        return "has a name no model has"
    if any(part in ("", ".", "..") for part in name.removesuffix("/").split("/")):
        return "leads out of the model"
    mode = entry.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if entry.flag_bits & 0x1:
        return "is encrypted"
    if entry.compress_type not in _METHODS:
        return "is compressed by another method than deflate"
    return ""
