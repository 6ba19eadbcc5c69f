"""The corridor: file -> data -> chem -> features -> network or trees -> trust -> table."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from molmed.data.cells import is_missing
from molmed.data.columns import named
from molmed.data.sources import Chunk
from molmed.data.table import Table, chunks, column_names
from molmed.experiment.config import DataConfig
from molmed.experiment.predictor import Predictor
from molmed.experiment.rows import Layout, Prepared, lay_out, prepare


def predict(
    predictor: Predictor,
    table: Table,
    *,
    smiles: str = "",
    id: str = "",
    keep: Sequence[str] = (),
    trust: bool = True,
    chunk_rows: int = 10_000,
) -> Iterator[pd.DataFrame]:
    """One data frame per chunk of the table, one row per input row, in order; `columns` says what is in it.

    Args:
        table: a path, a data frame, a dict of columns, or a list of SMILES.
        smiles, id: columns, where the guess would be wrong.
        keep: input columns that come out as `in_<name>`, as text.
        trust: whether the intervals, the domain and the nearest neighbours are wanted.
        chunk_rows: rows held in memory at a time; the values do not depend on it but for float32 rounding.

    Raises:
        InputError: the file cannot be read, or a column is not there.
    """
    layout = layout_of(predictor, table, smiles, id, keep)
    wanted = columns(predictor, keep, trust)
    seen: set[str] = set()
    for chunk in chunks(table, chunk_rows):
        part = prepare(chunk, layout, seen)
        packs, faults = predictor.model.featurise(part.items)
        part.reject(list(part.ok), faults)
        values = predictor.model.predict_packed(packs)
        yield _table(predictor, chunk, part, values, keep, wanted)


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
    slots = [
        replace(s, columns=()) if s.subject == "molecule" and (smiles or s.columns[0] not in names) else s
        for s in predictor.slots
    ]
    config = DataConfig(smiles=smiles, id=id, standardise=predictor.standardise)
    return lay_out(table, slots, config)


def columns(predictor: Predictor, keep: Sequence[str] = (), trust: bool = True) -> dict[str, str]:
    """Every column of a prediction, in order, with its pandas dtype.

    `row id smiles status reason`; per target its value (regression: in its unit; binary: the probability of
    class 1, with `<t>_class`); per target `<t>_low <t>_high` or the label set `<t>_set`; `domain`; per target
    `<t>_nearest_id <t>_nearest_similarity <t>_nearest_value`; `parent` (the standardised structure, where it is
    another one than given); `detail` (a sentence on the reason); the kept columns as `in_<name>`. What the
    artefact does not hold is left out.
    """
    structure = predictor.structure
    found = {"row": "int64", "id": "object"} | ({"smiles": "object"} if structure else {})
    found |= {"status": "object", "reason": "object"}
    for target in predictor.targets:
        found[target.name] = "float64"
        if target.kind == "binary":
            found[f"{target.name}_class"] = "Int64"
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
    good: dict[str, np.ndarray] = predictor.calibration.apply(values)
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
