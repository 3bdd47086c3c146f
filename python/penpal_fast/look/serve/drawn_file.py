"""The Parquet file that drawn rows are saved to."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError, row_error
from penpal_fast.files import checked_target, open_regular, replaced_atomically, reserved
from penpal_fast.schema import STROKES
from penpal_fast.sources.suffixes import PARQUET_SUFFIXES

SCHEMA = pa.schema([("strokes", STROKES), ("text", pa.string())])
"""Columns of the file, as in the penpal data set."""

WAIT = 10.0
"""Seconds to wait for another process that writes the file, such as a second server."""


class DrawnFile:
    """A Parquet file that grows row by row; it is complete after each row. Several processes may add to it."""

    def __init__(self, path: Path) -> None:
        """Take a path. If the file exists, rows are added to it.

        Raises:
            PenpalError: The name is not one of a Parquet file, the file cannot be written there, or it has other
                columns.
        """
        self.path = path
        self._lock = threading.Lock()
        if not path.name.lower().endswith(PARQUET_SUFFIXES):
            raise PenpalError(f"{path}: drawn rows are saved to a Parquet file; its name must end with .parquet")
        with self._errors(), reserved(checked_target(path), wait=WAIT):
            self._read()

    def add(self, row: Any, text: str | None) -> int:
        """Add a row, in any layout that `render_strokes` takes, and return the number of rows in the file.

        Raises:
            PenpalError: The row cannot be drawn, as given or as float32, or the file cannot be read or written.
        """
        for rows in (read := Rows([row]), Rows(strokes := pa.array(read.to_penpal()).cast(STROKES, safe=False))):
            if problems := rows.problems():
                raise row_error(*problems[0])
        added = pa.table({"strokes": strokes, "text": [text]}, schema=SCHEMA)
        with self._lock, self._errors(), replaced_atomically(self.path, wait=WAIT) as aside:
            table = pa.concat_tables([self._read(), added])
            pq.write_table(table, aside, compression="zstd")
        return len(table)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise PenpalError(f"{self.path}: cannot write it: {error}") from error

    def _read(self) -> pa.Table:
        if not self.path.exists():
            return SCHEMA.empty_table()
        try:
            open_regular(self.path).close()
            table = pq.read_table(self.path, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.path}: cannot read it as a Parquet file: {error}") from error
        if table.schema.names != SCHEMA.names or not table.schema.equals(SCHEMA):
            columns = ", ".join(table.schema.names)
            raise PenpalError(f"{self.path}: drawn rows cannot be added to it; it has other columns: {columns}")
        return table
