"""A trained model with everything it knows about itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from molmed import artefact
from molmed.chem import standardise
from molmed.data.table import Table
from molmed.experiment.config import Config, to_toml
from molmed.experiment.predict import predict_all
from molmed.experiment.predictor import Predictor
from molmed.experiment.scores import Scores, plain
from molmed.targets import Target
from molmed.tasks import Task


@dataclass(frozen=True)
class Run:
    """What `fit` returns and `load` restores.

    Args:
        predictor: what scores rows.
        config: as resolved.
        task: what was asked.
        scores: "out_of_fold" and "test", where they were made.
        history: one row per epoch of the final fit; empty for trees, and for an ensemble, which has none.
        predictions: columns part ("out_of_fold", "test"), fold, row, id, smiles, `<t>`, `<t>_measured`, and of an
            ensemble `<t>_spread` (test only: each out-of-fold value is that of one member).
        rejected: every row of the training file that was not used, with the reason.
        facts: counts and hashes of data and split, seconds, versions of libraries.
        fold_history: one row per epoch of the model of each `fold`; empty for trees.
    """

    predictor: Predictor
    config: Config
    task: Task
    scores: dict[str, Scores] = field(default_factory=dict)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    rejected: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: dict[str, Any] = field(default_factory=dict)
    fold_history: pd.DataFrame = field(default_factory=pd.DataFrame)

    def __repr__(self) -> str:
        names = ", ".join(t.name for t in self.targets[:3]) + (", ..." if len(self.targets) > 3 else "")
        return f"Run({self.config.model.name or self.task.model}: {names})"

    @property
    def targets(self) -> tuple[Target, ...]:
        """What is predicted."""
        return self.predictor.targets

    def predict(self, table: Table, *, smiles: str = "", id: str = "", keep: Sequence[str] = ()) -> pd.DataFrame:
        """One row per input row, in order; `molmed.experiment.predict.columns` says what is in it.

        Args:
            table: a path, a data frame, a dict of columns, or a list of SMILES.
            smiles, id: columns, where the guess would be wrong.
            keep: input columns that come out as `in_<name>`.

        Raises:
            InputError: the file cannot be read, or a column is not there.
        """
        return predict_all(self.predictor, table, smiles=smiles, id=id, keep=keep)

    def report(self, path: str | Path = "report.html", *, title: str = "") -> Path:
        """Write a page on this model, one HTML file that needs nothing else; its path is returned."""
        from molmed.report.model import (
            write_model_page,
        )  # stands above this room: the one exception pyproject.toml names

        return write_model_page(self, path, title=title)

    def _repr_html_(self) -> str:
        from molmed.report.model import run_shown  # stands above this room, see pyproject.toml

        return run_shown(self).html

    def save(self, folder: str | Path) -> Path:
        """Write the artefact `model.molmed/`; the path is returned. An older artefact there is replaced.

        Raises:
            ArtefactError: the path exists and is not a model.
        """
        artefact.write(Path(folder), self._contents())
        return Path(folder)

    def _contents(self) -> artefact.Contents:
        own, domain = self.predictor, self.predictor.domain
        tensors = {"weights": own.model.tensors()}
        tables = {"history": self.history, "predictions": self.predictions, "rejected": self.rejected}
        tables["fold_history"] = self.fold_history
        if domain is not None:
            tensors["domain/index"] = {"bits": domain.bits, "own": domain.own}
            tables["domain/compounds"] = domain.compounds
        card = {
            "molmed": version("molmed"),
            "task": self.config.task,
            "intended_use": self.task.intended_use,
            "must_not": self.task.must_not,
            "targets": [asdict(t) for t in own.targets],
            "slots": [asdict(s) for s in own.slots],
            "standardise": {"on": own.standardise, "version": standardise.VERSION},
            "declared": asdict(self.task),
            "model": own.model.describe(),
            "scores": {part: plain(scores) for part, scores in self.scores.items()},
            "facts": self.facts,
        }
        present = {stem: frame for stem, frame in tables.items() if len(frame.columns)}
        texts = {"config.toml": to_toml(self.config)}
        return artefact.Contents(card, tensors, present, texts, {"calibration": own.calibration.plain()})
