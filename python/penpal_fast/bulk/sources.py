"""The kinds of files that rows are read from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penpal_fast.bulk.json_lines import JsonLinesSource
from penpal_fast.bulk.parquet import ParquetSource
from penpal_fast.errors import PenpalError
from penpal_fast.scoring import check_strokes_column

if TYPE_CHECKING:
    from pathlib import Path

    from penpal_fast.bulk.batch import Source

PARQUET_SUFFIXES = (".parquet", ".pq")
JSON_LINES_SUFFIXES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")


def open_source(path: Path, column: str) -> Source:
    """Open a file by its suffix.

    Args:
        path: Parquet file or JSON lines, which may be compressed with gzip.
        column: Name of the strokes column.

    Raises:
        PenpalError: There is no such file, it is of another kind, it cannot be read, or it has no such column.
    """
    name = path.name.lower()
    if not path.is_file():
        raise PenpalError(f"{path}: there is no such file")
    source: Source
    if name.endswith(PARQUET_SUFFIXES):
        source = ParquetSource(path)
    elif name.endswith(JSON_LINES_SUFFIXES):
        source = JsonLinesSource(path, column)
    else:
        suffixes = ", ".join(PARQUET_SUFFIXES + JSON_LINES_SUFFIXES)
        raise PenpalError(f"{path}: the name must end with one of {suffixes}")
    try:
        check_strokes_column(source.schema, column)
    except PenpalError as error:
        raise PenpalError(f"{path}: {error} (name yours with --column)") from error
    return source
