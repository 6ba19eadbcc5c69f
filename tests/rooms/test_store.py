"""What a store gives back is what it was made of, whoever made it, however often and however interrupted."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molmed import catalog
from molmed.chem import Molecule, read
from molmed.chem.fingerprints import morgan_bits
from molmed.chem.scaffold import murcko
from molmed.data.bundled import nav17, nci_library
from molmed.errors import InputError
from molmed.experiment.workers import spread
from molmed.features import Chosen, Featurizer, Packed, State, featurised, read_molecules
from molmed.features.graph import Graph, GraphConfig
from molmed.features.morgan import Morgan, MorganConfig
from molmed.features.store import DamagedWarning, Kept, Store
from molmed.features.store.shards import SHARD_ROWS, Entry, Piece
from molmed.features.tokens import Tokens
from molmed.results import Fault

MOLECULE_FEATURIZERS = [n for n in catalog.names("features") if catalog.load("features", n).subject == "molecule"]
SLOW = {"descriptors": 10}
"""Five milliseconds a molecule: of these every tenth."""


@cache
def nci() -> list[object]:
    """5,003 cells: RDKit's library with its unreadable rows, a salt, a mixture and what is no text."""
    lines = nci_library().read_text(encoding="utf-8").splitlines()
    return [*[line.split()[0] for line in lines], "CC(=O)[O-].[Na+]", "CCO.c1ccccc1", None, 3.5]


@cache
def sulfonamides() -> list[object]:
    return nav17()["smiles"].tolist()


def readable(cells: Sequence[object], standardise: bool = True) -> list[Molecule]:
    return [m for m in (read(cell, standardise) for cell in cells) if isinstance(m, Molecule)]


@cache
def read_once(cells: Callable[[], list[object]]) -> list[Molecule]:
    return readable(cells())


def assert_equal(left: Packed, right: Packed) -> None:
    assert (left.kind, left.n) == (right.kind, right.n)
    for ours, theirs in ((left.fields, right.fields), (left.offsets, right.offsets)):
        assert ours.keys() == theirs.keys()
        for name in ours:
            assert ours[name].dtype == theirs[name].dtype, name
            assert ours[name].shape == theirs[name].shape, name
            assert ours[name].tobytes() == theirs[name].tobytes(), name


def entries(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_dir()}


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# ---- equality


@pytest.mark.parametrize("cells", [nci, sulfonamides], ids=["nci", "sulfonamides"])
@pytest.mark.parametrize("standardise", [True, False], ids=["standardised", "as given"])
def test_molecules_read_back_are_those_that_were_read(
    tmp_path: Path, cells: Callable[[], list[object]], standardise: bool
) -> None:
    direct = [read(cell, standardise) for cell in cells()]
    for _ in ("made", "found"):
        kept = Store(tmp_path).molecules(cells(), standardise)
        assert kept == direct  # of a molecule: text, given, changed, stripped and notes; of a fault everything
        for ours, theirs in zip(kept[::50], direct[::50], strict=True):
            if isinstance(ours, Molecule) and isinstance(theirs, Molecule):
                assert ours.smiles == theirs.smiles
                assert ours.scaffold == murcko(theirs.smiles)
    assert any(isinstance(answer, Fault) for answer in direct) == (cells is nci)


@pytest.mark.parametrize("cells", [nci, sulfonamides], ids=["nci", "sulfonamides"])
@pytest.mark.parametrize("name", MOLECULE_FEATURIZERS)
def test_features_are_those_of_featurising_directly(
    tmp_path: Path, name: str, cells: Callable[[], list[object]]
) -> None:
    molecules = read_once(cells)[:: SLOW.get(name, 1)]
    featurizer: Featurizer = catalog.load("features", name)()
    state = featurizer.fit(molecules[::2])
    direct = featurizer.featurize(molecules, state)
    for _ in ("made", "found"):
        kept, faults = Store(tmp_path).features(name, featurizer, state, molecules)
        assert_equal(kept, direct)
        assert not any(faults)
    assert featurizer.notes(kept, state) == featurizer.notes(direct, state)


