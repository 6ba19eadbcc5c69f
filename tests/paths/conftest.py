"""Small models that several tests look at; each is trained once for all the tests of a file."""

from pathlib import Path

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from molmed.data.bundled import nav17
from molmed.experiment.config import Config, ModelConfig, SplitConfig
from molmed.experiment.fit import fit
from molmed.experiment.run import Run
from molmed.train.config import TrainConfig

SMALL_NETWORK = Config(
    split=SplitConfig(test=0.2, folds=2, valid=0.1),
    model=ModelConfig("dmpnn", encoder={"width": 32}, batch_size=32),
    train=TrainConfig(epochs=4, threads=1),
)
SMALL_FOREST = Config(
    split=SplitConfig(test=0.2, folds=3), model=ModelConfig("random_forest", encoder={"n_trees": 20, "jobs": 1})
)


def sulfonamides(n: int = 200) -> pd.DataFrame:
    """Every fifth of RDKit's aryl sulfonamides, at most n of them: columns smiles, id, pAct."""
    return nav17().iloc[::5].head(n).reset_index(drop=True)


def patients() -> pd.DataFrame:
    """scikit-learn's Wisconsin breast cancer table: 30 columns and `malignant` (0/1)."""
    data = load_breast_cancer(as_frame=True)
    return data.data.assign(malignant=1 - data.target)


@pytest.fixture(scope="session")
def forest() -> Run:
    """A forest on 200 sulfonamides, with folds and a test part."""
    return fit(sulfonamides(), targets="pAct", config=SMALL_FOREST)


@pytest.fixture(scope="session")
def network() -> Run:
    """A D-MPNN on 200 sulfonamides, with folds and a test part."""
    return fit(sulfonamides(), targets="pAct", config=SMALL_NETWORK)


@pytest.fixture(scope="session")
def toxic() -> Run:
    """A forest on two binary targets, one of them with gaps, with folds and a test part."""
    table = sulfonamides().assign(active=lambda t: (t.pAct > 6).astype(int), heavy=lambda t: t.smiles.str.len() > 60)
    table["heavy"] = table["heavy"].astype(int).where(table.index % 4 > 0)
    return fit(table[["smiles", "id", "active", "heavy"]], targets=["active", "heavy"], config=SMALL_FOREST)


@pytest.fixture(scope="session")
def diagnosis() -> Run:
    """A network on an exam table."""
    config = Config(train=TrainConfig(epochs=8, threads=1), split=SplitConfig(test=0.2, folds=2))
    return fit(patients(), targets="malignant", task="diagnosis_table", config=config)


@pytest.fixture
def stored(forest: Run, tmp_path: Path) -> Path:
    """The forest's artefact, to be damaged at will."""
    return forest.save(tmp_path / "forest.molmed")
