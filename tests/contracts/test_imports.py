"""What each room may load: told from the source text, and from fresh interpreters."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "molmed"

TORCH_FREE = ("chem", "clinic", "data", "draw", "features", "tasks", "trust", "metrics", "trees")
MAY_STAND_UNDER_TRAIN = {"errors", "results", "catalog", "tunable", "metrics", "train"}
JUNK = {"utils", "util", "helpers", "helper", "misc", "common"}

# third party -> the only places, relative to the package, whose files may import it
ALLOWED = {
    "lightning_fabric": ("train/",),
    "lightning": (),  # lightning_fabric is the part we use
    "pytorch_lightning": (),
    "tyro": ("cli/",),
    "optuna": ("search/",),
    "lightgbm": ("trees/",),
    "torch_geometric": ("nn/encoders/", "nn/layers/"),
}
UNPICKLERS = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
OPENS_PICKLES = {
    ("torch", "load"),
    ("torch", "save"),
    ("joblib", "load"),
    ("joblib", "dump"),
    ("pandas", "read_pickle"),
}

# Imports the modules named in argv[2], then prints {name: chain} for each forbidden name of argv[1] that was
# loaded; the chain is the files that led to its import, outermost first.
PROBE = """
import importlib, json, sys, traceback

forbidden, modules = json.loads(sys.argv[1]), json.loads(sys.argv[2])
chains = {}


class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in forbidden:
            frames = traceback.extract_stack()
            chains[name] = [f"{f.filename}:{f.lineno}" for f in frames[:-1] if not f.filename.startswith("<")]
        return None


sys.meta_path.insert(0, Watch())
for module in modules:
    exec(module) if " " in module else importlib.import_module(module)
