"""Rows without a score: the first of a job, and files of which no row has one."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Outcome, reason_of
from penpal_fast.errors import PenpalError
from penpal_fast.layouts.coordinate_columns import coordinate_columns_of, has_strokes, joined_columns
from penpal_fast.schema import texts_of
from penpal_fast.sources.batch import Source, unread_column
from penpal_fast.sources.memory import held_bytes

SHOWN_LETTERS = 100
"""Letters of a row that an error shows."""

SHOWN_BYTES = 1 << 16
"""A row of more bytes is not shown: as Python objects it would take some thirty times as much memory."""

EMPTY_REASONS = ("null", "no points")
"""Reasons of rows that hold nothing, which say nothing about the layout of a file."""

logger = logging.getLogger(__name__)


class NoScoresError(PenpalError):
    """No row of a file has a score, so that what was written is of no use to a later run."""


class Unscored:
    """Counts the scored rows of each source; rows are numbered through all sources of a job.

    Attributes:
        first_problem: Where the first bad row is, and what is wrong with it; None if there is none.
    """

    def __init__(self, sources: Sequence[Source], column: str) -> None:
        """Start with no rows."""
        self.first_problem: str | None = None
        self._sources = sources
        self._column = column
        self._starts = np.array([0, *itertools.accumulate(source.rows for source in sources)])[:-1]
        self._scored = np.zeros(len(sources), np.int64)
        self._seen = np.zeros(len(sources), np.int64)
        self._problems: dict[int, tuple[int, str, str]] = {}
        self._first_row: int | None = None

    def row(self, source: int, row: int) -> int:
        """Number of a row of a source."""
        return int(self._starts[source]) + row

    def add(self, first: int, outcomes: Sequence[Outcome], rows: pa.RecordBatch | None = None) -> None:
        """Count neighbouring rows, from `first` on, with what each check found in them.

        A row is scored if any check gave it a score. With `rows`, an error shows a row.
        """
        has_score = ~np.isnan(np.array([outcome.scores for outcome in outcomes])).all(axis=0)
        places = self._places(first, len(has_score))
        self._seen += np.bincount(places, minlength=len(self._seen))
        self._scored += np.bincount(places[has_score], minlength=len(self._scored))
        if not has_score.all():
            self._note(first, places, has_score, outcomes[0].problems, rows)

    def _places(self, first: int, count: int) -> NDArray[np.int64]:
        """The source of each of some rows."""
        return (np.searchsorted(self._starts, np.arange(first, first + count), side="right") - 1).astype(np.int64)

    def _note(
        self,
        first: int,
        places: NDArray[np.int64],
        has_score: NDArray[np.bool_],
        problems: Mapping[int, str],
        rows: pa.RecordBatch | None,
    ) -> None:
        """Note the first bad row of each source."""
        bad = np.flatnonzero(~has_score)
        for source in np.unique(places[bad]).tolist():
            row = int(bad[np.searchsorted(places[bad], source)])
            place = first + row - int(self._starts[source])
            if source in self._problems and self._problems[source][0] < place:
                continue
            problem = problems.get(row, "no score")
            self._problems[source] = (place, problem, "" if rows is None else self._shown(rows, row))
            if self._first_row is None or first + row < self._first_row:
                self._first_row = first + row
                self.first_problem = f"{self._sources[source].file.name}, row {place}: {problem}"

    def _shown(self, rows: pa.RecordBatch, row: int) -> str:
        """Say what the column of strokes holds, and how a row of it begins."""
        names = rows.schema.names
        if not has_strokes(rows.schema, self._column):
            return ""
        coordinates = coordinate_columns_of(rows.schema, self._column)
        given = rows.slice(row, 1)
        values = joined_columns(given, coordinates) if coordinates else given.column(self._column)
        unread = unread_column(self._column)
        text = texts_of(rows.column(unread).slice(row, 1))[0] if unread in names else None
        if not text and held_bytes(values) <= SHOWN_BYTES:
            from penpal_fast.jobs.json_rows import json_of

            text = json_of(values, 0)
        if text is None:
            return ""
        shown = text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}..."
        return f"; its {' and '.join(map(repr, coordinates or [self._column]))} is {shown}"

    def check(self) -> None:
        """Make sure that the rows of each file that was counted whole can be scored.

        Raises:
            NoScoresError: No row of the job has a score, or no row of a file has one, and they do not merely hold
                nothing: then the file has another layout.
        """
        for index, source in enumerate(self._sources):
            if self._scored[index] or index not in self._problems or self._seen[index] < source.rows:
                continue
            place, problem, shown = self._problems[index]
            count = "its only row" if source.rows == 1 else f"none of its {source.rows:,} rows"
            verb = "cannot be scored" if source.rows == 1 else "can be scored"
            message = f"{source.file.name}: {count} {verb}; row {place}: {problem}{shown}"
            if not self._scored.any() or reason_of(problem) not in EMPTY_REASONS:
                raise NoScoresError(message)
            logger.warning("%s", message)
