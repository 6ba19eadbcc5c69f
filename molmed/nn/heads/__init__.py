"""Shelf: raw network output -> loss and value. One file per kind of target; the meaning is written once."""

from molmed.nn.heads._contract import Head

__all__ = ["Head"]
