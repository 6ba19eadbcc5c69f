"""The corridor: file -> data -> chem -> features -> network or trees -> trust -> table."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

import numpy as np
import pandas as pd

from molmed.data.cells import is_missing
from molmed.data.columns import named
from molmed.data.sources import Chunk
from molmed.data.table import Table, chunks, column_names
from molmed.errors import InputError
from molmed.experiment.config import DataConfig
from molmed.experiment.predictor import Predictor
from molmed.experiment.rows import Layout, Prepared, lay_out, prepare, repeated
from molmed.experiment.workers import ordered

CHUNK_ROWS = 2_000
"""Rows worked on at a time: many enough for the overhead of a chunk (2 ms) not to count, few enough to share out."""


def predict(
    predictor: Predictor,
    table: Table,
    *,
    smiles: str = "",
    id: str = "",
    keep: Sequence[str] = (),
    trust: bool = True,
    chunk_rows: int = CHUNK_ROWS,
    jobs: int = 1,
    watch: Callable[[int, float], None] | None = None,
) -> Iterator[pd.DataFrame]:
    """One data frame per chunk of the table, one row per input row, in order; `columns` says what is in it.

    Args:
        table: a path, a data frame, a dict of columns, or a list of SMILES.
        smiles, id: columns, where the guess would be wrong.
        keep: input columns that come out as `in_<name>`, as text.
        trust: whether the intervals, the domain and the nearest neighbours are wanted.
        chunk_rows: rows worked on at a time; the values do not depend on it but for rounding.
        jobs: processes that share the chunks; 0 = one for each core. What comes out does not depend on it.
        watch: told for each chunk its rows and the share of the table done with it (nan: not known).

    Raises:
        InputError: the file cannot be read, or a column is not there.
    """
    work = Work(predictor, layout_of(predictor, table, smiles, id, keep), tuple(keep), trust)
    seen: set[str] = set()
    shares: deque[float] = deque()  # of the chunks that were read and are not yet predicted
    pieces = _pieces(table, chunk_rows, work.layout, seen, shares)
    first = list(islice(pieces, 2))
    jobs = (jobs or os.cpu_count() or 1) if predictor.model.device == "cpu" else 1  # a fork cannot use CUDA
    shared = jobs > 1 and len(first) > 1
    whole = chain(first, pieces)
    for frame in ordered(work, whole, jobs) if shared else map(work, whole):
        share = shares.popleft()
        if watch is not None:
            watch(len(frame), share)
        yield frame


def _pieces(
    table: Table, chunk_rows: int, layout: Layout, seen: set[str], shares: deque[float]
) -> Iterator[tuple[Chunk, Sequence[int]]]:
    """Each chunk with the positions of rows whose id an earlier row has; what share is read goes into `shares`."""
    for chunk in chunks(table, chunk_rows):
        shares.append(chunk.done)
        yield chunk, repeated(chunk, layout, seen)


@dataclass(frozen=True)
class Work:
    """What is done with each chunk: read, featurise, predict, and lay the table. A pure function of the chunk."""

    predictor: Predictor
    layout: Layout
    keep: tuple[str, ...]
    trust: bool

    def __call__(self, piece: tuple[Chunk, Sequence[int]]) -> pd.DataFrame:
        """The predictions of a chunk; with it come the positions of rows whose id an earlier row has."""
        chunk, repeats = piece
        model = self.predictor.model
        part = prepare(chunk, self.layout, repeats, model.reading())
        if part.packed is None:
            packs, faults = model.featurise(part.items)
            part.reject(list(part.ok), faults)
        else:
            packs = {name: [part.packed] for name in part.items}
        values = model.predict_members_packed(packs)
        return _table(self.predictor, chunk, part, values, self.keep, columns(self.predictor, self.keep, self.trust))


def predict_all(
    predictor: Predictor, table: Table, *, smiles: str = "", id: str = "", keep: Sequence[str] = ()
) -> pd.DataFrame:
    """The predictions of a whole table in one data frame.

    Raises:
        InputError: see `predict`.
    """
    parts = list(predict(predictor, table, smiles=smiles, id=id, keep=keep))
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns(predictor, keep).items()})
    return pd.concat(parts, ignore_index=True) if parts else empty


def layout_of(predictor: Predictor, table: Table, smiles: str = "", id: str = "", keep: Sequence[str] = ()) -> Layout:
    """Which column of a new table is what: those of the training file where they are there, else by guess.

    Raises:
        InputError: a column is not there.
    """
    names = column_names(table)
    for column in keep:
        named(column, names, "keeping a column")
    for slot in predictor.slots:
        lacking = [c for c in slot.columns if c not in names] if slot.subject == "columns" else []
        if lacking:
            more = f" and {len(lacking) - 1} more of the model's" if len(lacking) > 1 else ""
            accepted = f"the columns of the table it was trained on, {', '.join(slot.columns[:5])}"
            accepted += f" and {len(slot.columns) - 5} more" if len(slot.columns) > 5 else ""
            raise InputError(
                f"predicting with a model of the columns of a {slot.name}", f"no column {lacking[0]!r}{more}", accepted
            )
    slots = [
        replace(s, columns=()) if s.subject == "molecule" and (smiles or s.columns[0] not in names) else s
        for s in predictor.slots
    ]
    config = DataConfig(smiles=smiles, id=id, standardise=predictor.standardise)
    return lay_out(table, slots, config)


def columns(predictor: Predictor, keep: Sequence[str] = (), trust: bool = True) -> dict[str, str]:
    """Every column of a prediction, in order, with its pandas dtype.

    `row id smiles status reason`; per target its value (regression: in its unit; binary: the probability of
    class 1, with `<t>_class`), and of an ensemble `<t>_spread`; per target `<t>_low <t>_high` or the label set
    `<t>_set`; `domain`; per target `<t>_nearest_id <t>_nearest_similarity <t>_nearest_value`; `parent` (the
    standardised structure, where it is another one than given); `detail` (a sentence on the reason); the kept
    columns as `in_<name>`. What the artefact does not hold is left out.
    """
    structure = predictor.structure
    found = {"row": "int64", "id": "object"} | ({"smiles": "object"} if structure else {})
    found |= {"status": "object", "reason": "object"}
    for target in predictor.targets:
        found[target.name] = "float64"
        if target.kind == "binary":
            found[f"{target.name}_class"] = "Int64"
        if predictor.model.n_members > 1:
            found[f"{target.name}_spread"] = "float64"
    if trust:
        found |= predictor.calibration.dtypes()
        if predictor.domain is not None:
            found |= predictor.domain.dtypes(predictor.targets)
    return (
        found | ({"parent": "object"} if structure else {}) | {"detail": "object"} | {f"in_{c}": "object" for c in keep}
    )


def _table(
    predictor: Predictor, chunk: Chunk, part: Prepared, values: np.ndarray, keep: Sequence[str], wanted: dict[str, str]
) -> pd.DataFrame:
    n, ok = chunk.n, np.asarray(part.ok, dtype=np.int64)
    made: dict[str, object] = {
        "row": part.rows,
        "id": part.ids,
        "smiles": part.given,
        "status": [str(s) for s in part.status],
        "reason": [str(r) for r in part.reason],
        "parent": part.parent,
        "detail": part.detail,
    }
    made |= {f"in_{c}": ["" if is_missing(cell) else str(cell) for cell in chunk.columns[c]] for c in keep}
    good: dict[str, np.ndarray] = predictor.calibration.apply_members(values)
    if "domain" in wanted and predictor.domain is not None and predictor.structure is not None:
        good |= predictor.domain.apply(part.items[predictor.structure.name], predictor.targets)
    for name, kind in wanted.items():
        if name not in made:
            made[name] = _spread(good[name], ok, n, kind)
    return pd.DataFrame({name: made[name] for name in wanted})


def _spread(values: np.ndarray, ok: np.ndarray, n: int, kind: str) -> pd.Series:
    """Values of the good rows in a column of all rows; the others are empty."""
    if kind == "object":
        texts = np.full(n, "", dtype=object)
        texts[ok] = values
        return pd.Series(texts, dtype=object)
    numbers = np.full(n, np.nan)
    numbers[ok] = values
    return pd.Series(numbers).astype("Int64" if kind == "Int64" else "float64")
