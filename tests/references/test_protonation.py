"""Reading by the neutral text gives the molecule that every step of the standardisation gives: 0 differences."""

import gzip
import os
from pathlib import Path

import pytest
from rdkit import Chem, rdBase

from molmed.chem import Molecule, read
from molmed.chem.read import Draft, draft, read_fully
from molmed.data.bundled import nci_library

EVERY = int(os.environ.get("MOLMED_TEST_EVERY", "0"))
"""Every so-many-th row of the large files; MOLMED_TEST_EVERY=1 for all of them (some minutes)."""


def differences(cells: list[str]) -> tuple[int, list[str]]:
    """(rows read by their neutral text, those of them for which the full path gives another molecule)."""
    short, found = 0, []
    with rdBase.BlockLogs():
        for cell in cells:
            drafted = draft(cell)
            if not isinstance(drafted, Draft) or drafted.neutral is None:
                continue
            a = read(cell)
            if not isinstance(a, Molecule):
                continue
            short += 1
            b = read_fully(drafted)
            if not isinstance(b, Molecule) or Chem.MolToSmiles(b.mol) != a.smiles:
                found.append(cell)
    return short, found


def test_the_nci_library() -> None:
    short, wrong = differences([line.split()[0] for line in nci_library().read_text(encoding="utf-8").splitlines()])
    assert not wrong
    assert short > 4_500


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "every"),
    [
        ("screening/zinc250k.smi.gz", 100),
        ("screening/znp_50k.smi.gz", 40),
        ("standardisation/rdkit_pubchem100k_standardize.tsv.gz", 40),
        ("screening/dirty/chembl_47k_kekule.smi.gz", 40),
    ],
)
def test_public_structures(file: str, every: int, mirror: Path) -> None:
    with gzip.open(mirror / file, "rt", encoding="utf-8") as lines:
        cells = [line.split()[0] for line in lines if line.split()]
    short, wrong = differences(cells[:: EVERY or every])
    assert not wrong
    assert short > 0.8 * len(cells) / (EVERY or every)
