"""Cells of structures -> molecules, and with them the arrays where a featurizer needs no more than their text."""

from collections.abc import Sequence

import numpy as np

from molmed.chem import Molecule
from molmed.chem import read as read_one
from molmed.chem.collector import without_collector
from molmed.chem.read import LARGE_ATOMS, Draft, accepted, draft
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Packed, concatenate
from molmed.results import Fault


def read_molecules(
    cells: Sequence[object], standardise: bool, featurizer: Featurizer | None, state: State
) -> tuple[list[Molecule | Fault], Packed | None]:
    """(a molecule or a fault per cell, the arrays of the molecules in order or None if they are still to be made)."""
    with without_collector():
        drafts = [draft(cell, standardise) for cell in cells]
        asked: list[tuple[int, Draft]] = []
        for i, d in enumerate(drafts):
            if isinstance(d, Draft) and d.neutral is not None:
                asked.append((i, d))
        texts = [d.neutral for _, d in asked if d.neutral is not None]
        made = None if featurizer is None else featurizer.from_text(texts, standardise)
        if featurizer is None or made is None:
            return [read_one(cell, standardise) for cell in cells], None
        found: list[Molecule | Fault | None] = [d if isinstance(d, Fault) else None for d in drafts]
        sizes = iter(made.packed.sizes().tolist())
        fast = []
        for (i, d), ok in zip(asked, made.accepted.tolist(), strict=True):
            if ok:
                found[i] = _sized(accepted(d, next(sizes)))
                fast.append(i)
        slow: list[tuple[int, Molecule]] = []
        answers: list[Molecule | Fault] = []
        for i, answer in enumerate(found):
            if answer is None:
                answer = read_one(cells[i], standardise)
                if isinstance(answer, Molecule):
                    slow.append((i, answer))
            answers.append(answer)
    if not slow:
        return answers, made.packed
    both = concatenate([made.packed, featurizer.featurize([m for _, m in slow], state)])
    return answers, both.take(np.argsort([*fast, *(i for i, _ in slow)]))


def _sized(molecule: Molecule) -> Molecule:
    """A molecule noted as large by the number of all its atoms: only heavy ones count, so it is looked at."""
    if not molecule.notes or molecule.mol.GetNumHeavyAtoms() >= LARGE_ATOMS:
        return molecule
    return Molecule(molecule.text, molecule.given, molecule.changed)
