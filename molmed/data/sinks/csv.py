"""Delimited text: comma (.csv) or tab (.tsv), plain or gzipped."""

import csv
import gzip
import io
from pathlib import Path
from typing import IO

import pandas as pd

from molmed.data.sinks._contract import Sink


class CSV(Sink):
    """UTF-8, a header line, "\\n" line ends; numbers in the shortest form that reads back to the same float32.

    Gzip without a time stamp: equal tables are equal files.
    """

    extensions = (".csv", ".csv.gz", ".tsv", ".tsv.gz")

    def _open(self, path: Path) -> None:
        self.delimiter = "\t" if ".tsv" in self.path.suffixes else ","
        raw: IO[bytes] = path.open("wb")
        self.parts: list[IO[bytes]] = [raw]
        if self.path.suffix == ".gz":
            raw = gzip.GzipFile("", "wb", fileobj=raw, mtime=0)  # type: ignore[assignment]
            self.parts.append(raw)
        self.text = io.TextIOWrapper(raw, encoding="utf-8", newline="")
        csv.writer(self.text, delimiter=self.delimiter, lineterminator="\n").writerow(self.columns)

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        numbers = {name: "float32" for name, kind in self.columns.items() if kind == "float64"}
        frame.astype(numbers).to_csv(self.text, header=False, index=False, sep=self.delimiter, lineterminator="\n")

    def _close(self) -> None:
        self.text.close()
        for part in reversed(self.parts):
            part.close()


ENTRY = CSV
