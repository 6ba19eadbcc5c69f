"""Cells of structures -> molecules, and with them the arrays where a featurizer needs no more than their text."""

from collections.abc import Sequence

import numpy as np

from molmed.chem import Molecule
from molmed.chem import read as read_one
from molmed.chem.collector import without_collector
from molmed.chem.read import LARGE_ATOMS, Draft, accepted, draft
from molmed.features._contract import Featurizer, State
from molmed.features._packed import Chosen, Packed, concatenate
from molmed.results import Fault


def read_molecules(
    cells: Sequence[object], standardise: bool, featurizer: Featurizer | None, state: State
) -> tuple[list[Molecule | Fault], Packed | Chosen | None]:
    """(a molecule or a fault per cell, the arrays of the molecules in order or None if they are still to be made).

    The arrays are not copied to bring them into order.
    """
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
        sizes, positions = made.packed.sizes(), np.full(len(cells), -1)
        for (i, d), item in zip(asked, made.item.tolist(), strict=True):
            if item >= 0:
                found[i], positions[i] = _sized(accepted(d, int(sizes[item]))), item
        slow: list[Molecule] = []
        answers: list[Molecule | Fault] = []
        for i, answer in enumerate(found):
            if answer is None:
                answer = read_one(cells[i], standardise)
                if isinstance(answer, Molecule):
                    positions[i] = made.packed.n + len(slow)
                    slow.append(answer)
            answers.append(answer)
    packed = concatenate([made.packed, featurizer.featurize(slow, state)]) if slow else made.packed
    order = positions[positions >= 0]
    return answers, packed if np.array_equal(order, np.arange(packed.n)) else Chosen(packed, order)


def _sized(molecule: Molecule) -> Molecule:
    """A molecule noted as large by the number of all its atoms: only heavy ones count, so it is looked at."""
    if not molecule.notes or molecule.mol.GetNumHeavyAtoms() >= LARGE_ATOMS:
        return molecule
    return Molecule(molecule.text, molecule.given, molecule.changed)
