"""No shortcut changes an answer, and each named step agrees with RDKit's stored results, on 99,991 PubChem structures.

By default every 10th structure is compared with each file of stored results and standardised twice; with
MOLMED_TEST_EVERY=1 all of them are. All are always read by the shortcuts and by every step, in parts of a tenth.
"""

import gzip
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from rdkit import Chem, RDConfig, rdBase

from molmed.chem import Molecule, read
from molmed.chem.counter_ions import COUNTER_IONS, is_counter_ion
from molmed.chem.read import Draft, draft
from molmed.chem.standardise import STEPS, unchanged

STEP = dict(STEPS)
N = 99_991
CARBON = Chem.MolFromSmarts("[#6]")


def every(usual: int) -> int:
    return int(os.environ.get("MOLMED_TEST_EVERY", usual))


def pairs(mirror: Path, name: str, step: int, first: int = 0) -> Iterator[tuple[str, str]]:
    """(structure, expected result) of every step-th line."""
    path = mirror / "standardisation" / f"rdkit_pubchem100k_{name}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in islice(file, first, None, step):
            text, expected = line.split("\t")[:2]
            yield text.strip(), expected.strip()


def by_every_step(text: str) -> str:
    """The parent's SMILES, or "mixture", or "" for a text that is no structure: every step, nothing left out."""
    mol = Chem.MolFromSmiles(text)
    if mol is None or mol.GetNumAtoms() == 0:
        return ""
    for name, step in STEPS:
        if name != "uncharge":
            mol = step(mol)
    parts = {}
    for part in Chem.GetMolFrags(mol, asMols=True):
        part = STEP["uncharge"](part)
        Chem.SanitizeMol(part)
        Chem.AssignStereochemistry(part, cleanIt=True, force=True)
        parts[Chem.MolToSmiles(part)] = part
    organic = [smiles for smiles, part in parts.items() if part.HasSubstructMatch(CARBON)]
    if len(organic) > 1:
        organic = [smiles for smiles in organic if not is_counter_ion(parts[smiles])]
        if len(organic) != 1:
            return "mixture"
    best: str = max(organic or parts, key=lambda smiles: (parts[smiles].GetNumHeavyAtoms(), smiles))
    return best


def _read_again(parent: str) -> str:
    """Some parents, such as those of complexes, are written otherwise once their own SMILES has been read."""
    mol = Chem.MolFromSmiles(parent) if parent not in ("", "mixture") else None
    return "" if mol is None else str(Chem.MolToSmiles(mol))


def shortcut(text: str) -> str:
    """Which of the shortcuts reads a text."""
    drafted = draft(text)
    if not isinstance(drafted, Draft) or drafted.neutral is None:
        return "none"
    return "gate" if drafted.neutral.smiles == text else "neutral text"


def differences(texts: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    """(rows that each shortcut has read, rows for which every step gives something else)."""
    read_by = {"gate": 0, "neutral text": 0, "none": 0}
    found = []
    with rdBase.BlockLogs():
        for text in texts:
            molecule = read(text)
            if isinstance(molecule, Molecule):
                smiles = molecule.smiles
                read_by[shortcut(text) if unchanged(molecule.mol, "." not in text) else "none"] += 1
            else:
                smiles = "mixture" if molecule.step == "standardise" else ""
            parent = by_every_step(text)
            if smiles != parent and smiles != _read_again(parent):
                found.append(text)
    return read_by, found


def test_reading_equals_every_step_on_rdkits_nci_structures() -> None:
    with open(os.path.join(RDConfig.RDDataDir, "NCI", "first_5K.smi"), encoding="utf-8") as file:
        read_by, found = differences(line.split()[0] for line in file)
    assert found == []
    assert 3000 < read_by["gate"] < 4992  # it saves most of the work and not all


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize("tenth", range(10))
def test_reading_equals_every_step_on_pubchem_structures(
    tenth: int, mirror: Path, record_property: Callable[[str, object], None]
) -> None:
    texts = [text for text, _ in pairs(mirror, "standardize", 10, tenth)]
    read_by, found = differences(texts)
    record_property("differences", f"{len(found)} of {len(texts):,} ({read_by['gate']:,} by the gate)")
    assert found == []
    assert read_by["gate"] > 0.78 * len(texts)
    assert read_by["neutral text"] > 10


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "usual"),
    [
        ("screening/zinc250k.smi.gz", 100),
        ("screening/znp_50k.smi.gz", 40),
        ("screening/dirty/chembl_47k_kekule.smi.gz", 40),
    ],
)
def test_reading_equals_every_step_on_libraries(file: str, usual: int, mirror: Path) -> None:
    """Vendors draw a third of their compounds ionised, which most of PubChem's structures are not."""
    with gzip.open(mirror / file, "rt", encoding="utf-8") as lines:
        texts = [line.split()[0] for line in lines if line.split()][:: every(usual)]
    read_by, found = differences(texts)
    assert found == []
    assert read_by["gate"] + read_by["neutral text"] > 0.8 * len(texts)


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
def test_the_steps_agree_with_rdkits_stored_results(
    name: str, steps: list[str], mirror: Path, record_property: Callable[[str, object], None]
) -> None:
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
    record_property("agreement", f"{agree / n:.3%} of {n:,} structures")
    assert n > 0.99 * N / step
    assert agree > 0.995 * n


@pytest.mark.mirror
@pytest.mark.slow
def test_the_parent_is_mostly_the_largest_fragment(
    mirror: Path, record_property: Callable[[str, object], None]
) -> None:
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
    record_property("agreement", f"{agree / n:.3%} of {n:,} structures")
    assert n > 0.98 * N / step
    assert agree > 0.995 * n


@pytest.mark.mirror
def test_every_counter_ion_is_one_that_the_chembl_pipeline_strips(mirror: Path) -> None:
    """The other way round, see test_standardise_cases.py."""
    known = set()
    for kind in ("salts", "solvents"):
        with gzip.open(mirror / "standardisation" / f"chembl_pipeline_{kind}.tsv.gz", "rt", encoding="utf-8") as file:
            listed = [line.split("\t")[1].strip() for line in file]
        known |= {found.smiles for found in map(read, listed) if isinstance(found, Molecule)}
    assert [name for name, smiles in COUNTER_IONS.items() if Chem.CanonSmiles(smiles) not in known] == []
