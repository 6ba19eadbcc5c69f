"""Delimited text: comma (.csv) or tab (.tsv)."""

import csv
import io
from pathlib import Path

import pandas as pd

from molmed.data.packing import pack
from molmed.data.sinks._contract import Sink
from molmed.data.sinks._values import rounded


class CSV(Sink):
    """UTF-8, a header line, "\\n" line ends; numbers in the shortest form that reads back to the same float32.

    Equal tables are equal files, packed or not.
    """

    extensions = (".csv", ".tsv")

    def _open(self, path: Path) -> None:
        self.delimiter = "\t" if self.extension == ".tsv" else ","
        self.text = io.TextIOWrapper(pack(path, self.packing), encoding="utf-8", newline="")
        csv.writer(self.text, delimiter=self.delimiter, lineterminator="\n").writerow(self.columns)

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        numbers = {name: rounded(frame[name]) for name, kind in self.columns.items() if kind == "float64"}
        made = frame.assign(**numbers) if numbers else frame
        made.to_csv(self.text, header=False, index=False, sep=self.delimiter, lineterminator="\n")

    def _close(self) -> None:
        self.text.close()


ENTRY = CSV