def test_a_table_is_read_and_featurised_as_without_a_store(tmp_path: Path) -> None:
    found, direct = read_molecules(nci(), True, Graph(), {})  # in C++ where that is installed
    if direct is None:
        direct = Graph().featurize([m for m in found if isinstance(m, Molecule)], {})
    for _ in ("made", "found"):
        store = Store(tmp_path)
        answers = store.molecules(nci(), True)
        assert answers == found
        kept, _ = store.features("graph", Graph(), {}, [m for m in answers if isinstance(m, Molecule)])
        assert_equal(kept, direct.in_memory())


def test_fingerprints_are_those_of_computing_them(tmp_path: Path) -> None:
    molecules = readable(sulfonamides())
    for _ in ("made", "found"):
        found = Store(tmp_path).fingerprints(molecules, 2, 1024)
        np.testing.assert_array_equal(found, morgan_bits([m.mol for m in molecules], 2, 1024))


class Choosy(Morgan):
    """Fails on every molecule with silicon."""

    version = "choosy"

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        for item in items:
            if "Si" in item.text:
                raise ValueError(f"silicon in {item.text}")
        return super().featurize(items, state, rng)


def test_a_molecule_that_cannot_be_featurised_is_a_fault_and_no_row(tmp_path: Path) -> None:
    molecules = readable(["C[SiH3]", "CCO", "c1ccccc1[SiH3]", "CCN", "CBr"])
    direct, faults = featurised(Choosy(), molecules, {})
    assert [fault is None for fault in faults] == [False, True, False, True, True]
    for _ in ("made", "found"):
        kept, found = Store(tmp_path).features("choosy", Choosy(), {}, molecules)
        assert_equal(kept, direct)
        assert found == faults
    chosen, own = Kept(Store(tmp_path), molecules).features(
        "choosy", Choosy(), {}, [molecules[i] for i in (4, 0, 3, 3)]
    )
    assert [fault is None for fault in own] == [True, False, True, True]
    assert_equal(chosen.in_memory(), direct.take([2, 1, 1]))


@pytest.mark.parametrize("n", [0, 1, SHARD_ROWS, SHARD_ROWS + 1])
def test_any_number_of_rows(tmp_path: Path, n: int) -> None:
    cells = nci()[:n]
    molecules = readable(cells)
    for _ in ("made", "found"):
        assert len(Store(tmp_path).molecules(cells, True)) == n
        kept, _ = Store(tmp_path).features("graph", Graph(), {}, molecules)
        assert_equal(kept, Graph().featurize(molecules, {}))


def test_what_is_asked_for_may_be_any_of_the_tables_molecules(tmp_path: Path) -> None:
    molecules = readable(["CCO", "CCN", "CCO", "CCC"])
    kept = Kept(Store(tmp_path), molecules)
    chosen, _ = kept.features("graph", Graph(), {}, [molecules[i] for i in (3, 2, 0)])
    assert isinstance(chosen, Chosen)
    direct = Graph().featurize([molecules[i] for i in (3, 2, 0)], {})
    assert_equal(chosen.in_memory(), direct)
    assert_equal(chosen.take([1, 1, 0]), direct.take([1, 1, 0]))
    assert_equal(chosen.run(1, 3), direct.take([1, 2]))
    assert chosen.sizes().tolist() == direct.sizes().tolist()
    assert (len(chosen), chosen.n, chosen.kind) == (3, 3, "graph")
    assert chosen.whole.n == 3  # the same structure is featurised once
    with pytest.raises(KeyError):
        kept.features("graph", Graph(), {}, readable(["c1ccccc1"]))


def test_arrays_lie_on_the_disk_and_cannot_be_written_to(tmp_path: Path) -> None:
    kept, _ = Store(tmp_path).features("graph", Graph(), {}, readable(sulfonamides()))
    for array in kept.fields.values():
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    taken = kept.take([0, 1])
    assert all(array.flags.writeable for array in taken.fields.values())  # as a batch must be


def test_one_process_and_two_write_the_same_bytes(tmp_path: Path) -> None:
    for jobs in (1, 2):
        store = Store(tmp_path / str(jobs))
        answers = store.molecules(nci()[-2_500:], True, spread(jobs))
        molecules = [m for m in answers if isinstance(m, Molecule)]
        store.features("graph", Graph(), {}, molecules, spread(jobs))
    one, two = content(tmp_path / "1"), content(tmp_path / "2")
    assert len(one) > 5
    assert one == two


