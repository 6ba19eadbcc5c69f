"""Where a table is: a path, a folder, a pattern of names, or an fsspec address (memory://, zip://, s3://, ...)."""

import glob
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from molmed.errors import InputError, UnknownNameError

Address = str | Path
"""A path of this machine, or an fsspec address as text."""

File = Any
"""An open binary file, or what fsspec gives for one, which need not be an `io` object."""

ALLOW_NETWORK = "MOLMED_ALLOW_NETWORK"
"""Environment variable: set to 1, addresses on the network are read and written."""

_HERE = frozenset({"file", "local"})
_OFFLINE = _HERE | {"memory", "zip", "tar", "simplecache", "filecache", "blockcache"}
_ARCHIVES = frozenset({"zip", "tar"})
_WEB = ("http://", "https://")
_TEMPORARY = ("~", ".tmp", ".temp", ".part", ".partial", ".crdownload")


def place(address: Address, verb: str = "reading") -> Address:
    """A `Path` for what is on this machine, the whole fsspec address as text for everything else.

    `file://` is a path. A `Path` made of an address ("s3:/bucket", pathlib takes one slash away) is an address again.

    Raises:
        InputError: the protocol is unknown, or it is on the network and MOLMED_ALLOW_NETWORK is not 1.
    """
    text = str(address)
    if ":/" not in text or os.path.exists(text):
        return Path(address)
    text = re.sub(r"(^|::)([A-Za-z][\w+.-]+):/(?!/)", _slashes, text)
    protocols = [_protocol(part) for part in text.split("::")]
    if "://" not in text:
        return Path(address)
    if set(protocols) == {"file"}:
        return Path(text.split("://", 1)[1])
    for protocol in protocols:
        _refuse(protocol, f"{verb} {shown(text)}")
    return text


def _slashes(found: re.Match[str]) -> str:
    return f"{found[1]}{found[2]}://" + "/" * (found[2] in _HERE)


def _protocol(part: str) -> str:
    """Of one part of a chain: that before "://", or a bare name such as "simplecache", or a path of this machine."""
    if "://" in part:
        protocol = part.split("://", 1)[0].lower()
        return "file" if protocol in _HERE else protocol
    return part if part in _OFFLINE else "file"


def _refuse(protocol: str, asked: str) -> None:
    if protocol in _OFFLINE:
        return
    from fsspec import available_protocols

    if protocol not in available_protocols():
        raise UnknownNameError(asked, protocol, available_protocols())
    if os.environ.get(ALLOW_NETWORK, "").strip().lower() not in ("1", "true", "yes"):
        raise InputError(
            asked,
            f"an address that may be on the network ({protocol}://)",
            "a path, file://, memory://, zip://FILE::ARCHIVE or tar://FILE::ARCHIVE",
            f"set {ALLOW_NETWORK}=1 to allow it",
        )


def shown(address: Address) -> str:
    """The address as it may be printed: without a password, and of the web without a query, which may hold a key."""
    text = re.sub(r"(?<=://)[^/]*@", "", str(address))
    return re.sub(r"(https?://[^?:]*(:\d+/[^?:]*)?)\?.*?(?=::|$)", r"\1", text)


def name_of(address: Address) -> str:
    """The file's own name, which holds its extensions."""
    if isinstance(address, Path):
        return address.name
    first = address.split("::", 1)[0]
    if first.startswith(_WEB):
        first = re.split(r"[?#]", first)[0]
    return first.rsplit("/", 1)[-1]


@contextmanager
def open_bytes(address: Address, seek: bool = False) -> Iterator[tuple[File, int | None]]:
    """(the file as it is stored, its size in bytes or None). `seek`: it must be possible to go back in it.

    Raises:
        InputError: there is no such file, or it cannot be opened.
    """
    address = place(address)
    if isinstance(address, Path):
        try:
            file: File = address.open("rb")
        except (OSError, ValueError) as error:
            raise _told(address, error) from error
        size: int | None = os.fstat(file.fileno()).st_size
    else:
        try:
            _fs, file, size = _open_remote(address, seek)  # an archive is closed when its file system is forgotten
        except Exception as error:  # each protocol has its own
            raise _told(address, error) from error
    with file:
        yield file, size


def _open_remote(address: str, seek: bool) -> tuple[Any, File, int | None]:
    fs, path = _file_system(address)
    if _is_folder(fs, path):
        raise IsADirectoryError(path)
    streamed = {"block_size": 0} if not seek and path.startswith(_WEB) else {}  # not every server knows ranges
    size = fs.info(path).get("size")
    return fs, fs.open(path, "rb", **streamed), size if isinstance(size, int) else None


