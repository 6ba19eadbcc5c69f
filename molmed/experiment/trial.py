"""The statistics of a comparison: scores and differences on the same resamples, and what they allow to be said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from molmed.errors import InputError
from molmed.experiment.comparison import MEAN, Comparison, Counted, Difference
from molmed.experiment.scores import Scores
from molmed.metrics import Metric, metric, shown
from molmed.metrics.bootstrap import percentiles
from molmed.metrics.paired import difference, holm, letters, p_value, resamples_needed
from molmed.metrics.resample import resamples as draw
from molmed.metrics.resample import scores as scores_of
from molmed.results import Interval
from molmed.targets import Target

ASKED = "comparing models"

_FEWER = 1_000
"""Resamples for the intervals of the scores that are shown beside the deciding one; as in `molmed.metrics.interval`."""


@dataclass(frozen=True)
class Trial:
    """What is compared, and how."""

    models: tuple[str, ...]
    targets: tuple[Target, ...]
    deciding: dict[str, Metric]
    against: str
    level: float
    resamples: int
    seed: int
    beside: bool = True

    def compared(
        self,
        rows: pd.DataFrame,
        y: Float[np.ndarray, "rows targets"],
        predicted: Float[np.ndarray, "models rows targets"],
        trained: Sequence[Bool[np.ndarray, " rows"] | None],
        leave_out_trained: bool,
        disagree: Bool[np.ndarray, "rows targets"] | None = None,
        rejected: tuple[str, ...] = (),
    ) -> Comparison:
        """The comparison of arrays; nan = unknown."""
        pairs = self._pairs()
        tests = len(pairs) * (len(self.targets) + bool(self._mean()))
        settings = replace(self, resamples=max(self.resamples, resamples_needed(tests, self.level)))
        differing = np.zeros(y.shape, dtype=bool) if disagree is None else disagree
        seen = np.any([t for t in trained if t is not None] or [np.zeros(len(y), dtype=bool)], axis=0)
        usable = ~np.isnan(y) & ~differing & ~np.isnan(predicted).any(axis=0)
        used = usable & ~seen[:, None] if leave_out_trained else usable
        if not used.any():
            came = f"{len(y)} rows, none with a measured value and a prediction of every model"
            if usable.any():
                came = f"{int(usable.any(axis=1).sum())} rows to compare, all of which some model was trained on"
            raise InputError(ASKED, came, "at least one")
        counts, frame = {}, rows.copy()
        for i, target in enumerate(self.targets):
            known = ~np.isnan(y[:, i])
            missing = {m: known & np.isnan(predicted[k, :, i]) for k, m in enumerate(self.models)}
            both = used[:, i]
            counts[target.name] = Counted(
                int(known.sum()),
                int(both.sum()),
                {m: int(rows.sum()) for m, rows in missing.items()},
                {m: None if t is None else int((t & both).sum()) for m, t in zip(self.models, trained, strict=True)},
                int((usable[:, i] & ~both).sum()),
                int((known & differing[:, i]).sum()),
            )
            frame[f"{target.name}_measured"] = y[:, i]
            for k, model in enumerate(self.models):
                frame[f"{target.name}_{model}"] = predicted[k, :, i]
            frame[f"{target.name}_left_out"] = _why(known, missing, differing[:, i], usable[:, i] & ~both)
        kept = np.flatnonzero(used.any(axis=1))
        measured = np.where(used, y, np.nan)[kept]
        values, differences = settings._scored(measured, predicted[:, kept], pairs)
        deciding = {t: m.name for t, m in self.deciding.items()} | ({MEAN: self._mean()} if self._mean() else {})
        made = Comparison(
            self.models, self.targets, deciding, values, differences, {}, counts, frame, rejected, self.against,
            level=self.level, resamples=settings.resamples, seed=self.seed,
        )  # fmt: skip
        return replace(made, letters={} if self.against else _letters(made), said=tuple(_said(made)))

    def _mean(self) -> str:
        """The metric whose mean over the targets makes sense, or ""."""
        names = {m.name for m in self.deciding.values()}
        units = {t.unit for t in self.targets}
        if len(self.targets) < 2 or len(names) > 1 or (names & {"rmse", "mae"} and len(units) > 1):
            return ""
        return next(iter(names))

    def _pairs(self) -> list[tuple[int, int]]:
        """Positions of the models of each comparison."""
        n = len(self.models)
        if self.against:
            one = self.models.index(self.against)
            return [(i, one) for i in range(n) if i != one]
        return [(i, j) for i in range(n) for j in range(i + 1, n)]

    def _scored(
        self,
        y: Float[np.ndarray, "rows targets"],
        predicted: Float[np.ndarray, "models rows targets"],
        pairs: Sequence[tuple[int, int]],
    ) -> tuple[dict[str, Scores], tuple[Difference, ...]]:
        """model -> scores, and the differences; every row has a known value of some target."""
        models, (n_rows, n_targets) = len(self.models), y.shape
        drawn = np.full((models, n_targets, self.resamples), np.nan)
        metrics = list(self.deciding.values())
        at = 0
        for counts in draw(n_rows, self.resamples, self.seed):
            for t, k in np.ndindex(n_targets, models):
                drawn[k, t, at : at + len(counts)] = scores_of(metrics[t], y[:, t], predicted[k, :, t], counts)
            at += len(counts)
        exact = np.asarray([[metrics[t](y[:, t], predicted[k, :, t]) for t in range(n_targets)] for k in range(models)])
        values: dict[str, Scores] = {m: {} for m in self.models}
        for k, t in np.ndindex(models, n_targets):
            by_metric = {metrics[t].name: percentiles(float(exact[k, t]), drawn[k, t], self.level)}
            values[self.models[k]][self.targets[t].name] = by_metric
        if self.beside:
            self._beside(y, predicted, values)
        names = [t.name for t in self.targets]
        rows = [int((~np.isnan(y[:, t])).sum()) for t in range(n_targets)]
        if mean := self._mean():
            exact = np.concatenate([exact, exact.mean(axis=1, keepdims=True)], axis=1)
            drawn = np.concatenate([drawn, drawn.mean(axis=1, keepdims=True)], axis=1)
            names, rows, metrics = [*names, MEAN], [*rows, n_rows], [*metrics, metrics[0]]
            for k, model in enumerate(self.models):
                values[model][MEAN] = {mean: percentiles(float(exact[k, -1]), drawn[k, -1], self.level)}
        found = []
        for t, (a, b) in ((t, pair) for t in range(len(names)) for pair in pairs):
            apart = drawn[a, t] - drawn[b, t]
            interval = difference(float(exact[a, t] - exact[b, t]), apart, rows[t], self.level)
            found.append((names[t], metrics[t], self.models[a], self.models[b], interval, p_value(apart, rows[t])))
        corrected = holm(np.asarray([p for *_, p in found], dtype=np.float64))
        tests = int((~np.isnan(corrected)).sum())
        differences = tuple(
            Difference(
                name, m.name, a, b, interval, p, float(c), *_verdict(m, a, b, interval, p, float(c), tests)
            )
            for (name, m, a, b, interval, p), c in zip(found, corrected, strict=True)
        )  # fmt: skip
        return values, differences

    def _beside(self, y: np.ndarray, predicted: np.ndarray, values: dict[str, Scores]) -> None:
        """Add the metrics that are shown beside the deciding one."""
        further = [shown(t.kind, m.name)[1:] for t, m in zip(self.targets, self.deciding.values(), strict=True)]
        n = min(_FEWER, self.resamples)
        drawn: dict[tuple[int, int, str], list[np.ndarray]] = {}
        for counts in draw(len(y), n, self.seed):
            for t, k in np.ndindex(len(self.targets), len(self.models)):
                for other in further[t]:
                    found = scores_of(other, y[:, t], predicted[k, :, t], counts)
                    drawn.setdefault((k, t, other.name), []).append(found)
        for (k, t, name), parts in drawn.items():
            exact = metric(name)(y[:, t], predicted[k, :, t])
            interval = percentiles(exact, np.concatenate(parts), self.level)
            values[self.models[k]][self.targets[t].name][name] = interval


def _verdict(m: Metric, a: str, b: str, interval: Interval, p: float, corrected: float, tests: int) -> tuple[str, str]:
    """(the better model or "", in words)."""
    alpha = 1 - interval.level
    if np.isnan(p):
        return "", f"too few rows to tell {a} from {b}"
    if corrected <= alpha:
        better, worse = (a, b) if m.better(interval.value, 0.0) else (b, a)
        return better, f"{better} is better than {worse}"
    if p <= alpha:
        return "", f"no detectable difference between {a} and {b} once corrected for {tests} comparisons"
    return "", f"no detectable difference between {a} and {b}"


def _letters(comparison: Comparison) -> dict[str, dict[str, str]]:
    """Target -> model -> letters; no letters where too few rows leave some comparison open."""
    place = {m: i for i, m in enumerate(comparison.models)}
    found = {}
    for target in comparison.deciding:
        if any(np.isnan(d.p) for d in comparison.differences if d.target == target):
            found[target] = dict.fromkeys(comparison.models, "")
            continue
        differ = np.zeros((len(place), len(place)), dtype=bool)
        for d in comparison.differences:
            if d.target == target and d.better:
                differ[place[d.a], place[d.b]] = differ[place[d.b], place[d.a]] = True
        order = [place[m] for m in comparison.best_first(target)]
        found[target] = dict(zip(comparison.models, letters(differ, order), strict=True))
    return found


def _why(known: np.ndarray, missing: Mapping[str, np.ndarray], differing: np.ndarray, trained: np.ndarray) -> list[str]:
    """Why each row is not compared; "" where it is."""
    out = np.full(len(known), "", dtype=object)
    out[trained] = "a model was trained on it"
    unpredicted = np.any(list(missing.values()), axis=0)
    for i in np.flatnonzero(unpredicted):
        out[i] = "no prediction of " + ", ".join(m for m, rows in missing.items() if rows[i])
    out[differing] = "the models hold other values"
    out[~known] = "no measured value"
    return [str(reason) for reason in out]


def _said(made: Comparison) -> list[str]:
    """Sentences on the rows."""
    sentences = []
    for target, counted in made.counts.items():
        lead = f"{target}: " if len(made.targets) > 1 else ""
        sentences.append(f"{lead}{counted.compared:,} of {counted.measured:,} measured rows compared")
        for model, n in counted.unpredicted.items():
            if n:
                sentences.append(f"{lead}{n:,} rows that {model} does not predict are left out for all")
        if counted.disagreeing:
            sentences.append(f"{lead}{counted.disagreeing:,} rows left out: the models hold other measured values")
        if counted.left_out_trained:
            sentences.append(f"{lead}{counted.left_out_trained:,} rows left out: a model was trained on them")
        for model, seen in counted.trained.items():
            if seen is None:
                sentences.append(f"{lead}{model} does not remember its training rows; some may be among these")
            elif seen:
                sentences.append(f"{lead}{model} was trained on {seen:,} of these rows, which flatters it")
    if made.rejected:
        sentences.append(f"{len(made.rejected):,} measured values could not be read, e.g. {made.rejected[0]}")
    return sentences
