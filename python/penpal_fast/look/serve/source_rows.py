"""Rows of anything that `score` reads, which the live page shows: folders, globs, JSON lines, ink, the hub."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from penpal_fast.checks.check import Check
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.first_points import with_first_points_dropped
from penpal_fast.look.serve.row_file import BATCH_ROWS, described_rows, shown_text
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.streams import open_file, open_source


class SourceRows:
    """Rows of a source; see `RowFile`. Those of JSON lines are found by reading all lines before them."""

    def __init__(
        self,
        source: str | InputFile,
        column: str,
        checks: Sequence[Check],
        layout: str | None = None,
        *,
        drop_first_point: bool = False,
    ) -> None:
        """Open a source, given as `score` takes it, or a file; see `RowFile` for `drop_first_point`.

        Raises:
            PenpalError: It cannot be read, or has no strokes column of this name.
        """
        self.name = source if isinstance(source, str) else source.name
        self._column = column
        self._checks = checks
        self._drop_first_point = drop_first_point
        self._lock = threading.Lock()
        if isinstance(source, str):
            self._source = open_source(source, column, layout)
        else:
            self._source = open_file(source, column, layout)
        with errors_about(self.name):
            for check in checks:
                check.prepare(self._source.schema)
        self.rows: int = self._source.rows

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return rows as JSON; see `RowFile.page`.

        Raises:
            PenpalError: A file is damaged.
        """
        try:
            with self._lock:
                return list(self._rows(start, start + count))
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.name}: cannot read it: {error}") from error

    def _rows(self, start: int, stop: int) -> Iterator[dict[str, Any]]:
        if start >= self.rows:
            return
        text = shown_text(self._source.schema)
        read = {name for check in self._checks for name in check.reads} | {self._column, text}
        columns = [name for name in self._source.schema.names if name in read]
        first = start
        for batch in self._source.batches(BATCH_ROWS, start=start, columns=columns):
            shown = batch.cut(0, min(len(batch.data), stop - first))
            rows = with_first_points_dropped(shown.data, self._column) if self._drop_first_point else shown.data
            yield from described_rows(rows, first, self._column, text, self._checks, shown.problems)
            first += len(shown.data)
            if first >= stop:
                return
