"""Rows of anything that `score` reads, which the live page shows: files, folders, globs, the hub."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast.checks.check import Check, outcomes_of
from penpal_fast.checks.defaults import text_column_of
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.first_points import with_first_points_dropped
from penpal_fast.look.row_reading import MAX_TEXT
from penpal_fast.schema import has_texts, texts_of
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.streams import open_file, open_source
from penpal_fast.strokes import Strokes, words_of

MAX_PAGE_ROWS = 60
BATCH_ROWS = 64

MAX_POINTS = 20_000
"""Points of a row that the page can show."""


class SourceRows:
    """Rows of a source, with or without scores. A page of JSON lines is found by reading all lines before it."""

    def __init__(
        self,
        source: str | InputFile,
        column: str,
        checks: Sequence[Check],
        layout: str | None = None,
        *,
        drop_first_point: bool = False,
    ) -> None:
        """Open a source, given as `score` takes it, or a file.

        With `drop_first_point`, rows are scored and shown as `without_first_points` returns them.

        Raises:
            PenpalError: It cannot be read, or has no strokes column of this name.
        """
        self._column = column
        self._checks = checks
        self._drop_first_point = drop_first_point
        self._lock = threading.Lock()
        if isinstance(source, str):
            path = Path(source)
            self.name = path.name if path.is_file() else source
            self._source = open_source(source, column, layout)
        else:
            self.name = source.name
            self._source = open_file(source, column, layout)
        with errors_about(self.name):
            for check in checks:
                check.prepare(self._source.schema)
        self.rows: int = self._source.rows
        self.is_read_from_its_beginning = not self._source.begins_anywhere

    def page(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return rows as JSON, each with row, words, text, and the first check's score.

        A row without a score, or that cannot be shown, has the reason as its error and no words.

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
        text = _shown_text(self._source.schema)
        read = {name for check in self._checks for name in check.reads} | {self._column, text}
        columns = [name for name in self._source.schema.names if name in read]
        first = start
        for batch in self._source.batches(BATCH_ROWS, start=start, columns=columns):
            shown = batch.cut(0, min(len(batch.data), stop - first))
            rows = with_first_points_dropped(shown.data, self._column) if self._drop_first_point else shown.data
            yield from _described(rows, first, self._column, text, self._checks, shown.problems)
            first += len(shown.data)
            if first >= stop:
                return


def _described(
    rows: pa.RecordBatch,
    first: int,
    column: str,
    text: str | None,
    checks: Sequence[Check],
    unread: Mapping[int, str],
) -> Iterator[dict[str, Any]]:
    """Yield rows as JSON; see `SourceRows.page`.

    Args:
        rows: The rows.
        first: Number of the first of them in the source.
        column: Name of the strokes column.
        text: Name of the column of texts; None if they are not known.
        checks: The checks, of which the first gives the score.
        unread: What is wrong with rows that could not be read, by index.
    """
    strokes = rows.column(column)
    outcome = outcomes_of(checks, rows, unread)[0]
    texts = [None] * len(rows) if text is None else [_cut(each) for each in texts_of(rows.column(text))]
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


def _shown_text(schema: pa.Schema) -> str | None:
    """Return the name of the column of texts that can be shown; None if there is none."""
    name = text_column_of(schema)
    return name if has_texts(schema, name) else None


def _cut(text: str | None) -> str | None:
    """Leave out the end of a text that is too long to be compared."""
    return text if text is None or len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _shown_words(row: Any) -> tuple[list[Strokes], str | None]:
    """Return the words of a row, or none and the reason why the page cannot show it."""
    try:
        words = words_of(row)
    except PenpalError as error:
        return [], error.problem
    if sum(len(stroke) for word in words for stroke in word) > MAX_POINTS:
        return [], f"too many points to show: the row has more than {MAX_POINTS:,}"
    return words, None
