"""Shelf: what is asked. Declarations only: slots, targets, defaults, intended use. One file per task."""

from molmed.tasks._contract import Task

__all__ = ["Task"]
