"""Two worker processes write the very bytes that one does: the tables of `predict` and of `screen`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from molmed.data.bundled import nci_library
from molmed.experiment.run import Run


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RDKit's NCI library, 4,999 rows: three chunks, so that two processes have something to share."""
    path = tmp_path_factory.mktemp("library") / "nci.smi"
    path.write_text(nci_library().read_text(encoding="utf-8"), encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=["forest", "network"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run: Run = request.getfixturevalue(request.param)
    return run.save(tmp_path_factory.mktemp("model") / "model.molmed")


def molmed(*words: str) -> str:
    """A command as a user gives it, with as many threads as torch would take of two cores."""
    command = [str(Path(sys.executable).parent / "molmed"), *words]
    environment = os.environ | {"OMP_NUM_THREADS": "2"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_predictions_of_one_and_of_two_processes_are_equal_to_the_byte(
    model: Path, library: Path, tmp_path: Path
) -> None:
    written = []
    for jobs in ("1", "2"):
        out = tmp_path / f"{jobs}.csv"
        molmed("predict", str(model), str(library), "--out", str(out), "--jobs", jobs)
        written.append(out.read_bytes())
    assert len(written[0]) > 100_000
    assert written[0] == written[1]


@pytest.mark.slow
def test_screens_of_one_and_of_two_processes_are_equal_to_the_byte(model: Path, library: Path, tmp_path: Path) -> None:
    folders = []
    for jobs in ("1", "2"):
        out = tmp_path / jobs
        molmed("screen", str(library), "--model", str(model), "--out", str(out), "--top", "50", "--jobs", jobs)
        folders.append(out)
    for name in ("predictions.parquet", "top.parquet"):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes(), name