# ---- keys


class Newer(Graph):
    version = "of tomorrow"


class Otherwise(Graph):
    """Says that it is the same version, and is not."""

    def featurize(self, items: Sequence[Molecule], state: State, rng: np.random.Generator | None = None) -> Packed:
        made = super().featurize(items, state, rng)
        return Packed(
            made.kind, {**made.fields, "atom_features": 2 * made.fields["atom_features"]}, made.offsets, made.n
        )


def test_another_version_setting_state_or_structure_is_another_entry(tmp_path: Path) -> None:
    molecules = readable(sulfonamides()[:20])
    store, seen = Store(tmp_path), set[str]()

    def new(name: str, featurizer: Featurizer, state: State, items: Sequence[Molecule]) -> bool:
        store.features(name, featurizer, state, items)
        added = entries(tmp_path) - seen
        seen.update(added)
        return bool(added)

    assert new("graph", Graph(), {}, molecules)
    assert not new("graph", Graph(), {}, molecules)
    assert not new("graph", Graph(GraphConfig("molmed")), {}, readable(sulfonamides()[:20]))
    assert new("graph", Graph(GraphConfig("chemprop_v2")), {}, molecules)
    assert new("graph", Newer(), {}, molecules)
    assert new("graph", Otherwise(), {}, molecules)
    assert new("graph", Graph(), {}, molecules[::-1])
    assert new("graph", Graph(), {}, molecules[:-1])
    assert new("morgan", Morgan(), {}, molecules)
    assert new("morgan", Morgan(MorganConfig(radius=3)), {}, molecules)
    tokens = Tokens()
    assert new("tokens", tokens, tokens.fit(molecules), molecules)
    assert not new("tokens", tokens, tokens.fit(molecules[::-1]), molecules)  # it learns the same
    assert new("tokens", tokens, tokens.fit(molecules[:1]), molecules)


def test_other_cells_and_reading_them_otherwise_are_other_entries(tmp_path: Path) -> None:
    store = Store(tmp_path)
    asked: list[tuple[list[object], bool]] = [
        (["CC(=O)[O-].[Na+]", "1"], True),
        (["CC(=O)[O-].[Na+]", "1"], False),
        (["CC(=O)[O-].[Na+]", 1], True),
        (["CC(=O)[O-].[Na+]", None], True),
        (["1", "CC(=O)[O-].[Na+]"], True),
        (["CC(=O)[O-].[Na+]1"], True),
        (["CC(=O)[O-].[Na+]", "1", ""], True),
    ]
    for n, (cells, standardise) in enumerate(asked, start=1):
        assert store.molecules(cells, standardise) == [read(cell, standardise) for cell in cells]
        assert len(entries(tmp_path)) == n


def test_what_only_the_test_fold_holds_stays_unknown(tmp_path: Path) -> None:
    """The arrays of all rows are made with what the training rows taught, and never with more."""
    molecules = readable(["CCO", "CCN", "C[Se]C"])
    tokens = Tokens()
    fold, whole = tokens.fit(molecules[:2]), tokens.fit(molecules)
    kept = Kept(Store(tmp_path), molecules)
    for _ in ("made", "found"):
        for state in (whole, fold):
            chosen, _ = kept.features("tokens", tokens, state, molecules)
            assert_equal(chosen.in_memory(), tokens.featurize(molecules, state))
    assert "[Se]" not in fold["vocabulary"]
    chosen, _ = kept.features("tokens", tokens, fold, molecules[2:])
    assert 0 in chosen.in_memory().fields["ids"]


# ---- interruption, races, damage


def numbers(start: int, stop: int) -> Piece:
    """Rows of one, two, one, two, ... numbers."""
    owners = np.repeat(np.arange(start, stop), 1 + np.arange(start, stop) % 2)
    return Piece({"x": owners.astype(np.float32)[:, None], "rows": np.arange(start, stop)}, [*range(start, stop)])


