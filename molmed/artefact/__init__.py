"""Reads and writes model.molmed: JSON, safetensors, Parquet, TOML; loading runs no code and checks every hash."""

from molmed.artefact.folder import FORMAT, Contents, read, write

__all__ = ["FORMAT", "Contents", "read", "write"]
