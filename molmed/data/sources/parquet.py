"""Parquet (.parquet .pq): typed columns, read some thousand rows at a time."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

from molmed.data.address import Address, open_bytes, shown
from molmed.data.columns import unique
from molmed.data.sources._contract import Chunk, Source
from molmed.errors import InputError
from molmed.results import Reason, Rejected

_BUFFER = 1 << 20
"""Bytes read ahead of a column; without it a whole row group of every column would be held."""


class Parquet(Source):
    """One row per row. Cells are the objects the types stand for: int, float, str, bool, datetime, Decimal, bytes.

    A missing value and nan are None. A nested value (list, struct, map) is its JSON text. An index that pandas stored
    without a name is no column. If a part of the file is damaged, the rows of its row group that cannot be read are
    rejected, and reading goes on with the next group.
    """

    extensions = (".parquet", ".pq")
    packed = False

    def columns(self, path: Address) -> tuple[str, ...]:
        """The names in the schema; a repeated one gets .1, .2."""
        with _opened(path) as file:
            return tuple(_names(file))

    def chunks(self, path: Address, rows: int = 10_000) -> Iterator[Chunk]:
        """The rows, `rows` at a time."""
        import pyarrow as pa

        with _opened(path) as file:
            names = _names(file)
            total = sum(file.metadata.row_group(i).num_rows for i in range(file.num_row_groups))
            start = 0
            held: list[tuple[Any, str]] = []  # (rows as an Arrow table, why they could not be read or "")
            batches = _batches(file, list(names.values()), rows)
            while start < total:
                while sum(table.num_rows for table, _ in held) < rows and (more := list(islice(batches, 1))):
                    held += more
                taken, n = [], 0
                while held and n < rows:
                    table, why = held.pop(0)
                    if n + table.num_rows > rows:
                        held.insert(0, (table.slice(rows - n), why))
                        table = table.slice(0, rows - n)
                    taken.append((table, why))
                    n += table.num_rows
                rejected = []
                row = start
                for table, why in taken:
                    if why:
                        rows_of = range(row, row + table.num_rows)
                        rejected += [Rejected(r, str(r), "read", Reason.FILE_TRUNCATED, why) for r in rows_of]
                    row += table.num_rows
                whole = pa.concat_tables([table for table, _ in taken])
                columns = {name: _cells(whole.column(i)) for i, name in enumerate(names)}
                yield Chunk(start, columns, n, tuple(rejected), done=(start + n) / total)
                start += n


def _names(file: Any) -> dict[str, int]:
    """Column name -> position in the schema."""
    schema = file.schema_arrow
    pandas = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    indexes = {str(i) for i in pandas.get("index_columns", []) if str(i).startswith("__index_level_")}
    positions = [i for i, name in enumerate(schema.names) if name not in indexes]
    if not positions:
        raise InputError("reading a Parquet file", "no columns", "at least one column", "check the export")
    return dict(zip(unique([schema.names[i] for i in positions]), positions, strict=True))


def _batches(file: Any, positions: list[int], rows: int) -> Iterator[tuple[Any, str]]:
    """Arrow tables of the wanted columns, at most `rows` long; empty cells and a reason where a group is damaged."""
    import pyarrow as pa

    for group in range(file.num_row_groups):
        size, read = file.metadata.row_group(group).num_rows, 0
        detail = f"row group {group} has fewer rows than it says"
        try:
            for batch in file.iter_batches(rows, row_groups=[group]):
                yield pa.Table.from_batches([batch]).select(positions), ""
                read += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            detail = f"row group {group} is damaged ({str(error).splitlines()[0][:80]})"
        schema = pa.schema([file.schema_arrow.field(i) for i in positions])
        for first in range(read, size, rows):
            n = min(rows, size - first)
            yield pa.Table.from_arrays([pa.nulls(n, type=f.type) for f in schema], schema=schema), detail


def _cells(column: Any) -> list[object]:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    kind = column.type
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    try:
        cells: list[object] = column.to_pylist()
    except (ValueError, OverflowError):  # text that is not UTF-8, a time that Python has no object for
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        cells = column.cast(pa.large_binary() if text else pa.string()).to_pylist()
        return [_text(cell) if isinstance(cell, bytes) else cell for cell in cells]
    if pa.types.is_nested(kind):
        return [None if cell is None else json.dumps(cell, default=str, ensure_ascii=False) for cell in cells]
    return cells


def _text(cell: bytes) -> str:
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return cell.decode("latin-1")


@contextmanager
def _opened(path: Address) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open_bytes(path, seek=True) as (file, _):
        try:
            opened = pq.ParquetFile(file, buffer_size=_BUFFER, pre_buffer=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            came = f"no Parquet content ({str(error).splitlines()[0][:100]})"
            raise InputError(f"reading {shown(path)}", came, "a whole Parquet file", "check the export") from error
        with opened:
            yield opened


ENTRY = Parquet
