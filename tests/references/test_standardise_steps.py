"""Leaving out the steps that have nothing to act on gives the parent that every step gives: 0 differences."""

import gzip
import os
from pathlib import Path

import pytest
from rdkit import Chem, rdBase

from molmed.chem.standardise import STEPS, standardise, unchanged
from molmed.data.bundled import nci_library
from molmed.results import Fault

EVERY = int(os.environ.get("MOLMED_TEST_EVERY", "0"))
"""Every so-many-th row of the large file; MOLMED_TEST_EVERY=1 for all of them (two minutes)."""


def told(mol: Chem.Mol, every_step: bool) -> object:
    """The parent and what was stripped; a fault's sentence without the order of what it names."""
    found = standardise(mol, every_step)
    if isinstance(found, Fault):
        return found.step, found.reason, sorted(found.detail.replace("parents:", "and").split())
    return Chem.MolToSmiles(found[0]), found[1]


def differences(cells: list[str]) -> tuple[int, list[str]]:
    """(rows that the gate does not pass, those of them whose parent depends on the steps left out)."""
    full, found = 0, []
    with rdBase.BlockLogs():
        for cell in cells:
            mol = Chem.MolFromSmiles(cell)
            if mol is None or unchanged(mol, len(Chem.GetMolFrags(mol)) == 1):
                continue
            full += 1
            if told(mol, False) != told(mol, True):
                found.append(cell)
    return full, found


def test_the_nci_library() -> None:
    full, wrong = differences([line.split()[0] for line in nci_library().read_text(encoding="utf-8").splitlines()])
    assert not wrong
    assert full > 300


def test_a_step_that_is_left_out_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison sees a difference where a needed step is missing."""
    monkeypatch.setattr("molmed.chem.standardise._needed", lambda mol: frozenset({"metals", "normalise", "reionise"}))
    assert differences(["CC(=O)[O-]", "C[NH3+]", "CS(C)=O"])[1] == ["CC(=O)[O-]", "C[NH3+]"]
    assert [name for name, _ in STEPS][-1] == "uncharge"


@pytest.mark.mirror
def test_public_structures(mirror: Path) -> None:
    file = mirror / "standardisation" / "rdkit_pubchem100k_standardize.tsv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        cells = [line.split("\t")[0] for line in lines if line.strip()]
    full, wrong = differences(cells[:: EVERY or 5])
    assert not wrong
    assert full > 0.1 * len(cells) / (EVERY or 5)
