"""Fixtures every test may use."""

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