found = {name: chains.get(name, []) for name in forbidden if name in sys.modules}
print("\\n" + json.dumps({"chains": found, "loaded": list(sys.modules)}))
"""


def probe(modules: list[str], *forbidden: str) -> tuple[dict[str, list[str]], set[str]]:
    """Forbidden names that a fresh interpreter loads (with who asked for them), and all it has loaded."""
    command = [sys.executable, "-c", PROBE, json.dumps(forbidden), json.dumps(modules)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, f"importing {modules} failed:\n{done.stderr}"
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["chains"], set(answer["loaded"])


def told(chains: dict[str, list[str]]) -> str:
    return "\n".join(f"{name} was loaded by\n  " + "\n  ".join(chain[-12:]) for name, chain in chains.items())


def modules_of(room: str) -> list[str]:
    paths = sorted((PACKAGE / room).rglob("*.py"))
    return [".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for p in paths]


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(full dotted name, line) of everything a file imports by an absolute import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def test_imports_between_rooms_run_one_way() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], capture_output=True, text=True, cwd=ROOT, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rooms_of_a_screening_worker_never_load_torch() -> None:
    modules = [m for room in TORCH_FREE for m in modules_of(room)]
    assert "molmed.chem" in modules
    chains, _ = probe(modules, "torch", "torch_geometric", "lightning_fabric")
    assert not chains, told(chains)


def test_the_trainer_loads_neither_fabric_nor_science_until_it_runs() -> None:
    chains, loaded = probe(modules_of("train"), "lightning_fabric", "rdkit", "pandas", "sklearn")
    assert not chains, told(chains)
    rooms = {name.split(".")[1] for name in loaded if name.startswith("molmed.")}
    assert rooms <= MAY_STAND_UNDER_TRAIN, f"molmed.train reaches {sorted(rooms - MAY_STAND_UNDER_TRAIN)}"


@pytest.mark.parametrize("module", ["molmed.artefact", "molmed.experiment.predict"])
def test_predicting_never_loads_the_trainers_library(module: str) -> None:
    chains, _ = probe([module], "lightning_fabric", "lightning", "pytorch_lightning")
    assert not chains, told(chains)


HEAVY = ("torch", "pandas", "rdkit", "matplotlib", "sklearn", "scipy")


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import molmed", (*HEAVY, "numpy")),
        ("from molmed import catalog; [catalog.entries(shelf) for shelf in catalog.SHELVES]", (*HEAVY, "numpy")),
    ],
    ids=["import molmed", "listing every shelf"],
)
def test_looking_around_loads_nothing_heavy(statement: str, forbidden: tuple[str, ...]) -> None:
    chains, _ = probe([statement], *forbidden)
    assert not chains, told(chains)


@pytest.mark.parametrize("arguments", [["--help"], ["catalog"]], ids=" ".join)
def test_a_light_verb_loads_nothing_heavy(arguments: list[str]) -> None:
    statement = (
        f"sys.argv[1:] = {arguments!r}\nfrom molmed.cli import main\n"
        "try:\n    code = main()\nexcept SystemExit as end:\n    code = end.code\nassert not code, code"
    )
    chains, _ = probe([statement], *HEAVY)
    assert not chains, told(chains)


def test_a_library_is_imported_only_where_it_is_used() -> None:
    wrong = []
    for path, tree in sources("molmed"):
        where = path.relative_to(PACKAGE).as_posix()
        for name, line in imports(tree):
            top = name.split(".")[0]
            if top in ALLOWED and not where.startswith(ALLOWED[top] or ("nowhere",)):
                wrong.append(f"molmed/{where}:{line} imports {top}; allowed in: {ALLOWED[top] or 'no file'}")
            if top == "ray" and path.name != "run_ray.py":
                wrong.append(f"molmed/{where}:{line} imports ray; allowed in files named run_ray.py")
    assert not wrong, "\n".join(wrong)


def test_no_room_imports_the_package_itself() -> None:
    children = {p.stem for p in PACKAGE.iterdir() if p.suffix == ".py" or p.is_dir()} - {"__init__"}
    wrong = []
    for path, tree in sources("molmed"):
        if path == PACKAGE / "__init__.py":
            continue
        for name, line in imports(tree):
            parts = name.split(".")
            if parts[0] == "molmed" and (len(parts) == 1 or parts[1] not in children):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {name}")
    assert not wrong, "\n".join(wrong)


def test_imports_are_absolute() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in sources("molmed")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong, "\n".join(wrong)


def test_no_junk_drawer() -> None:
    found = [p for folder in ("molmed", "pipelines", "tests") for p in (ROOT / folder).rglob("*")]
    assert not [str(p.relative_to(ROOT)) for p in found if p.stem.strip("_").lower() in JUNK]


def test_nothing_is_written_or_read_as_a_pickle() -> None:
    wrong = []
    for path, tree in sources("molmed", "pipelines"):
        where = path.relative_to(ROOT)
        wrong += [f"{where}:{n} imports {name}" for name, n in imports(tree) if name.split(".")[0] in UNPICKLERS]
        wrong += [f"{where}:{n} imports {name}" for name, n in imports(tree) if tuple(name.split(".")) in OPENS_PICKLES]
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                owner = node.value.id if isinstance(node.value, ast.Name) else ""
                if (owner, node.attr) in OPENS_PICKLES or node.attr in {"read_pickle", "to_pickle"}:
                    wrong.append(f"{where}:{node.lineno} uses {owner}.{node.attr}")
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                wrong.append(f"{where}:{node.value.lineno} allows pickles")
    assert not wrong, "\n".join(wrong)


def test_annotations_can_be_checked_at_run_time() -> None:
    """The import hook that checks shapes refuses typing.Self on methods and cannot see postponed annotations."""
    wrong = []
    for path, tree in sources("molmed"):
        refused = {"typing.Self", "typing.TYPE_CHECKING", "typing_extensions.Self", "__future__.annotations"}
        wrong += [f"{path.relative_to(ROOT)}:{line} imports {name}" for name, line in imports(tree) if name in refused]
    assert not wrong, "\n".join(wrong)
