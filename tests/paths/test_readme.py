"""What the README shows works as it stands there."""

import gzip
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from molmed.cli import main, verbs
from molmed.data.bundled import nci_library

from .conftest import sulfonamides

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the README names, of few rows."""
    made = tmp_path_factory.mktemp("readme")
    sulfonamides(60).to_csv(made / "nav17.csv", index=False)
    sulfonamides(80).tail(20).to_csv(made / "measured.csv", index=False)
    pd.DataFrame({"smiles": ["CCO", "c1ccccc1"]}).to_csv(made / "new.csv", index=False)
    lines = nci_library().read_text(encoding="utf-8").splitlines()[:50]
    with gzip.open(made / "library.smi.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return made


def run(example: str, folder: Path) -> str:
    """What a block prints."""
    done = subprocess.run(
        [sys.executable, "-c", example],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_python_block_is_run_below() -> None:
    assert len(blocks("python")) == 2


@pytest.mark.slow
def test_the_five_lines_run(folder: Path) -> None:
    said = run(blocks("python")[0], folder)
    assert "rejected" in said
    assert "syntax" in said
    assert (folder / "nav17.molmed" / "card.json").is_file()


@pytest.mark.slow
def test_the_estimator_runs_under_scikit_learns_cross_validation(folder: Path) -> None:
    said = run(blocks("python")[1] + "print(value.shape, spread.shape)", folder)
    assert len(re.findall(r"-?\d+\.\d+", said)) == 3
    assert "(1,) (1,)" in said


def commands() -> list[list[str]]:
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith("molmed ")]


@pytest.mark.slow
def test_the_commands_run_in_order(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    shown = commands()
    assert {words[1] for words in shown} == set(verbs()) - {"demo"}
    small = {"dmpnn": ["--train.epochs", "2", "--encoder.width", "16"], "random_forest": ["--tree.n-trees", "20"]}
    for words in shown:
        extra = small[words[words.index("--model") + 1]] if words[1] == "train" else []
        assert main([*words[1:], *extra]) == 0, words
    assert (folder / "predictions.xlsx").is_file()
    assert (folder / "nav17.molmed.zip").is_file()
    for page in ("audit/audit.html", "comparison/comparison.html", "nav17.html"):
        assert (folder / page).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert (folder / "hits" / "top.parquet").is_file()


def test_every_verb_and_target_that_is_shown_exists() -> None:
    assert {words[1] for words in commands()} <= set(verbs())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)|`make (\w+)`", README, re.MULTILINE):
        assert re.search(rf"^{''.join(target)}:", makefile, re.MULTILINE), target


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", README):
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_first_screen_holds_the_two_commands() -> None:
    first = "\n".join(README.splitlines()[:25])
    assert "make demo" in first
    assert "make test" in first
    assert "research use only" in README.lower()
