"""Shelf: where tables go. One file per format."""

from molmed.data.sinks._contract import Columns, Sink

__all__ = ["Columns", "Sink"]
