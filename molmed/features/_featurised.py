"""Items -> arrays where a featurizer may fail on some of them."""

from collections.abc import Sequence
from typing import Any

from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed
from molmed.results import Fault, Reason

_FAILURES = (ValueError, RuntimeError)
"""What RDKit and numpy raise for an item they cannot work on; anything else is a bug and is not caught."""


def featurised(featurizer: Featurizer, items: Sequence[Any], state: State) -> tuple[Packed, list[Fault | None]]:
    """(the arrays of the items that can be featurised, per item why it cannot or None).

    If the featurizer fails on the whole, the items are halved until the ones that it fails on stand alone.
    """
    faults: list[Fault | None] = [None] * len(items)
    try:
        return featurizer.featurize(items, state), faults
    except _FAILURES:
        for position, fault in _failing(featurizer, items, state, range(len(items))).items():
            faults[position] = fault
    kept = [item for item, fault in zip(items, faults, strict=True) if fault is None]
    return featurizer.featurize(kept, state), faults


def _failing(featurizer: Featurizer, items: Sequence[Any], state: State, positions: Sequence[int]) -> dict[int, Fault]:
    """Positions of the items that the featurizer fails on."""
    try:
        featurizer.featurize([items[i] for i in positions], state)
    except _FAILURES as error:
        if len(positions) == 1:
            detail = " ".join(str(error).split())[:200]
            return {positions[0]: Fault("features", Reason.FEATURIZER, detail)}
        half = len(positions) // 2
        first, rest = positions[:half], positions[half:]
        return _failing(featurizer, items, state, first) | _failing(featurizer, items, state, rest)
    return {}
