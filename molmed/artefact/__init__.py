"""Reads and writes model.molmed: JSON, safetensors, Parquet, TOML; loading runs no code and checks every hash."""

from molmed.artefact.folder import FORMAT, Contents, check_place, read, write
from molmed.artefact.pack import pack, unpack

__all__ = ["FORMAT", "Contents", "check_place", "pack", "read", "unpack", "write"]
