"""Columns that are kept on disk while the inputs are read a second time."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa


class KeptColumns:
    """Record batches in a file."""

    def __init__(self, file: IO[bytes], schema: pa.Schema) -> None:
        """Take an empty file, and the schema of the columns."""
        self._file = file
        self._names = schema.names
        self._writer = pa.ipc.new_stream(file, schema)

    def add(self, rows: pa.RecordBatch) -> None:
        """Keep these columns of a batch."""
        self._writer.write_batch(rows.select(self._names).replace_schema_metadata(None))

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield what was kept, batch by batch; after that, no more can be added."""
        self._writer.close()
        self._file.seek(0)
        yield from pa.ipc.open_stream(self._file)


@contextlib.contextmanager
def kept_columns(folder: Path, schema: pa.Schema) -> Iterator[KeptColumns]:
    """Give columns kept in a folder, in a file without a name: it is gone after the block, and after a kill."""
    with tempfile.TemporaryFile(dir=folder) as file:
        yield KeptColumns(file, schema)
