"""The rows of one or two tables as an audit needs them: numbers in place of structures, so that they compare fast."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int64, UInt8

from molmed.results import Fault

Kind = Literal["numbers", "classes"]

MAX_NEAR = 200_000
"""Different structures up to which nearly equal ones are looked for (20 s a hundred thousand). Chosen."""

RADIUS, N_BITS = 2, 2048
"""Morgan fingerprints of radius 2 (ECFP4), 2048 bits: the field's usual choice for similarity."""


@dataclass(frozen=True, eq=False)
class Values:
    """One target.

    Args:
        kind: numbers, or classes: 0 and 1, or the position of a text among `classes`.
        values: one a row, nan = unknown.
        classes: names of the classes, where they are texts.
        limits: rows whose value is a limit (">10", or a column of relations says so), so not known; row -> the text.
        unread: rows whose cell is neither; row -> the text.
    """

    name: str
    kind: Kind
    values: Float[np.ndarray, " rows"]
    classes: tuple[str, ...] = ()
    limits: Mapping[int, str] = field(default_factory=dict)
    unread: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def decades(self) -> bool:
        """Whether the numbers are positive and spread over so many powers of ten that their logarithms are meant."""
        known = self.values[~np.isnan(self.values)]
        if self.kind != "numbers" or len(known) < 10 or known.min() <= 0 or known.max() < 300 * known.min():
            return False
        # the logarithms must be the less skewed ones: a percentage from 0.1 to 100 is no such thing
        return abs(_skew(np.log10(known))) < abs(_skew(known))

    @cached_property
    def scaled(self) -> Float[np.ndarray, " rows"]:
        """The values on the scale on which distances mean most: as they are, or their decadic logarithms."""
        if not self.decades:
            return self.values
        return np.log10(self.values, where=~np.isnan(self.values), out=np.full(len(self.values), np.nan))

    @cached_property
    def deviation(self) -> float:
        """Standard deviation of the known values on that scale; 0 without any."""
        known = self.scaled[~np.isnan(self.scaled)]
        return float(known.std()) if len(known) else 0.0

    @property
    def where(self) -> str:
        """The scale in words, in front of which a blank stands; "" for the values as they are."""
        return " of its log10" if self.decades else ""

    def text(self, row: int) -> str:
        """The value of a row as a reader wants it."""
        value = self.values[row]
        if np.isnan(value):
            return self.limits.get(row, self.unread.get(row, ""))
        if self.classes:
            return self.classes[int(value)]
        return f"{value:.0f}" if self.kind == "classes" else f"{value:.6g}"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of the file, then those of the other file, if there is one. A row is called by its position here.

    Args:
        names: of the files.
        file: 0 or 1 for each row.
        row: its number in its file (0-based, header not counted).
        ids: as given, "" = none.
        given: the structure cell as text; in a table without structures all its other cells.
        text: number of `given`, equal for equal texts; -1 for an empty one.
        structure: number of its standardised structure, -1 = none.
        parents: SMILES of each structure.
        skeleton: of each structure, the number of the same one without stereo.
        bits: fingerprint of each skeleton; empty where there are too many.
        scaffold: of each skeleton, the number of its Murcko scaffold, -1 = acyclic; empty where not asked for.
        faults: rows that cannot be read -> why.
        stripped: rows that lost counter-ions or solvent -> what.
        large: rows with a very large molecule.
        targets: what is measured.
        folds: fold of each row as text, "" = none; empty without folds.
        units: unit of each row as text, where a column says so.
        cells: column -> its cells, for the columns that are checked themselves.
        molecules: whether there are structures at all.
    """

    names: tuple[str, ...]
    file: Int64[np.ndarray, " rows"]
    row: Int64[np.ndarray, " rows"]
    ids: list[str]
    given: list[str]
    text: Int64[np.ndarray, " rows"]
    structure: Int64[np.ndarray, " rows"]
    parents: list[str]
    skeleton: Int64[np.ndarray, " structures"]
    bits: UInt8[np.ndarray, "compared bytes"]
    scaffold: Int64[np.ndarray, " parted"]
    faults: dict[int, Fault]
    stripped: dict[int, str]
    large: list[int]
    targets: tuple[Values, ...]
    folds: list[str]
    units: list[str]
    cells: dict[str, list[object]]
    molecules: bool

    def __len__(self) -> int:
        return len(self.row)

    @property
    def of_skeleton(self) -> Int64[np.ndarray, " rows"]:
        """The skeleton of each row, -1 = none."""
        found = np.full(len(self), -1, dtype=np.int64)
        known = self.structure >= 0
        found[known] = self.skeleton[self.structure[known]]
        return found

    def address(self, row: int) -> str:
        """Where a row stands, in words: "row 17" or "row 17 of test.csv", with its id."""
        where = f"row {self.row[row]}" + (f" of {self.names[self.file[row]]}" if len(self.names) > 1 else "")
        return where + (f" ({self.ids[row]})" if self.ids[row] else "")

    def frame(self, rows: Int64[np.ndarray, " some"]) -> pd.DataFrame:
        """Some rows as a table: file, row, id, smiles (as given), parent, fold, and the value of each target."""
        positions = rows.tolist()
        columns: dict[str, Any] = {
            "file": [self.names[self.file[r]] for r in positions],
            "row": self.row[rows],
            "id": [self.ids[r] for r in positions],
        }
        if self.molecules:
            columns["smiles"] = [self.given[r] for r in positions]
            columns["parent"] = [self.parents[s] if s >= 0 else "" for s in self.structure[rows].tolist()]
        if self.folds:
            columns["fold"] = [self.folds[r] for r in positions]
        columns |= {f"value_{t.name}": [t.text(r) for r in positions] for t in self.targets}
        return pd.DataFrame(columns)

    def summary(self) -> list[dict[str, Any]]:
        """Per file: its name, rows, rows with a readable structure, different structures."""
        found = []
        for number, name in enumerate(self.names):
            own = self.structure[self.file == number]
            read = own[own >= 0]
            counts: dict[str, Any] = {"name": name, "rows": len(own)}
            if self.molecules:
                counts |= {"readable": len(read), "structures": len(np.unique(read))}
            found.append(counts)
        return found


def _skew(values: Float[np.ndarray, " known"]) -> float:
    """Kelly's skewness: where the median lies between the first and the last decile; 0 = in the middle."""
    low, middle, high = np.quantile(values, [0.1, 0.5, 0.9])
    return float((high + low - 2 * middle) / (high - low)) if high > low else 0.0


def ordered(codes: Int64[np.ndarray, " rows"], among: Bool[np.ndarray, " rows"]) -> list[np.ndarray]:
    """The positions of the rows of each code that has more than one among these, in the order of the rows."""
    rows = np.flatnonzero(among)
    rows = rows[np.argsort(codes[rows], kind="stable")]
    edges = np.concatenate([[0], np.flatnonzero(np.diff(codes[rows])) + 1, [len(rows)]])
    several = np.flatnonzero(np.diff(edges) > 1).tolist()
    return sorted((rows[edges[i] : edges[i + 1]] for i in several), key=lambda g: int(g[0]))
