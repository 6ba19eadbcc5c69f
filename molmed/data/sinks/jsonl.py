"""JSON Lines: one object a row, for programs that read rows one by one."""

import io
import json
from pathlib import Path

import pandas as pd

from molmed.data.packing import pack
from molmed.data.sinks._contract import Sink
from molmed.data.sinks._values import texts


class JSONL(Sink):
    """UTF-8; numbers in the shortest form that reads back to the same float32, null where a number is unknown.

    Infinities, which JSON does not have, are null too. Equal tables are equal files, packed or not.
    """

    extensions = (".jsonl", ".ndjson")

    def _open(self, path: Path) -> None:
        self.text = io.TextIOWrapper(pack(path, self.packing), encoding="utf-8", newline="")

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        heads = [json.dumps(name, ensure_ascii=False) for name in self.columns]
        columns = [_written(texts(frame[name], kind), kind) for name, kind in self.columns.items()]
        for row in zip(*columns, strict=True):
            pairs = ", ".join(f"{head}: {cell}" for head, cell in zip(heads, row, strict=True))
            self.text.write(f"{{{pairs}}}\n")

    def _close(self) -> None:
        self.text.close()


def _written(cells: list[str], kind: str) -> list[str]:
    if kind == "object":
        return [json.dumps(cell, ensure_ascii=False) for cell in cells]
    return ["null" if cell in ("", "inf", "-inf") else cell for cell in cells]


ENTRY = JSONL
