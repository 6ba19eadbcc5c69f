"""Featurise once: what was read and featurised, in a folder, found again by what it was made of."""

from molmed.features.store.kept import Kept
from molmed.features.store.shards import DamagedWarning
from molmed.features.store.store import Store

__all__ = ["DamagedWarning", "Kept", "Store"]
