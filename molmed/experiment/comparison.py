"""What a comparison of models says: scores, differences in words, letters, and what became of every row."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from molmed.experiment.scores import Scores, plain
from molmed.metrics import metric
from molmed.results import Interval
from molmed.targets import Target

MEAN = "mean of the targets"
"""Stands for a target where the mean over all of them is compared."""


@dataclass(frozen=True)
class Difference:
    """One model against another on the same rows.

    Args:
        interval: score of `a` less score of `b`, with its interval; not corrected for the number of comparisons.
        p: two-sided p-value of "no difference" (see `molmed.metrics.paired.p_value`).
        p_holm: the same, corrected for all comparisons made.
        better: the model that is detectably better, or "".
        verdict: the same in words.
    """

    target: str
    metric: str
    a: str
    b: str
    interval: Interval
    p: float
    p_holm: float
    better: str
    verdict: str


@dataclass(frozen=True)
class Counted:
    """What became of the rows of one target.

    Args:
        measured: rows with a known value.
        compared: those of them that every model predicts, less those left out because a model was trained on them.
        unpredicted: model -> rows with a known value that it does not predict; they are left out for all.
        trained: model -> compared rows that it was trained on, which flatters it; None where that is not known.
        left_out_trained: rows left out because some model was trained on them.
        disagreeing: rows left out because the models' own files hold other values for them.
    """

    measured: int
    compared: int
    unpredicted: dict[str, int]
    trained: dict[str, int | None]
    left_out_trained: int = 0
    disagreeing: int = 0


@dataclass(frozen=True)
class Comparison:
    """What came out of a comparison.

    Args:
        models: their names, as given.
        deciding: target -> the metric that the models are compared by; `MEAN` among the targets where it makes sense.
        scores: model -> target -> metric -> value with interval, the deciding metric first.
        differences: of every pair (or of every other model against `against`) for every target.
        letters: target -> model -> letters; two models share one if no difference between them was detected. Empty
            with `against`.
        counts: target -> what became of its rows.
        predictions: one row per row: row, id, smiles (where there is one), and per target `<t>_measured`,
            `<t>_<model>` for each model, and `<t>_left_out`: why the row is not compared, "" where it is.
        rejected: measured values that could not be read, in words.
        against: the model that all others are compared with, or "".
        part: of the stored predictions that were compared, or "" for a file.
        level: of all intervals; 1 - level is the share of such comparisons in which a difference is claimed, anywhere
            in the table, that does not exist.
        said: sentences for the user.
    """

    models: tuple[str, ...]
    targets: tuple[Target, ...]
    deciding: dict[str, str]
    scores: dict[str, Scores]
    differences: tuple[Difference, ...]
    letters: dict[str, dict[str, str]]
    counts: dict[str, Counted]
    predictions: pd.DataFrame
    rejected: tuple[str, ...] = ()
    against: str = ""
    part: str = ""
    level: float = 0.95
    resamples: int = 10_000
    seed: int = 0
    said: tuple[str, ...] = ()

    def best_first(self, target: str) -> list[str]:
        """The models by their score for a target, the best first; undefined scores last, equal ones as given."""
        name = self.deciding[target]
        sign = -1 if metric(name).greater_is_better else 1
        value = {m: self.scores[m][target][name].value for m in self.models}
        return sorted(self.models, key=lambda m: (np.isnan(value[m]), sign * value[m]))

    @property
    def method(self) -> str:
        """How it was done, in words."""
        tests = sum(not np.isnan(d.p) for d in self.differences)
        level, alpha = f"{100 * self.level:.3g} %", f"{100 * (1 - self.level):.3g} %"
        comparisons = "comparison" if tests == 1 else f"{tests} comparisons"
        return (
            f"All models are scored on the same rows, and on the same {self.resamples:,} resamples of them, drawn with"
            f" replacement (seed {self.seed}). The {level} interval of a score holds the middle {level} of its"
            " resamples (percentile method); that of a difference is widened for few rows (expanded percentile,"
            " Hesterberg 2015). The two-sided p-value is twice the smaller share of the resampled differences on"
            f" either side of 0, widened likewise. It is corrected for the {comparisons} made (Holm 1979): where no"
            f" model differs from another, at most {alpha} of such tables claim a difference anywhere. What is"
            " resampled are rows: it is not said how far another training run would move a score."
        )

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.models)}; {', '.join(self.deciding)})"

    def _repr_html_(self) -> str:
        from molmed.report.comparison import comparison_shown  # stands above this room, see pyproject.toml

        return comparison_shown(self).html

    def scores_frame(self) -> pd.DataFrame:
        """One row per target, model and metric: target, model, metric, value, low, high, level, rows, letters."""
        rows = []
        for target, name in self.deciding.items():
            for model in self.best_first(target):
                for shown_name, interval in self.scores[model][target].items():
                    group = self.letters.get(target, {}).get(model, "") if shown_name == name else ""
                    own = {"target": target, "model": model, "metric": shown_name, **asdict(interval)}
                    rows.append(own | {"rows": self._rows(target), "letters": group})
        return pd.DataFrame(rows)

    def differences_frame(self) -> pd.DataFrame:
        """One row per comparison: target, metric, a, b, difference, low, high, level, p, p_holm, better, verdict."""
        return pd.DataFrame([self._flat(d) for d in self.differences])

    def plain(self) -> dict[str, Any]:
        """JSON of everything but the predictions; what is not known is null."""
        return {
            "models": list(self.models),
            "against": self.against or None,
            "part": self.part or None,
            "level": self.level,
            "resamples": self.resamples,
            "seed": self.seed,
            "method": self.method,
            "targets": {
                target: {
                    "metric": name,
                    "rows": asdict(self.counts[target]) if target in self.counts else {"compared": self._rows(target)},
                    "best_first": self.best_first(target),
                    "letters": self.letters.get(target) or None,
                }
                for target, name in self.deciding.items()
            },
            "scores": {model: plain(scores) for model, scores in self.scores.items()},
            "differences": [
                {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in self._flat(d).items()}
                for d in self.differences
            ],
            "rejected": list(self.rejected),
            "said": list(self.said),
        }

    def _flat(self, d: Difference) -> dict[str, Any]:
        own, i = asdict(d), d.interval
        del own["interval"]
        between = {"difference": i.value, "low": i.low, "high": i.high, "level": i.level}
        return {"target": d.target, "metric": d.metric, "a": d.a, "b": d.b, **between, **own}

    def _rows(self, target: str) -> int:
        if target in self.counts:
            return self.counts[target].compared
        return int((self.predictions[[f"{t.name}_left_out" for t in self.targets]] == "").any(axis=1).sum())
