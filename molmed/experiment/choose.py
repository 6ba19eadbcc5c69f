"""Several candidates on the same rows and folds: chosen out of fold, compared once on the test rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from molmed.data.table import Table
from molmed.errors import ConfigError
from molmed.experiment.compare import compare_stored
from molmed.experiment.comparison import MEAN, Comparison
from molmed.experiment.config import Config
from molmed.experiment.dataset import read_dataset
from molmed.experiment.fit import Watch, fit_dataset
from molmed.experiment.guess import guessed
from molmed.experiment.run import Run
from molmed.experiment.scores import better, headline
from molmed.results import Interval


@dataclass(frozen=True)
class Choice:
    """The candidates and the one that was chosen.

    Args:
        runs: name -> run; all have the same rows, test part and folds.
        winner: the name with the best out-of-fold score; no test row had a say in it.
    """

    runs: dict[str, Run]
    winner: str

    @property
    def run(self) -> Run:
        """The winner's run."""
        return self.runs[self.winner]

    def comparison(self) -> Comparison:
        """Every pair of candidates on the same test rows, corrected for their number.

        Raises:
            InputError: there is no test part.
        """
        return compare_stored(self.runs, part="test", metric=self.run.task.metric)

    def differences(self) -> dict[str, dict[str, Interval]]:
        """name -> target -> its test score less the winner's, on the same test rows, by paired bootstrap.

        The winner itself is left out; empty without a test part. Not corrected for their number.
        """
        found: dict[str, dict[str, Interval]] = {name: {} for name in self.runs if name != self.winner}
        if not found or not (self.run.predictions.get("part", pd.Series(dtype=object)) == "test").any():
            return {}
        made = compare_stored(self.runs, part="test", metric=self.run.task.metric, against=self.winner)
        for d in made.differences:
            if d.target != MEAN:
                found[d.a][d.target] = d.interval
        return found


def choose(
    table: Table, candidates: Mapping[str, Config], *, watch: Callable[[str], Watch | None] | None = None
) -> Choice:
    """Fit every candidate and choose by the mean out-of-fold score of the task's metric; of equal ones the first.

    Args:
        candidates: name -> configuration; they may differ in model, training and seed, and in nothing else.
        watch: name of the candidate -> what `fit_dataset` is given to watch with.

    Raises:
        ConfigError: no candidates, no folds, or candidates that differ in data, task or split.
        InputError: see `molmed.experiment.fit.fit`.
    """
    first = next(iter(candidates.values()), None)
    if first is None or first.split.folds < 2:
        came = "no candidate" if first is None else f"{first.split.folds} folds"
        raise ConfigError("choosing between candidates", came, "candidates with split.folds of 2 or more")
    shared = [(c.data, c.task, c.unit, c.split) for c in candidates.values()]
    if any(s != shared[0] for s in shared):
        came = "other data, task, unit or split settings in some of them"
        raise ConfigError("choosing between candidates", came, "equal ones", "let them differ in model and training")
    settings, said = guessed(table, first)
    data = read_dataset(table, settings)
    runs: dict[str, Run] = {}
    for name, candidate in candidates.items():
        own, _ = guessed(table, candidate)
        runs[name] = fit_dataset(data, own, watch=None if watch is None else watch(name), said=said)
    measure = runs[next(iter(runs))].task.metric
    winner = ""
    for name, run in runs.items():
        score = headline(run.scores["out_of_fold"], measure)
        if not winner or better(score, headline(runs[winner].scores["out_of_fold"], measure), measure):
            winner = name
    return Choice(runs, winner)