def _told(address: Address, error: Exception) -> InputError:
    """The sentence for whatever opening a file raised."""
    asked = f"reading {shown(address)}"
    if isinstance(error, InputError):
        return error
    if isinstance(error, FileNotFoundError):
        return InputError(asked, "no such file", "an existing file", "check the path")
    if isinstance(error, IsADirectoryError):
        return InputError(asked, "a folder", "a file", "name a file in it")
    if isinstance(error, ImportError):  # s3fs, gcsfs, aiohttp, ...
        return InputError(asked, f"a missing package ({error})", "", "install it")
    # no permission, a name that no file can have, ...
    came = f"that it cannot be opened ({error or type(error).__name__})"
    return InputError(f"reading {shown(address)[:200]!r}", came, "a readable file")


def _is_folder(fs: Any, path: str) -> bool:
    """Never a web address: to answer, fsspec would download it."""
    return not path.startswith(_WEB) and bool(fs.isdir(path))


def _file_system(address: str) -> tuple[Any, str]:
    from fsspec.core import url_to_fs

    made: tuple[Any, str] = url_to_fs(address)
    return made


def upload(local: Path, address: str) -> None:
    """Put a whole file of this machine to an address."""
    fs, path = _file_system(address)
    fs.put_file(str(local), path)


def refuse_archive(address: Address) -> None:
    """Raise InputError if a file would have to be written into an archive."""
    if isinstance(address, str) and _protocol(address.split("::", 1)[0]) in _ARCHIVES:
        came = "a place inside an archive"
        raise InputError(f"writing {shown(address)}", came, "a file", "write it plainly and pack it afterwards")


def files(address: Address) -> list[Address]:
    """The files an address stands for, sorted by name: itself, those of a folder, or those that match a pattern.

    A pattern has *, ? or [...] in it; ** stands for any folders. Left out are hidden files (those whose names start
    with "." or "_", as Spark and pyarrow do it) and temporary ones ("~$a.xlsx", "a.csv~", "a.csv.part", ...).

    Raises:
        InputError: the folder is empty or has folders in it, or nothing matches the pattern.
    """
    address = place(address)
    return _local_files(address) if isinstance(address, Path) else _remote_files(address)


def _local_files(path: Path) -> list[Address]:
    if os.path.isdir(path):
        names = sorted(name for name in os.listdir(path) if not _is_left_out(name))
        _refuse_empty(path, names, [name for name in names if os.path.isdir(path / name)])
        return [path / name for name in names]
    if _is_pattern(str(path)) and not os.path.exists(path):
        found = [p for p in sorted(glob.glob(str(path), recursive=True)) if os.path.isfile(p)]
        return [Path(p) for p in _matching(path, found)]
    return [path]


def _remote_files(address: str) -> list[Address]:
    first, *rest = address.split("::")
    try:
        fs, path = _file_system(address)
        if _is_pattern(first):
            found = sorted(str(p) for p in fs.glob(path) if fs.isfile(p))
            folders: list[str] = []
        elif _is_folder(fs, path):
            inside = [e for e in fs.ls(path, detail=True) if not _is_left_out(_last(e["name"]))]
            found = sorted(str(e["name"]) for e in inside)
            folders = [_last(e["name"]) for e in inside if e["type"] == "directory"]
        else:
            return [address]
    except Exception as error:
        raise _told(address, error) from error
    if _is_pattern(first):
        found = _matching(address, found)
    else:
        _refuse_empty(address, found, folders)
    head = first.split("://", 1)[0]
    whole = [p if "://" in p else f"{head}://{p.lstrip('/')}" for p in found]
    return ["::".join((p, *rest)) for p in whole]


def _is_pattern(text: str) -> bool:
    return any(sign in text for sign in "*?[") and not text.startswith(_WEB)


def _last(path: str) -> str:
    return path.rstrip("/").rsplit("/", 1)[-1]


def _is_left_out(name: str) -> bool:
    return name.startswith((".", "_", "~$")) or name.lower().endswith(_TEMPORARY)


def _matching(pattern: Address, found: Sequence[str]) -> list[str]:
    """Those that are not left out; what the pattern itself spells ("_*.csv") is wanted."""
    own = _last(str(pattern).split("::", 1)[0])
    kept = [p for p in found if not _is_left_out(_last(p)) or (own[:1] == "_" and _last(p)[:1] == "_")]
    if not kept:
        raise InputError(
            f"reading {shown(pattern)}", "no file that matches the pattern", "at least one file", "check the pattern"
        )
    return kept


def _refuse_empty(folder: Address, names: Sequence[str], folders: Sequence[str]) -> None:
    if folders:
        came = f"folders in the folder ({', '.join(sorted(folders)[:3])}{', ...' if len(folders) > 3 else ''})"
        remedy = f"name a file, or the files by a pattern such as {shown(folder)}/**/*.csv"
        raise InputError(f"reading {shown(folder)}", came, "a folder of files", remedy)
    if not names:
        remedy = "name a file or another folder"
        raise InputError(f"reading {shown(folder)}", "a folder without files", "a folder of files", remedy)
