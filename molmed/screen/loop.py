"""A library through a model, chunk by chunk: one output row per input row, and the best rows."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from molmed.data.table import Table
from molmed.data.write import open_sink, write
from molmed.errors import InputError, UnknownNameError
from molmed.experiment.load import load
from molmed.experiment.predict import CHUNK_ROWS, columns, predict
from molmed.experiment.predictor import Predictor
from molmed.experiment.run import Run


@dataclass(frozen=True)
class Screened:
    """What came out of a screen.

    Args:
        top: the best rows, best first: `rank`, `library`, then the columns of a prediction.
        target: the one they are ranked by.
        counts: (status, reason) -> rows; together every row of the libraries.
        seconds: wall time.
        folder: where `predictions.parquet`, `top.parquet` and `summary.json` stand; None if nowhere.
    """

    top: pd.DataFrame
    target: str
    counts: dict[tuple[str, str], int]
    seconds: float
    folder: Path | None

    @property
    def rows(self) -> int:
        """Rows of the libraries."""
        return sum(self.counts.values())


def screen(
    libraries: Table | Sequence[Path],
    model: Run | str | Path,
    *,
    top: int = 1000,
    out: str | Path | None = None,
    target: str = "",
    lowest: bool = False,
    smiles: str = "",
    id: str = "",
    trust: bool = True,
    chunk_rows: int = CHUNK_ROWS,
    jobs: int = 1,
    device: str = "",
    watch: Callable[[int, float], None] | None = None,
) -> Screened:
    """Predict every row of one library or several and keep the best.

    Args:
        libraries: a table (path, data frame, dict of columns, list of SMILES), or a sequence of `Path`s.
        model: a run, or the folder of one.
        top: how many of the best rows are kept; equal values are ranked in the order of the rows.
        out: folder for `predictions.parquet` (every row, in order), `top.parquet` and `summary.json`.
        target: to rank by; the model's first unless given.
        lowest: whether the lowest values are the best.
        smiles, id: columns, where the guess would be wrong.
        trust: whether intervals, the domain and the nearest measured neighbours are wanted.
        chunk_rows: rows worked on at a time.
        jobs: processes that share the chunks; 0 = one for each core. What comes out does not depend on it.
        device: where a network predicts: "cpu", "cuda" or "auto" (CUDA where there is a device); "" = where it is.
        watch: told after each chunk its rows, and the share of the libraries done with it (nan: not known).

    Raises:
        InputError: a library cannot be read, or `top` is below 1.
        UnknownNameError: no such target.
        ArtefactError: the model cannot be loaded.
        ConfigError: device "cuda" where there is no CUDA device.
    """
    began = time.perf_counter()
    if top < 1:
        raise InputError("screening", f"top {top}", "1 or more")
    predictor = (model if isinstance(model, Run) else load(model)).predictor
    if device:
        predictor.model.set_device(device)
    ranked_by = _target(predictor, target)
    best = pd.DataFrame()
    counts: dict[tuple[str, str], int] = {}
    made = {"library": "object"} | columns(predictor, trust=trust)
    folder = None if out is None else Path(out)
    with open_sink(folder / "predictions.parquet", made) if folder is not None else nullcontext() as sink:
        for frame in _chunks(predictor, libraries, smiles, id, trust, chunk_rows, jobs, watch):
            if sink is not None:
                sink.write(frame)
            _count(frame, counts)
            best = _best(frame, best, ranked_by, lowest, top)
    best.insert(0, "rank", range(1, len(best) + 1))
    done = Screened(best, ranked_by, counts, time.perf_counter() - began, folder)
    if folder is not None:
        write(folder / "top.parquet", best)
        (folder / "summary.json").write_text(json.dumps(_summary(done), indent=2) + "\n", encoding="utf-8")
    return done


def _chunks(
    predictor: Predictor,
    libraries: Table | Sequence[Path],
    smiles: str,
    id: str,
    trust: bool,
    chunk_rows: int,
    jobs: int,
    watch: Callable[[int, float], None] | None,
) -> Iterator[pd.DataFrame]:
    each = _each(libraries)
    sizes = _sizes(each)
    for number, library in enumerate(each):
        told = (
            None if watch is None else partial(_told, watch, math.fsum(sizes[:number]), sizes[number], math.fsum(sizes))
        )
        name = str(library) if isinstance(library, str | Path) else ""
        for frame in predict(
            predictor, library, smiles=smiles, id=id, trust=trust, chunk_rows=chunk_rows, jobs=jobs, watch=told
        ):
            frame.insert(0, "library", name)
            yield frame


def _told(watch: Callable[[int, float], None], before: float, own: float, whole: float, rows: int, done: float) -> None:
    watch(rows, (before + own * done) / whole)


def _sizes(libraries: Sequence[Table]) -> list[float]:
    """How much work each library is compared with the others; nan where several are not all files."""
    if len(libraries) == 1:
        return [1.0]
    files = [Path(x) for x in libraries if isinstance(x, str | Path) and Path(x).is_file()]
    return (
        [max(float(f.stat().st_size), 1.0) for f in files]
        if len(files) == len(libraries)
        else [math.nan] * len(libraries)
    )


def _each(libraries: Table | Sequence[Path]) -> Sequence[Table]:
    if isinstance(libraries, Sequence) and not isinstance(libraries, str):
        paths = [p for p in libraries if isinstance(p, Path)]
        if paths and len(paths) == len(libraries):
            return paths
    return [libraries]


def _count(frame: pd.DataFrame, counts: dict[tuple[str, str], int]) -> None:
    for pair, n in Counter(zip(frame["status"], frame["reason"], strict=True)).items():
        counts[pair] = counts.get(pair, 0) + n


def _best(frame: pd.DataFrame, best: pd.DataFrame, target: str, lowest: bool, top: int) -> pd.DataFrame:
    """The best rows so far with this chunk's."""
    predicted = frame[frame[target].notna()]
    joined = pd.concat([best, predicted]) if len(best) else predicted
    # stable: equal values keep the order of the rows
    return joined.sort_values(target, ascending=lowest, kind="stable", ignore_index=True).head(top)


def _target(predictor: Predictor, name: str) -> str:
    names = [t.name for t in predictor.targets]
    if name and name not in names:
        raise UnknownNameError("ranking a screen", name, names)
    return name or names[0]


def _summary(done: Screened) -> dict[str, object]:
    return {
        "rows": done.rows,
        "ranked_by": done.target,
        "counts": [{"status": s, "reason": r, "rows": n} for (s, r), n in sorted(done.counts.items())],
        "seconds": round(done.seconds, 2),
        "rows_per_second": round(done.rows / done.seconds, 1),
    }