def entry(folder: Path, make: Callable[[int, int], Piece] = numbers) -> Entry:
    return Entry(folder / "key", {"of": "numbers"}, 25, make, shard_rows=10)


class Counting:
    """`numbers`, with a list of what was made."""

    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []

    def __call__(self, start: int, stop: int) -> Piece:
        self.made.append((start, stop))
        return numbers(start, stop)


def assert_numbers(found: Piece) -> None:
    expected = numbers(0, 25)
    assert found.rows == expected.rows
    for name, array in expected.arrays.items():
        np.testing.assert_array_equal(found.arrays[name], array)
        assert found.arrays[name].dtype == array.dtype


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from molmed.features.store.shards import Entry, Piece

def numbers(start, stop):
    owners = np.repeat(np.arange(start, stop), 1 + np.arange(start, stop) % 2)
    return Piece({"x": owners.astype(np.float32)[:, None], "rows": np.arange(start, stop)}, [*range(start, stop)])

def make(start, stop):
    print(start, flush=True)      # tells that it has begun
    if not sys.stdin.readline():  # and goes on when it is told
        raise SystemExit("nobody is there")
    return numbers(start, stop)

found = Entry(Path(sys.argv[1]) / "key", {"of": "numbers"}, 25, make, shard_rows=10).get()
print("rows", len(found.rows), float(found.arrays["x"].sum()), flush=True)
"""


def builder(folder: Path) -> "subprocess.Popen[str]":
    """Another process that makes the entry and waits for a line before each shard."""
    command = [sys.executable, "-c", SCRIPT, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def hear(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list["subprocess.Popen[str]"]]:
    made = [builder(tmp_path), builder(tmp_path)]
    yield made
    for process in made:
        process.kill()
        process.communicate()


def test_two_processes_that_make_the_same_entry_both_get_it(
    tmp_path: Path, processes: list["subprocess.Popen[str]"]
) -> None:
    for start in ("0", "10", "20"):  # both are making the same shard before either writes it
        assert [hear(process) for process in processes] == [start, start]
        for process in processes:
            tell(process)
    total = f"rows 25 {float(numbers(0, 25).arrays['x'].sum())}"
    assert [hear(process) for process in processes] == [total, total]
    for process in processes:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key"]  # nothing of either is left over
    never = Counting()
    assert_numbers(entry(tmp_path, never).get())
    assert not never.made


def test_a_process_that_is_late_takes_what_is_there(tmp_path: Path, processes: list["subprocess.Popen[str]"]) -> None:
    early, late = processes
    assert [hear(process) for process in processes] == ["0", "0"]
    for _ in range(2):
        tell(early)
        hear(early)
    tell(early)
    assert hear(early).startswith("rows 25")
    tell(late)  # its shards' place is gone: the whole entry is there
    assert hear(late).startswith("rows 25")
    for process in processes:
        _, errors = process.communicate()
        assert (process.returncode, errors) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key"]


def interrupted(folder: Path, process: "subprocess.Popen[str]", shards: int) -> None:
    """Kill a process while it makes the shard after so many."""
    for _ in range(shards):
        hear(process)
        tell(process)
    hear(process)
    process.kill()
    process.wait()
    assert not (folder / "key").exists()


def test_an_interrupted_making_goes_on_with_the_shards_that_are_whole(
    tmp_path: Path, processes: list["subprocess.Popen[str]"]
) -> None:
    interrupted(tmp_path, processes[0], 2)
    half = tmp_path / "key.parts" / "making-0123"  # a shard in the middle of whose writing the power failed
    half.mkdir()
    (half / "x.npy").write_bytes(b"\x93NUMPY")
    counting = Counting()
    assert_numbers(entry(tmp_path, counting).get())
    assert counting.made == [(20, 25)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key"]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a bit of an array": lambda folder: flip(folder / "x.npy"),
    "a cut array": lambda folder: os.truncate(folder / "x.npy", 150),
    "an empty array file": lambda folder: os.truncate(folder / "x.npy", 0),
    "no array": lambda folder: (folder / "x.npy").unlink(),
    "other rows": lambda folder: flip(folder / "rows.json"),
    "no rows": lambda folder: (folder / "rows.json").unlink(),
    "no index": lambda folder: (folder / "index.json").unlink(),
    "an index that is no JSON": lambda folder: os.truncate(folder / "index.json", 20),
    "an index of another kind": lambda folder: (folder / "index.json").write_text("[1]", encoding="utf-8"),
    "another array": lambda folder: np.save(folder / "x.npy", np.zeros(3)),
    "a pickle": lambda folder: np.save(folder / "x.npy", np.array([{}], dtype=object), allow_pickle=True),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_entry_is_said_and_made_again(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    entry(tmp_path).get()
    damage(tmp_path / "key")
    counting = Counting()
    with pytest.warns(DamagedWarning, match="are damaged .*: they are not used and are made again") as said:
        assert_numbers(entry(tmp_path, counting).get())
    assert len(said) == 1
    assert counting.made == [(0, 10), (10, 20), (20, 25)]
    assert_numbers(entry(tmp_path).get())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["key"]


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_of_damaged_shards_only_these_are_made_again(
    tmp_path: Path, processes: list["subprocess.Popen[str]"], damage: Callable[[Path], None]
) -> None:
    interrupted(tmp_path, processes[0], 2)
    damage(tmp_path / "key.parts" / "000000000000-000000000010")
    counting = Counting()
    with pytest.warns(DamagedWarning, match="000000000000-000000000010 are damaged"):
        assert_numbers(entry(tmp_path, counting).get())
    assert counting.made == [(20, 25), (0, 10)]


def test_an_entry_that_tells_of_something_else_is_damage(tmp_path: Path) -> None:
    entry(tmp_path).get()
    with pytest.warns(DamagedWarning, match="tells of something else"):
        Entry(tmp_path / "key", {"of": "others"}, 25, numbers, shard_rows=10).get()


# ---- what may be wrong with the folder


@pytest.mark.parametrize(
    ("laid", "said"),
    [
        (lambda folder: folder.write_text("a file", encoding="utf-8"), "store"),
        (lambda folder: (folder / "letters").mkdir(parents=True), "'letters' and no store.json"),
        (lambda folder: (folder.mkdir(), (folder / "store.json").write_text("{}")), "no store there"),
        (lambda folder: (folder.mkdir(), (folder / "store.json").mkdir()), "no store there"),
        (lambda folder: (folder.mkdir(), (folder / "store.json").write_text('{"format": 2}')), "accepted: format 1"),
    ],
    ids=["a file", "a folder of something else", "a mark without a format", "a folder as mark", "a newer format"],
)
def test_a_folder_that_is_no_store_of_this_version_is_refused(
    tmp_path: Path, laid: Callable[[Path], Any], said: str
) -> None:
    laid(tmp_path / "store")
    before = content(tmp_path)
    with pytest.raises(InputError, match=r"keeping features in .*: found .*; accepted: ") as refused:
        Store(tmp_path / "store")
    assert said in str(refused.value)
    assert content(tmp_path) == before


FULL = """
import resource, sys
from molmed.chem import read
from molmed.errors import InputError
from molmed.features.graph import Graph
from molmed.features.store import Store

store = Store(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # as a disk on which little is left
try:
    store.features("graph", Graph(), {}, [read("C" * n) for n in range(1, 60)])
except InputError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a limit on the size of files is POSIX")
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"keeping features in {tmp_path}: found that it cannot be written (File too large)")
    assert "free some space" in done.stdout
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.name != "store.json"]
    kept, _ = Store(tmp_path).features("graph", Graph(), {}, readable(["CCO"]))  # and it can be used again
    assert kept.n == 1


def test_a_store_that_is_removed_is_made_again(tmp_path: Path) -> None:
    molecules = readable(["CCO", "CCN"])
    first, _ = Store(tmp_path / "store").features("graph", Graph(), {}, molecules)
    expected = first.take([0, 1])
    shutil.rmtree(tmp_path / "store")
    again, _ = Store(tmp_path / "store").features("graph", Graph(), {}, molecules)
    assert_equal(again, expected)
    assert json.loads((tmp_path / "store" / "store.json").read_text(encoding="utf-8")) == {"format": 1}
