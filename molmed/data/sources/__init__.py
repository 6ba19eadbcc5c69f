"""Shelf: file formats. Each yields the rows of a file in order and in bounded memory."""

from molmed.data.sources._contract import Chunk, Source

__all__ = ["Chunk", "Source"]
