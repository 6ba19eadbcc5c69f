"""Fixtures every test may use, and the figures that tests have recorded, at the end of a run."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of public data sets (MOLMED_DATA, or ../shared/datasets beside the checkout)."""
    named = os.environ.get("MOLMED_DATA")
    folder = Path(named) if named else Path(__file__).resolve().parents[2] / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip(f"no mirror of the public data sets at {folder}")
    return folder


@pytest.fixture(params=["cpu", "cuda"])
def device(request: pytest.FixtureRequest) -> str:
    """The device of a test that is run once on each; CUDA's is skipped where there is none."""
    if request.param == "cuda":
        import torch  # here: tests of rooms without torch do not load it

        if not torch.cuda.is_available():
            pytest.skip(f"no CUDA device (torch {torch.__version__}, {torch.cuda.device_count()} devices)")
    name: str = request.param
    return name


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have said by `record_property`: figures that a reader wants to see, not only pass or fail."""
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    figures = [(r.nodeid, name, value) for r in reports if r.when == "call" for name, value in r.user_properties]
    if figures:
        terminalreporter.section("figures")
    for test, name, value in sorted(figures):
        terminalreporter.write_line(f"{test}: {name} {value}")
