"""The package works when it is installed as a wheel, away from its checkout."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGED = {".py", ".html", ".css", ".toml", ".typed"}


def run(*command: str | Path, cwd: Path, limit_s: int = 600) -> str:
    """Its standard output; the environment is one that knows nothing of the checkout."""
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MOLMED_", "PYTEST_", "COV_", "VIRTUAL_"))
    }
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=limit_s, check=False)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the files that git knows or would add."""
    copy = tmp_path_factory.mktemp("copy")
    listed = run("git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard", cwd=ROOT)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", copy / "dist", copy, cwd=copy)
    (built,) = (copy / "dist").glob("molmed-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bin/ of a new environment that holds the wheel and sees the libraries already installed here.

    A .pth line puts a folder on the path without running the .pth files inside it, so this checkout's
    editable installation stays invisible. It is written after the wheel is in, or pip would find molmed there.
    """
    home = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=home)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    libraries = dict.fromkeys([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    (site / "libraries.pth").write_text("\n".join(libraries) + "\n", encoding="utf-8")
    return home / "bin"


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def demo(installed: Path, elsewhere: Path) -> Path:
    """The output folder of the quick demo, run with the wheel."""
    run(installed / "molmed", "demo", "--quick", "--out", elsewhere / "demo", cwd=elsewhere)
    return elsewhere / "demo"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    there = set(zipfile.ZipFile(wheel).namelist())
    ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / "molmed").rglob("*") if p.suffix in PACKAGED}
    assert ours, "no package beside the tests"
    assert not ours - there
    assert not [name for name in there if name.startswith(("tests", "docs", "pipelines"))]


def test_what_is_imported_is_the_wheel(installed: Path, elsewhere: Path) -> None:
    code = (
        "import json, molmed, sys; from importlib.metadata import version;"
        "print(json.dumps([molmed.__file__, molmed.__version__, version('molmed'), sys.path]))"
    )
    file, attribute, metadata, path = json.loads(run(installed / "python", "-c", code, cwd=elsewhere))
    assert Path(file).is_relative_to(installed.parent)
    assert attribute == metadata
    assert str(ROOT) not in path


def test_the_catalogue_lists_the_shelves(installed: Path, elsewhere: Path) -> None:
    text = run(installed / "molmed", "catalog", cwd=elsewhere)
    for name in ("dmpnn", "scaffold", "csv", "regression"):
        assert name in text


@pytest.mark.slow
def test_the_demo_leaves_hits_a_report_and_a_model(demo: Path) -> None:
    assert pq.read_metadata(demo / "hits.parquet").num_rows == 4_999
    assert (demo / "report.html").stat().st_size > 10_000
    assert (demo / "nav17.molmed" / "card.json").is_file()


@pytest.mark.slow
def test_the_demos_model_predicts_a_file(installed: Path, elsewhere: Path, demo: Path) -> None:
    (elsewhere / "file.smi").write_text(
        "CCO ethanol\nnot_a_smiles broken\nc1ccccc1S(=O)(=O)N amide\n", encoding="utf-8"
    )
    run(installed / "molmed", "predict", demo / "nav17.molmed", "file.smi", "--out", "p.csv", cwd=elsewhere)
    header, *rows = (elsewhere / "p.csv").read_text(encoding="utf-8").splitlines()
    assert header.startswith("row,id,smiles,status,reason")
    assert [row.split(",")[0:4:3] for row in rows] == [["0", "ok"], ["1", "rejected"], ["2", "ok"]]
