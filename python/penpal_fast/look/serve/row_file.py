"""Parquet files whose rows the live page shows."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.checks.check import Check, outcomes_of
from penpal_fast.checks.defaults import text_column_of
from penpal_fast.errors import PenpalError
from penpal_fast.files import open_regular
from penpal_fast.first_points import with_first_points_dropped
from penpal_fast.layouts.column import StrokesColumn
from penpal_fast.layouts.parts import read_columns
from penpal_fast.schema import has_texts, texts_of
from penpal_fast.sources.parquet_footer import ParquetFooter
from penpal_fast.strokes import Strokes, words_of

MAX_PAGE_ROWS = 60
BATCH_ROWS = 64

MAX_POINTS = 20_000
"""Points of a row that the page can show."""

MAX_GROUP_BYTES = 400 << 20
"""Memory that a row group of an uploaded file may take; a small file can claim to hold much more."""


class RowFile:
    """A Parquet file of rows, with or without scores."""

    def __init__(
        self,
        path: Path,
        name: str,
        column: str,
        checks: Sequence[Check],
        layout: str | None = None,
        *,
        drop_first_point: bool = False,
    ) -> None:
        """Open a file. With `drop_first_point`, rows are scored and shown as `without_first_points` returns them.

        Raises:
            PenpalError: It is not a Parquet file, or has no strokes column of this name.
        """
        self.name = name
        self._column = column
        self._checks = checks
        self._drop_first_point = drop_first_point
        self._lock = threading.Lock()
        try:
            with open_regular(path) as opened:
                footer = ParquetFooter(opened)
            self._groups = footer.groups
            self._file = pq.ParquetFile(
                path,
                metadata=footer.described().metadata,
                pre_buffer=False,
                buffer_size=1 << 20,
                page_checksum_verification=True,
            )
            schema = self._file.schema_arrow
        except (OSError, pa.ArrowException, UnicodeDecodeError, PenpalError) as error:
            raise PenpalError(f"{name}: cannot read it as a Parquet file: {error}") from error
        try:
            self._strokes = StrokesColumn.found(schema, column, self._first_rows(), layout)
            for check in checks:
                check.prepare(self._strokes.schema(schema))
        except PenpalError as error:
            raise PenpalError(f"{name}: {error}") from error
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{name}: the Parquet file is damaged: {error}") from error
        self._text = shown_text(schema)
        self.rows = sum(group.rows for group in self._groups)

    def _first_rows(self) -> Iterator[pa.RecordBatch]:
        return self._file.iter_batches(
            batch_size=BATCH_ROWS, columns=read_columns(self._file.schema_arrow, self._column)
        )

    def check_size(self) -> None:
        """Make sure that the file can be read in bounded memory.

        Raises:
            PenpalError: A row group takes more than `MAX_GROUP_BYTES`.
        """
        for index, group in enumerate(self._groups):
            if group.size > MAX_GROUP_BYTES:
                limit = f"{MAX_GROUP_BYTES >> 20} MB of memory"
                raise PenpalError(f"{self.name}: row group {index} takes more than {limit}")

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return rows as JSON, each with row, words, text, and the first check's score.

        A row without a score, or that cannot be shown, has the reason as its error and no words.

        Raises:
            PenpalError: The file is damaged.
        """
        try:
            with self._lock:
                return list(self._rows(start, start + count))
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.name}: the Parquet file is damaged: {error}") from error

    def _rows(self, start: int, end: int) -> Iterator[dict[str, Any]]:
        first, groups = self._groups_from(start)
        read = {name for check in self._checks for name in check.reads}
        columns = sorted(
            {
                *read_columns(self._file.schema_arrow, self._column),
                *(read - {self._column}),
                *([] if self._text is None else [self._text]),
            }
        )
        for batch in self._file.iter_batches(batch_size=BATCH_ROWS, row_groups=groups, columns=columns):
            if first >= end:
                return
            shown = batch.slice(max(start - first, 0), end - max(start, first))
            if len(shown):
                drawn, problems = self._strokes.drawn(shown)
                drawn = with_first_points_dropped(drawn, self._column) if self._drop_first_point else drawn
                yield from described_rows(drawn, max(start, first), self._column, self._text, self._checks, problems)
            first += len(batch)

    def _groups_from(self, start: int) -> tuple[int, list[int]]:
        """Return the first row of the row group that holds row `start`, and the numbers of this and later groups."""
        ends = np.cumsum([0, *(group.rows for group in self._groups)])
        group = int(np.searchsorted(ends, start, side="right")) - 1
        return int(ends[group]), list(range(group, len(self._groups)))


def described_rows(
    rows: pa.RecordBatch,
    first: int,
    column: str,
    text: str | None,
    checks: Sequence[Check],
    unread: Mapping[int, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield rows as JSON; see `RowFile.page`.

    Args:
        rows: The rows.
        first: Number of the first of them in the file.
        column: Name of the strokes column.
        text: Name of the column of texts; None if they are not known.
        checks: The checks, of which the first gives the score.
        unread: What is wrong with rows that could not be read, by index.
    """
    strokes = rows.column(column)
    outcome = outcomes_of(checks, rows, unread or {})[0]
    texts = [None] * len(rows) if text is None else texts_of(rows.column(text))
    for index in range(len(rows)):
        score, error = outcome.scores[index], outcome.problems.get(index)
        words, problem = ([], error) if error else _shown_words(strokes[index])
        yield {
            "row": first + index,
            "words": [[stroke.tolist() for stroke in word] for word in words],
            "text": texts[index],
            "score": None if np.isnan(score) else float(score),
            "error": problem,
        }


def shown_text(schema: pa.Schema) -> str | None:
    """Return the name of the column of texts that can be shown; None if there is none."""
    name = text_column_of(schema)
    return name if has_texts(schema, name) else None


def _shown_words(row: Any) -> tuple[list[Strokes], str | None]:
    """Return the words of a row, or none and the reason why the page cannot show it."""
    try:
        words = words_of(row)
    except PenpalError as error:
        return [], error.problem
    if sum(len(stroke) for word in words for stroke in word) > MAX_POINTS:
        return [], f"too many points to show: the row has more than {MAX_POINTS:,}"
    return words, None
