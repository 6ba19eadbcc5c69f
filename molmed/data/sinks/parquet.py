"""Parquet: typed columns, compressed, read by every data tool."""

from pathlib import Path

import pandas as pd

from molmed.data.sinks._contract import Sink


class Parquet(Sink):
    """One row group per chunk, zstd. A value that is not known is null; equal tables are equal files."""

    extensions = (".parquet", ".pq")
    packed = False

    def _open(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"int64": pa.int64(), "Int64": pa.int64(), "float64": pa.float64(), "object": pa.string()}
        self.schema = pa.schema([(name, types[kind]) for name, kind in self.columns.items()])
        self.writer = pq.ParquetWriter(path, self.schema, compression="zstd")

    def write(self, frame: pd.DataFrame) -> None:
        """Append rows."""
        import pyarrow as pa

        self.writer.write_table(pa.Table.from_pandas(frame, schema=self.schema, preserve_index=False))

    def _close(self) -> None:
        self.writer.close()


ENTRY = Parquet
