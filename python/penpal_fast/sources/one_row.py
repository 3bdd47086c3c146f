"""A single row of a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.schema import check_text_column
from penpal_fast.sources.streams import open_source


def one_row(
    path: str | Path, row: int, column: str, *, text: str | None = None, layout: str | None = None
) -> pa.RecordBatch:
    """Read a row, counted from 0 over all files of an input, as a batch of one.

    Args:
        path: What `open_source` takes.
        row: Number of the row.
        column: Name of the strokes column.
        text: Name of a column of texts that is needed too.
        layout: Name of the layout of the strokes, if it is known.

    Raises:
        PenpalError: The input cannot be read, has no such row or columns, or the row could not be read.
    """
    source = open_source(path, column, layout)
    if text is not None:
        with errors_about(str(path)):
            check_text_column(source.schema, text)
    if row >= source.rows:
        raise PenpalError(f"{path}: there is no row {row}; it has {source.rows} rows, counted from 0")
    columns = [column] if text is None else [column, text]
    for batch in source.batches(1, start=row, columns=columns):
        if problem := batch.problems.get(0):
            raise PenpalError(f"{path}, row {row}: {problem}")
        return batch.data
    raise PenpalError(f"{path}: the file ends before row {row}")
