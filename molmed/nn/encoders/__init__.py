"""Shelf: items -> learnt vectors. One network per file."""

from molmed.nn.encoders._contract import Encoded, Encoder

__all__ = ["Encoded", "Encoder"]
