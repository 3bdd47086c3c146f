"""Outputs that take rows one batch after the other: Parquet files, JSON lines and standard output."""

from __future__ import annotations

import contextlib
import gzip
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Protocol

import pyarrow as pa

from penpal_fast.jobs.json_rows import check_names, json_lines
from penpal_fast.jobs.outputs import Kind, StdoutFormat

GZIP_LEVEL = 6

JSON_ROWS = 512
"""Rows that become JSON at a time; JSON takes several times the memory of the rows."""


class RowsFile(Protocol):
    """An output that takes rows."""

    def add(self, rows: pa.RecordBatch) -> None:
        """Take rows with the columns of the output."""


class JsonLinesFile:
    """Writes rows as JSON lines into a file that is open. The bytes do not depend on the batches."""

    def __init__(self, file: IO[bytes]) -> None:
        """Take the open file."""
        self._file = file

    def add(self, rows: pa.RecordBatch) -> None:
        """Write rows."""
        for start in range(0, len(rows), JSON_ROWS):
            self._file.write(json_lines(rows.slice(start, JSON_ROWS)))


class ArrowStream:
    """Writes rows as an Arrow IPC stream into a file that is open."""

    def __init__(self, writer: pa.RecordBatchWriter, schema: pa.Schema) -> None:
        """Take the writer of a stream and its schema."""
        self._writer = writer
        self._schema = schema

    def add(self, rows: pa.RecordBatch) -> None:
        """Write rows."""
        self._writer.write_batch(pa.RecordBatch.from_arrays(rows.columns, schema=self._schema))


@contextlib.contextmanager
def json_lines_file(path: Path, name: str, schema: pa.Schema) -> Iterator[JsonLinesFile]:
    """Give a file of JSON lines to add rows to.

    Args:
        path: Where it is written.
        name: What it will be called, which says how it is compressed.
        schema: The columns.
    """
    check_names(schema)
    with contextlib.ExitStack() as opened:
        file: IO[bytes] = opened.enter_context(path.open("wb"))
        if name.lower().endswith(".gz"):
            # Without a name and a time, so that the same rows give the same bytes.
            file = opened.enter_context(gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0))  # type: ignore[arg-type]
        elif name.lower().endswith(".zst"):
            file = opened.enter_context(pa.CompressedOutputStream(file, "zstd"))
        yield JsonLinesFile(file)


@contextlib.contextmanager
def standard_output(form: StdoutFormat, schema: pa.Schema) -> Iterator[RowsFile]:
    """Give standard output to add rows to. After an error, a stream of Arrow lacks its end."""
    out = sys.stdout.buffer
    if form == "jsonl":
        check_names(schema)
        yield JsonLinesFile(out)
    else:
        writer = pa.ipc.new_stream(out, schema)
        yield ArrowStream(writer, schema)
        writer.close()
    out.flush()


def has_lines(kind: Kind, form: StdoutFormat) -> bool:
    """Whether an output is JSON lines, in which columns need different names."""
    return kind is Kind.JSON_LINES or (kind is Kind.STREAM and form == "jsonl")
