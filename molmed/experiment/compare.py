"""Several models on the same rows: which is better than which, and where no difference can be detected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from molmed.data.table import Table
from molmed.errors import InputError, UnknownNameError
from molmed.experiment.comparison import MEAN, Comparison, Counted, Difference
from molmed.experiment.evaluate import Measured, measure, trained_on
from molmed.experiment.run import Run
from molmed.experiment.scores import Scores
from molmed.metrics import Metric, metric, shown
from molmed.metrics.paired import UNDEFINED, difference, holm, letters, p_value, resamples_needed
from molmed.metrics.resample import resamples as draw
from molmed.metrics.resample import scores as scores_of
from molmed.results import Interval
from molmed.targets import Target

Part = Literal["out_of_fold", "test"]

RESAMPLES = 10_000
"""Rounds 2 / (resamples + 1) = 0.0002, the smallest p-value, far enough down for 60 comparisons. Chosen."""

_FEWER = 1_000
"""Resamples for the intervals of the scores that are shown beside the deciding one; as in `molmed.metrics.interval`."""

_ASKED = "comparing models"


def compare(
    runs: Mapping[str, Run],
    table: Table,
    *,
    targets: Sequence[str] = (),
    smiles: str = "",
    id: str = "",
    metric: str = "",
    against: str = "",
    leave_out_trained: bool = False,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Predict the rows of a table of measured values by every model, and compare them on the rows all can predict.

    Args:
        runs: name -> model; at least two, with a target in common. What is compared are the targets all have.
        targets: columns of the measured values, one for each common target in the first model's order; empty = the
            same names.
        metric: what they are compared by; empty = that of the first model's task.
        against: one of the names: compare every other model with it only. Fewer comparisons detect more.
        leave_out_trained: leave out, for all, the rows whose structure some model was trained on.
        level: of the intervals; see `Comparison`.

    Raises:
        InputError: fewer than two models, no common target, a column that is not there, or no row to compare.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    common = _common(runs, metric, against)
    if targets and len(targets) != len(common):
        came = f"{len(targets)} target columns"
        raise InputError(_ASKED, came, f"{len(common)}, one for each of {', '.join(t.name for t in common)}")
    columns = tuple(targets) or tuple(t.name for t in common)
    found = {n: measure(r, table, common, columns, smiles=smiles, id=id, asked=_ASKED) for n, r in runs.items()}
    first = next(iter(found.values()))
    y = first.y
    predicted = np.stack([m.predicted for m in found.values()])
    trained = _trained(runs, found, (~np.isnan(y)).any(axis=1) & ~np.isnan(predicted).all(axis=(0, 2)))
    frame = first.predictions
    rows = frame[["row", "id", *(["smiles"] if "smiles" in frame else [])]].copy()
    rejected = tuple(f"row {r.row} ({r.id}): {r.detail}" for r in first.rejected)
    name = metric or next(iter(runs.values())).task.metric
    settings = _Settings(tuple(runs), common, _deciding(name, common, bool(metric)), against, level, resamples, seed)
    return settings.compared(rows, y, predicted, trained, leave_out_trained, rejected=rejected)


def compare_stored(
    runs: Mapping[str, Run],
    *,
    part: Part = "out_of_fold",
    metric: str = "",
    against: str = "",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare models by the predictions they were stored with: of rows that they had not seen when they made them.

    The rows that all models hold are compared: the same structures (or, without structures, the same rows of the same
    data). Out-of-fold predictions are compared only where the folds are the same, since each fold's model learnt from
    the others. Rows for which the models hold other measured values are left out and counted.

    Raises:
        InputError: fewer than two models, no common target, a model without such predictions, no common rows, or
            other folds.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    common = _common(runs, metric, against)
    frames = {name: _stored(name, run, part) for name, run in runs.items()}
    names = [t.name for t in common]
    rows, chosen = _joined(runs, frames)
    _refuse_other_folds({name: frames[name]["fold"].to_numpy()[chosen[name]] for name in runs})
    y_of = [frames[n][[f"{t}_measured" for t in names]].to_numpy(dtype=np.float64)[chosen[n]] for n in runs]
    predicted = np.stack([frames[n][names].to_numpy(dtype=np.float64)[chosen[n]] for n in runs])
    disagree = np.zeros(y_of[0].shape, dtype=bool)
    for other in y_of[1:]:
        disagree |= ~np.isclose(y_of[0], other, rtol=1e-9, atol=0, equal_nan=True)
    name = metric or next(iter(runs.values())).task.metric
    settings = _Settings(tuple(runs), common, _deciding(name, common, bool(metric)), against, level, resamples, seed)
    nobody: list[np.ndarray | None] = [np.zeros(len(rows), dtype=bool)] * len(runs)
    sizes = {name: len(frame) for name, frame in frames.items()}
    said = [f"{name}: {n - len(rows):,} of its {n:,} rows are not in all models" for name, n in sizes.items()]
    said = [s for s, n in zip(said, sizes.values(), strict=True) if n > len(rows)]
    made = settings.compared(rows, y_of[0], predicted, nobody, False, disagree)
    return replace(made, part=part, said=(*said, *made.said))


def compare_predictions(
    predictions: Mapping[str, Float[np.ndarray, "own_rows own_targets"]],
    measured: Float[np.ndarray, "rows targets"],
    targets: Sequence[Target],
    *,
    metric: str,
    against: str = "",
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
    beside: bool = True,
) -> Comparison:
    """Compare predictions of the same rows wherever they come from, such as another package's; nan = unknown.

    Args:
        beside: whether the metrics that are usually shown beside the deciding one are scored as well.

    Raises:
        InputError: fewer than two models, arrays of other shapes, or no row to compare.
        UnknownNameError: no such metric, or no such model to compare with.
    """
    _refuse_wrong_names(predictions, metric, against)
    shapes = {name: values.shape for name, values in predictions.items()} | {"measured": measured.shape}
    if set(shapes.values()) != {(len(measured), len(targets))}:
        raise InputError(_ASKED, f"arrays of the shapes {shapes}", "one row per row, one column per target, in each")
    rows = pd.DataFrame({"row": np.arange(len(measured)), "id": [str(i) for i in range(len(measured))]})
    deciding = _deciding(metric, targets, named=True)
    settings = _Settings(tuple(predictions), tuple(targets), deciding, against, level, resamples, seed, beside)
    nobody: list[np.ndarray | None] = [np.zeros(len(rows), dtype=bool)] * len(predictions)
    return settings.compared(rows, measured, np.stack(list(predictions.values())), nobody, False)


@dataclass(frozen=True)
class _Settings:
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
            raise InputError(_ASKED, came, "at least one")
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
            by_metric = {metrics[t].name: _interval(float(exact[k, t]), drawn[k, t], self.level)}
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
                values[model][MEAN] = {mean: _interval(float(exact[k, -1]), drawn[k, -1], self.level)}
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
            interval = _interval(exact, np.concatenate(parts), self.level)
            values[self.models[k]][self.targets[t].name][name] = interval


def _refuse_wrong_names(models: Mapping[str, object], name: str, against: str) -> None:
    if len(models) < 2:
        raise InputError(_ASKED, "one model" if models else "no model", "at least two")
    if name:
        metric(name)
    if against and against not in models:
        raise UnknownNameError("choosing the model that others are compared with", against, models)


def _common(runs: Mapping[str, Run], name: str, against: str) -> tuple[Target, ...]:
    """The targets that all models have, in the order of the first."""
    _refuse_wrong_names(runs, name, against)
    kinds = {n: {t.name: t.kind for t in run.targets} for n, run in runs.items()}
    first = next(iter(runs.values()))
    found = tuple(t for t in first.targets if all(k.get(t.name) == t.kind for k in kinds.values()))
    if not found:
        came = "; ".join(f"{n} predicts {', '.join(k)}" for n, k in kinds.items())
        raise InputError(_ASKED, came, "models with a target in common", "compare models of one task")
    return found


def _deciding(name: str, targets: Sequence[Target], named: bool) -> dict[str, Metric]:
    """Target -> the metric of that name, or where it does not fit the target's kind the usual one.

    Args:
        named: whether the user asked for it; then it must fit some target.
    """
    wanted = metric(name)
    if named and all(wanted.kind != t.kind for t in targets):
        kinds = ", ".join(sorted({t.kind for t in targets}))
        raise InputError(f"comparing models by {name}", f"targets of kind {kinds}", f"a target of kind {wanted.kind}")
    return {t.name: wanted if wanted.kind == t.kind else _usual(t) for t in targets}


def _usual(target: Target) -> Metric:
    first = {"regression": "rmse", "binary": "auroc"}.get(target.kind)
    if first is None:
        raise InputError(_ASKED, f"{target.name!r} of kind {target.kind}", "targets of kind regression or binary")
    return metric(first)


def _trained(
    runs: Mapping[str, Run], found: Mapping[str, Measured], among: Bool[np.ndarray, " rows"]
) -> list[np.ndarray | None]:
    """Per model which rows it was trained on; None where it does not remember its training rows."""
    read_before: dict[str, str] = {}
    return [
        None if run.predictor.domain is None else trained_on(run, found[name].predictions, among, read_before)
        for name, run in runs.items()
    ]


def _stored(name: str, run: Run, part: Part) -> pd.DataFrame:
    frame = run.predictions
    own = frame[frame["part"] == part] if len(frame) else frame
    if len(own) == 0:
        kinds = part.replace("_", "-")
        remedy = "train it with --cv 5" if part == "out_of_fold" else "train it with a test part"
        raise InputError(f"comparing stored {kinds} predictions", f"none in {name}", "models that hold some", remedy)
    return own.reset_index(drop=True)


def _joined(runs: Mapping[str, Run], frames: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """(row, id and structure of the common rows, their positions in each model's frame)."""
    first = next(iter(frames.values()))
    by_structure = all("smiles" in f and f["smiles"].is_unique for f in frames.values())
    hashes = {str(run.facts.get("data_sha256")) for run in runs.values()}
    if not by_structure and len(hashes) > 1:
        raise InputError(
            "comparing stored predictions",
            "models of other data, with rows that no structure tells apart",
            "models trained on the same file",
            "compare them on a file instead",
        )
    key = "smiles" if by_structure else "row"
    place = {name: {k: i for i, k in enumerate(frame[key])} for name, frame in frames.items()}
    keys = [k for k in first[key] if all(k in p for p in place.values())]
    if not keys:
        raise InputError("comparing stored predictions", "no row that all models hold", "models of the same data")
    chosen = {name: np.asarray([p[k] for k in keys], dtype=np.int64) for name, p in place.items()}
    told = ["row", "id", *(["smiles"] if "smiles" in first else [])]
    return first[told].iloc[next(iter(chosen.values()))].reset_index(drop=True), chosen


def _refuse_other_folds(folds: Mapping[str, np.ndarray]) -> None:
    """Refuse unless the rows are parted in the same way by all models, whatever the folds are called."""
    (name, own), *others = folds.items()
    for other, theirs in others:
        pairs = set(zip(own.tolist(), theirs.tolist(), strict=True))
        if len(pairs) > len(set(own.tolist())) or len(pairs) > len(set(theirs.tolist())):
            raise InputError(
                "comparing out-of-fold predictions",
                f"other folds in {other} than in {name}",
                "models trained with the same split, folds and seed on the same rows",
                "train them alike, or compare them on a file",
            )


def _interval(value: float, drawn: np.ndarray, level: float) -> Interval:
    known = drawn[~np.isnan(drawn)]
    if len(known) == 0 or len(known) < (1 - UNDEFINED) * len(drawn):
        return Interval(value, float("nan"), float("nan"), level)
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, float(low), float(high), level)


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
