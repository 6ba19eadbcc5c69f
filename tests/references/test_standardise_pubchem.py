"""The gate changes no answer, and the named steps agree with RDKit's stored results on PubChem structures.

By default every 4th PubChem structure is put through the gate and every 10th through the rest, a minute in all. With
MOLMED_TEST_EVERY=1 all 99,991 are, which takes six minutes.
"""

import gzip
import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig, rdBase

from molmed.chem import Molecule, read
from molmed.chem.counter_ions import COUNTER_IONS
from molmed.chem.standardise import STEPS, standardise, unchanged
from molmed.results import Fault

STEP = dict(STEPS)
N = 99_991


def every(usual: int) -> int:
    return int(os.environ.get("MOLMED_TEST_EVERY", usual))


def pairs(mirror: Path, name: str, step: int) -> Iterator[tuple[str, str]]:
    """(structure, expected result) of every step-th line."""
    path = mirror / "standardisation" / f"rdkit_pubchem100k_{name}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in islice(file, 0, None, step):
            text, expected = line.split("\t")[:2]
            yield text.strip(), expected.strip()


def differences(texts: Iterable[str]) -> tuple[int, list[str]]:
    """(structures that the gate lets pass, those of them that the full path changes)."""
    passed, changed = 0, []
    with rdBase.BlockLogs():
        for text in texts:
            mol = Chem.MolFromSmiles(text)
            if mol is None or not unchanged(mol, "." not in text):
                continue
            passed += 1
            answer = standardise(mol)
            if isinstance(answer, Fault) or answer[1] or Chem.MolToSmiles(answer[0]) != Chem.MolToSmiles(mol):
                changed.append(text)
    return passed, changed


def test_the_gate_equals_the_full_path_on_rdkits_nci_structures() -> None:
    with open(os.path.join(RDConfig.RDDataDir, "NCI", "first_5K.smi"), encoding="utf-8") as file:
        passed, changed = differences(line.split()[0] for line in file)
    assert changed == []
    assert 3000 < passed < 4992  # it saves most of the work and not all


@pytest.mark.mirror
@pytest.mark.slow
def test_the_gate_equals_the_full_path_on_pubchem_structures(mirror: Path) -> None:
    step = every(4)
    passed, changed = differences(text for text, _ in pairs(mirror, "standardize", step))
    assert changed == []
    assert passed > 0.79 * N / step


@pytest.mark.mirror
@pytest.mark.slow
def test_standardising_pubchem_structures_again_changes_nothing(mirror: Path) -> None:
    step = every(10)
    read_once = [read(text) for text, _ in pairs(mirror, "standardize", step)]
    parents = [m for m in read_once if isinstance(m, Molecule) and m.changed]
    assert len(parents) > 0.09 * N / step
    for parent in parents:
        again = read(parent.smiles)
        assert isinstance(again, Molecule), parent.given
        assert (again.smiles, again.changed) == (parent.smiles, False), parent.given


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("metals", ["metals"]),
        ("normalize", ["normalise"]),
        ("reionize", ["reionise"]),
        ("standardize", ["metals", "normalise", "reionise"]),
    ],
)
def test_the_steps_agree_with_rdkits_stored_results(name: str, steps: list[str], mirror: Path) -> None:
    """The stored results are of 2018; what differs is the charge that newer versions leave on a metal."""
    step = every(10)
    n = agree = 0
    with rdBase.BlockLogs():
        for text, expected in pairs(mirror, name, step):
            mol, wanted = Chem.MolFromSmiles(text), Chem.MolFromSmiles(expected)
            if mol is None or wanted is None:
                continue
            n += 1
            for each in steps:
                mol = STEP[each](mol)
            agree += Chem.MolToSmiles(mol) == Chem.MolToSmiles(wanted)
    assert n > 0.99 * N / step
    assert agree > 0.995 * n


@pytest.mark.mirror
@pytest.mark.slow
def test_the_parent_is_mostly_the_largest_fragment(mirror: Path) -> None:
    """RDKit's stored rule is the largest fragment. Ours is another, so only single parents are compared.

    They differ where a large counter-ion stands beside a small parent, and where all that is organic is on the list
    of salts and a metal is not.
    """
    step = every(10)
    n = agree = 0
    for text, expected in pairs(mirror, "fragment", step):
        ours, theirs = read(text), read(expected)
        if isinstance(ours, Molecule) and isinstance(theirs, Molecule):
            n += 1
            agree += ours.smiles == theirs.smiles
    assert n > 0.98 * N / step
    assert agree > 0.995 * n


@pytest.mark.mirror
def test_every_counter_ion_is_one_that_the_chembl_pipeline_strips(mirror: Path) -> None:
    with gzip.open(mirror / "standardisation" / "chembl_pipeline_salts.tsv.gz", "rt", encoding="utf-8") as file:
        salts = [line.split("\t")[1].strip() for line in file]
    with rdBase.BlockLogs():
        known = {Chem.MolToSmiles(mol) for mol in map(Chem.MolFromSmiles, salts) if mol is not None}
    assert [name for name, smiles in COUNTER_IONS.items() if Chem.CanonSmiles(smiles) not in known] == []
