"""Chunks of a table -> the rows of an audit: every structure read once, and called by a number from then on."""

import re
from collections.abc import Mapping, Sequence

import numpy as np

from molmed.chem import Molecule
from molmed.chem import read as read_molecule
from molmed.chem.fingerprints import morgan_bits
from molmed.chem.scaffold import murcko_of
from molmed.chem.skeleton import skeleton
from molmed.data.audit.guess import Layout
from molmed.data.audit.rows import MAX_NEAR, N_BITS, RADIUS, Rows, Values
from molmed.data.cells import is_missing, numbers
from molmed.data.labels import class_of
from molmed.data.table import Table, chunks
from molmed.results import Fault, Reason

_QUOTES = "'\" "

_CENSORED = re.compile(r"^\s*(<=|>=|<|>|≤|≥|=<|=>|~)\s*[-+]?(\d|\.\d)")


class Collector:
    """Takes rows chunk by chunk and gives numbers to what it sees."""

    def __init__(self, near: bool, scaffolds: bool) -> None:
        self.near, self.scaffolds = near, scaffolds
        self.n = 0
        self.files: list[np.ndarray] = []
        self.numbers: list[np.ndarray] = []
        self.ids: list[str] = []
        self.given: list[str] = []
        self.text: list[int] = []
        self.structure: list[int] = []
        self.folds: list[str] = []
        self.units: list[str] = []
        self.cells: dict[str, list[object]] = {}
        self.faults: dict[int, Fault] = {}
        self.stripped: dict[int, str] = {}
        self.large: list[int] = []
        self._texts: dict[str, int] = {}
        self._read_as: list[int] = []  # structure of each text; the three below only hold the texts that have some
        self._fault: dict[int, Fault] = {}
        self._stripped: dict[int, str] = {}
        self._large: set[int] = set()
        self._parents: dict[str, int] = {}
        self._skeletons: dict[str, int] = {}
        self._scaffolds: dict[str, int] = {}
        self.skeleton: list[int] = []
        self.scaffold: list[int] = []
        self.bits: list[np.ndarray] = []
        self._labels: dict[str, _Labels] = {}

    def take(self, table: Table, number: int, layout: Layout, labels: Mapping[str, str]) -> None:
        """Read a whole table.

        Args:
            number: of the file, 0 or 1.
            labels: target -> its column here, "" where it has none.
        """
        for name in labels:
            self._labels.setdefault(name, _Labels(name))
        for chunk in chunks(table):
            begin = self.n
            self.files.append(np.full(chunk.n, number, dtype=np.int64))
            self.numbers.append(np.arange(chunk.start, chunk.start + chunk.n, dtype=np.int64))
            self.faults |= {begin + r.row - chunk.start: Fault(r.step, r.reason, r.detail) for r in chunk.rejected}
            self.ids += _texts(chunk.columns.get(layout.id), chunk.n)
            self.folds += _texts(chunk.columns.get(layout.fold), chunk.n) if layout.fold else [""] * chunk.n
            self.units += _texts(chunk.columns.get(layout.units), chunk.n) if layout.units else [""] * chunk.n
            for name, cells in self._checked(chunk.columns, layout).items():
                self.cells.setdefault(name, [None] * begin).extend(cells)
            if layout.smiles:
                self._molecules(chunk.columns[layout.smiles], begin)
            else:
                self._contents(chunk.columns, layout, chunk.n)
            relations = _texts(chunk.columns.get(layout.relation), chunk.n) if layout.relation else None
            for name, column in labels.items():
                self._labels[name].take(chunk.columns.get(column, [None] * chunk.n), relations)
            self.n += chunk.n
            for cells in self.cells.values():
                cells += [None] * (self.n - len(cells))

    def _checked(self, columns: Mapping[str, list[object]], layout: Layout) -> dict[str, list[object]]:
        return {name: columns[name] for name in layout.columns if name in columns}

    def _molecules(self, cells: Sequence[object], begin: int) -> None:
        for row, cell in enumerate(cells, begin):
            given = cell.strip() if isinstance(cell, str) else "" if is_missing(cell) else str(cell)
            text = self._texts.setdefault(given, len(self._texts))
            if text == len(self._read_as):
                self._read(text, cell)
            self.given.append(given)
            self.text.append(text if given else -1)
            if row in self.faults:  # of a row that could not even be parted into cells
                self.structure.append(-1)
                continue
            self.structure.append(self._read_as[text])
            if text in self._fault:
                self.faults[row] = self._fault[text]
            if text in self._stripped:
                self.stripped[row] = self._stripped[text]
            if text in self._large:
                self.large.append(row)

    def _read(self, text: int, cell: object) -> None:
        found = read_molecule(cell)
        if isinstance(found, Fault):
            self._fault[text] = found
            self._read_as.append(-1)
            return
        known = self._parents.setdefault(found.smiles, len(self._parents))
        if known == len(self.skeleton):
            self.skeleton.append(self._skeleton(found))
        self._read_as.append(known)
        if found.stripped:
            self._stripped[text] = " ".join(found.stripped)
        if Reason.LARGE_MOLECULE in found.notes:
            self._large.add(text)

    def _skeleton(self, molecule: Molecule) -> int:
        smiles = skeleton(molecule)
        known = self._skeletons.get(smiles)
        if known is None:
            known = self._skeletons[smiles] = len(self._skeletons)
            if self.near and known < MAX_NEAR:
                self.bits.append(morgan_bits([molecule.mol], RADIUS, N_BITS)[0])
            if self.scaffolds:
                scaffold = murcko_of(molecule.mol)
                self.scaffold.append(self._scaffolds.setdefault(scaffold, len(self._scaffolds)) if scaffold else -1)
        return known

    def _contents(self, columns: Mapping[str, list[object]], layout: Layout, n: int) -> None:
        """Rows without a structure are compared by their other cells."""
        used = [columns[name] for name in layout.columns if name in columns]
        for i in range(n):
            given = "\t".join("" if is_missing(cells[i]) else str(cells[i]).strip() for cells in used)
            self.given.append(given)
            self.text.append(self._texts.setdefault(given, len(self._texts)) if given.strip() else -1)
            self.structure.append(-1)

    def rows(self, names: tuple[str, ...], *, molecules: bool, folds: bool, units: bool) -> Rows:
        """Everything taken so far."""
        empty = [np.empty(0, dtype=np.int64)]
        complete = self.near and len(self._skeletons) <= MAX_NEAR
        bits = np.stack(self.bits) if complete and self.bits else np.empty((0, N_BITS // 8), dtype=np.uint8)
        return Rows(
            names,
            np.concatenate(self.files or empty),
            np.concatenate(self.numbers or empty),
            self.ids,
            self.given,
            np.asarray(self.text, dtype=np.int64),
            np.asarray(self.structure, dtype=np.int64),
            list(self._parents),
            np.asarray(self.skeleton, dtype=np.int64),
            bits,
            np.asarray(self.scaffold, dtype=np.int64),
            self.faults,
            self.stripped,
            self.large,
            tuple(labels.values() for labels in self._labels.values()),
            self.folds if folds else [],
            self.units if units else [],
            self.cells,
            molecules,
        )


class _Labels:
    """The cells of one target, read chunk by chunk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.n = 0
        self.parts: list[np.ndarray] = []
        self.wrong: dict[int, str] = {}
        self.limits: dict[int, str] = {}

    def take(self, cells: Sequence[object], relations: Sequence[str] | None) -> None:
        values, wrong = numbers(cells)
        self.wrong |= {self.n + i: str(cells[i]).strip() for i in np.flatnonzero(wrong).tolist()}
        if relations is not None:
            known = ~np.isnan(values)
            limits = [i for i, r in enumerate(relations) if known[i] and r.strip(_QUOTES) not in ("", "=", "==")]
            self.limits |= {self.n + i: f"{relations[i].strip(_QUOTES)} {values[i]:g}" for i in limits}
            values[limits] = np.nan
        self.parts.append(values)
        self.n += len(cells)

    def values(self) -> Values:
        """What the cells are: numbers, classes 0 and 1, or classes named by texts."""
        values = np.concatenate(self.parts or [np.empty(0)])
        limits = {row: text for row, text in self.wrong.items() if _CENSORED.match(text)}
        texts = {row: text for row, text in self.wrong.items() if row not in limits}
        known = int((~np.isnan(values)).sum()) + len(self.wrong)
        if len(texts) > 0.2 * known:
            return self._classes(values, texts, known)
        binary = known > 0 and not limits and bool(np.isin(values[~np.isnan(values)], (0, 1)).all())
        return Values(self.name, "classes" if binary else "numbers", values, (), self.limits | limits, texts)

    def _classes(self, values: np.ndarray, texts: dict[int, str], known: int) -> Values:
        """Texts: "active" and its like are 0 and 1, other words are classes if there are few of them."""
        said = {row: class_of(text) for row, text in texts.items()}
        if all(v is not None for v in said.values()):
            values[list(said)] = [float(v) for v in said.values() if v is not None]
            return Values(self.name, "classes", values)
        cells = {row: text for row, text in self.wrong.items()} | {
            row: f"{values[row]:g}" for row in np.flatnonzero(~np.isnan(values)).tolist()
        }
        names = sorted(set(cells.values()))
        if len(names) > max(2, min(50, known // 5)):
            return Values(self.name, "numbers", values, (), {}, texts)
        place = {name: float(i) for i, name in enumerate(names)}
        coded = np.full(len(values), np.nan)
        coded[list(cells)] = [place[text] for text in cells.values()]
        return Values(self.name, "classes", coded, tuple(names))


def _texts(cells: Sequence[object] | None, n: int) -> list[str]:
    return [""] * n if cells is None else ["" if is_missing(c) else str(c).strip() for c in cells]
