"""One file for a stored model, and the folder again: a plain zip archive, equal models giving equal files."""

import os
import zipfile
from pathlib import Path

from molmed.artefact.folder import replacing, verified, writing
from molmed.errors import ArtefactError

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The time stamp of every entry: the oldest that a zip archive can hold."""

_LEVEL = 6


def pack(model: str | Path, out: str | Path) -> Path:
    """Write a model's folder as one zip file; the path is returned. An older file of that name is replaced.

    Every part is verified before it is written. Names in a fixed order, no time stamps, no permissions, no extra
    fields: the same model gives the same bytes wherever the same zlib is used, and the same parts everywhere. A
    packed model may be given as well: it is then written anew.

    Raises:
        ArtefactError: the model is damaged, or the file cannot be written.
    """
    model, out = Path(model), Path(out)
    if out.is_dir():
        raise ArtefactError(f"packing the model {model}", f"a folder {out}", "the name of a file", "name one with .zip")
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_name(f".{os.getpid()}.{out.name}")
    try:
        with writing(out), zipfile.ZipFile(temporary, "w") as archive:
            for name, data in verified(model):
                entry = zipfile.ZipInfo(name, _WHEN)
                entry.create_system = 3  # else it says on which kind of machine it was packed
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, data, zipfile.ZIP_DEFLATED, _LEVEL)
        os.replace(temporary, out)
    finally:
        temporary.unlink(missing_ok=True)
    return out


def unpack(packed: str | Path, folder: str | Path) -> Path:
    """Write a packed model as a folder, file for file the one that was packed; the path is returned.

    Nothing is written under that name before every part has been verified. An older model there is replaced, any
    other path is refused.

    Raises:
        ArtefactError: the archive is damaged or not to be trusted, or the path exists and is not a model.
    """
    packed, folder = Path(packed), Path(folder)
    if not packed.is_file():
        came = "a folder" if packed.is_dir() else "no such file"
        raise ArtefactError(f"unpacking the model {packed}", came, "a packed model", "check the path")
    with replacing(folder) as temporary:
        for name, data in verified(packed):
            path = temporary / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder
