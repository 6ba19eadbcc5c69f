"""Graphs made in C++ straight from SMILES are those of the pure path: same rows, same molecules, same arrays.

The pure path is what runs where cuik-molmaker is not installed, and for every row that C++ is not given. Compared are
50,000 molecules of ZINC and all rows of the dirty files, in both schemes, with and without standardisation: with
MOLMED_TEST_EVERY=1 all of them, which takes four minutes, by default a fifth of ZINC and of the two files of 47,464.
"""

import gzip
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from molmed.chem import Molecule
from molmed.data.bundled import nci_library
from molmed.data.table import chunks
from molmed.features import Packed, _cuik, read_molecules
from molmed.features._graph_schemes import SCHEMES
from molmed.features.graph import Graph, GraphConfig
from molmed.results import Fault

pytestmark = pytest.mark.skipif(_cuik.library() is None, reason="cuik-molmaker is not installed (extra `fast`)")
EVERY = int(os.environ.get("MOLMED_TEST_EVERY", "5"))
both = pytest.mark.parametrize("scheme", SCHEMES)


def pure(cells: Sequence[object], standardise: bool, scheme: str) -> tuple[list[Molecule | Fault], Packed]:
    found, packed = read_molecules(cells, standardise, None, {})
    assert packed is None
    return found, Graph(GraphConfig(scheme)).featurize([m for m in found if isinstance(m, Molecule)], {})


def assert_equal(cells: Sequence[object], standardise: bool, scheme: str) -> int:
    """The number of rows that have a molecule."""
    fast, packed = read_molecules(cells, standardise, Graph(GraphConfig(scheme)), {})
    slow, expected = pure(cells, standardise, scheme)
    for cell, a, b in zip(cells, fast, slow, strict=True):
        assert a == b, cell  # text, given, changed, stripped and notes; or step, reason and detail
    assert packed is not None
    assert_same_arrays(packed.in_memory(), expected)
    return len(packed)


def assert_same_arrays(packed: Packed, expected: Packed) -> None:
    """The same fields, types and values."""
    assert packed.fields.keys() == expected.fields.keys()
    assert packed.offsets.keys() == expected.offsets.keys()
    for name, array in (expected.fields | expected.offsets).items():
        found = (packed.fields | packed.offsets)[name]
        assert found.dtype == array.dtype, name
        np.testing.assert_array_equal(found, array, err_msg=name)


def nci() -> list[object]:
    return [line.split()[0] for line in nci_library().read_text(encoding="utf-8").splitlines()]


@both
@pytest.mark.parametrize("standardise", [True, False])
def test_every_row_of_the_nci_library(standardise: bool, scheme: str) -> None:
    assert assert_equal(nci(), standardise, scheme) > 4_900


@both
def test_rows_of_every_kind(scheme: str) -> None:
    cells: list[object] = [
        *(
            "CCO",
            "",
            None,
            "C1CC",
            "x",
            "c1cccc1",
            "C(C)(C)(C)(C)C",
            ".",
            "[2H]C",
            "[13CH4]",
            "*CC*",
            "[Fe]",
            "CC name",
        ),
        *("[O-][N+](=O)[O-]", "[N+](=O)([O-])[O-]", "[O-]N(=O)=O", "[O-][N+](=O)O", "C[N+]([O-])=O", "OC(=O)O.CCN"),
        *("C[Mg]Br", "[NH4+].[Cl-]", "CC[NH3+]", "CC(=O)[O-]", "C[N+](=O)[O-]", "CS(C)=O", "C[S@](=O)CC", "OP(=O)(O)O"),
        *(
            "C/C=C/C",
            "F/C=C\\F",
            "C[C@H](N)O",
            "N#N",
            "C=N#N",
            "CN=[N+]=[N-]",
            "c1ccn(=O)cc1",
            "[Se]",
            "C[Se]C",
            "[Na+]",
        ),
        *("O=[N+]([O-])c1ccccc1", "[O-][n+]1ccccc1", "CC[NH+](C)C", "c1cc[nH+]cc1", "NC(=[NH2+])N", "[NH+]", "[H][H]"),
        *(
            "C->[Fe]",
            "N->B",
            "[O-]C(=[NH2+])C",
            "C[NH+]",
            "C" * 250,
            "[CH2]",
            "B(O)O",
            "I(C)C",
            "[SiH3]C",
            3.5,
            "CC |c|",
        ),
    ]
    for standardise in (True, False):
        assert_equal(cells, standardise, scheme)
        for cell in cells:
            assert_equal([cell], standardise, scheme)


def test_nothing_at_all() -> None:
    assert assert_equal([], True, "molmed") == 0
    assert assert_equal(["", "x"], True, "molmed") == 0


def test_one_bad_molecule_costs_its_batch_nothing() -> None:
    cells: list[object] = ["CCO"] * 100 + ["C(C)(C)(C)(C)C"] + ["CCN"] * 300 + ["c1cccc1"] + ["CCC"] * 50
    assert assert_equal(cells, True, "molmed") == 450


def test_where_the_library_is_missing_the_pure_path_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cuik, "library", lambda: None)
    found, packed = read_molecules(["CCO", "x"], True, Graph(), {})
    assert packed is None
    assert [type(f) for f in found] == [Molecule, Fault]


FUZZ = """
import random, sys
from molmed.features import read_molecules
from molmed.features.graph import Graph
random.seed(int(sys.argv[1]))
lines = open(sys.argv[2], encoding="utf-8").read().split()
alphabet = "CNOPSFIclnos[]()=#@+-/\\\\.123456789%:>*HBr$~|&"
cells = []
for _ in range(int(sys.argv[3])):
    text = list(random.choice(lines))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(text) + 1)
        what = random.random()
        if what < 0.4 and text:
            del text[min(place, len(text) - 1)]
        elif what < 0.8:
            text.insert(place, random.choice(alphabet))
        else:
            random.shuffle(text)
    cells.append("".join(text))
found, packed = read_molecules(cells, True, Graph(), {})
assert len(found) == len(cells)
print(sum(type(f).__name__ == "Molecule" for f in found))
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_smiles_never_end_the_process(seed: int, tmp_path: Path) -> None:
    """The library crashes on text that is no SMILES: none may reach it. A crash would end this test's child."""
    (tmp_path / "seeds.txt").write_text("\n".join(str(s) for s in nci()[:500]), encoding="utf-8")
    words = [sys.executable, "-c", FUZZ, str(seed), str(tmp_path / "seeds.txt"), "4000"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert 0 < int(done.stdout) < 4000


def lines(path: Path) -> list[object]:
    """The first words of a packed text file, "" for an empty line."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        return [(line.split() or [""])[0] for line in file]


def assert_both_schemes_equal(cells: Sequence[object], standardise: bool) -> int:
    """As `assert_equal` for both schemes, the rows read once by the pure path; the number that have a molecule."""
    slow, nothing = read_molecules(cells, standardise, None, {})
    assert nothing is None
    molecules = [m for m in slow if isinstance(m, Molecule)]
    for scheme in SCHEMES:
        graph = Graph(GraphConfig(scheme))
        fast, packed = read_molecules(cells, standardise, graph, {})
        different = [cell for cell, a, b in zip(cells, fast, slow, strict=True) if a != b]
        assert not different, different[:5]
        assert packed is not None
        assert_same_arrays(packed.in_memory(), graph.featurize(molecules, {}))
    return len(molecules)


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("part", range(5) if EVERY == 1 else range(1))
def test_fifty_thousand_real_molecules(part: int, standardise: bool, mirror: Path) -> None:
    """Every fifth row of ZINC 250k, which is ionised and full of stereo, in five parts of 10,000."""
    zinc = lines(mirror / "screening" / "zinc250k.smi.gz")[::5][part::5]
    assert len(zinc) > 9_900
    assert assert_both_schemes_equal(zinc, standardise) > 0.99 * len(zinc)


# file -> (rows, of which unreadable at least)
DIRTY = {
    "chembl_47k_chemdoodle_aromatic.smi.gz": (47_464, 4_000),
    "chembl_47k_kekule.smi.gz": (47_464, 1),
    "nci_first_5k.smi.gz": (4_999, 8),
    "pubchem_hard_set.sdf.gz": (1_181, 0),
    "smiles_cistrans.smi.gz": (126, 0),
    "smiles_cornercases.smi.gz": (8, 0),
    "smiles_tetrahedral.smi.gz": (66, 0),
    "smiles_valence_explicit.smi.gz": (61, 0),
    "smiles_valence_implicit.smi.gz": (61, 0),
    "toxcast_dsstox_raw.csv.gz": (9_011, 422),
}


@pytest.mark.mirror
def test_every_dirty_file_is_listed(mirror: Path) -> None:
    assert {path.name for path in (mirror / "screening" / "dirty").iterdir()} == set(DIRTY)


@pytest.mark.mirror
@pytest.mark.slow
@pytest.mark.parametrize("standardise", [True, False])
@pytest.mark.parametrize("file", DIRTY)
def test_the_dirty_files(file: str, standardise: bool, mirror: Path) -> None:
    """Shuffled: bad rows everywhere, not in runs."""
    path = mirror / "screening" / "dirty" / file
    if file.endswith(".smi.gz"):
        cells = lines(path)
    else:
        name = "Structure_SMILES" if file.startswith("toxcast") else "smiles"
        cells = [cell for chunk in chunks(path) for cell in chunk.columns[name]]
    n, bad = DIRTY[file]
    assert len(cells) == n
    random.Random(0).shuffle(cells)
    if n > 20_000:
        cells = cells[::EVERY]
    assert assert_both_schemes_equal(cells, standardise) <= len(cells) * (1 - 0.9 * bad / n)
