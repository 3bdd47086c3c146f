"""Files with scores, read batch by batch."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from penpal_fast.checks.check import Check, Outcome, outcomes_of
from penpal_fast.checks.columns import read_outcome, score_column
from penpal_fast.checks.defaults import known_scores
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.first_points import with_first_points_dropped
from penpal_fast.schema import check_text_column, has_texts, texts_of
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_source


@dataclasses.dataclass(frozen=True)
class ScoredBatch:
    """Rows with their scores.

    Attributes:
        first: Number of the first row in the file.
        rows: The rows, with all columns.
        outcomes: Scores and problems by the check's name.
    """

    first: int
    rows: pa.RecordBatch
    outcomes: dict[str, Outcome]

    def texts(self, column: str) -> list[str | None]:
        """Return a column as texts, with None for null."""
        return texts_of(self.rows.column(column))


class ScoredFile:
    """A file, or a folder of parts, with the columns of one or more checks.

    Attributes:
        path: Path of the file.
        rows: Number of rows.
        scores: The columns of scores, and then those of the checks that score the file as it is read.
    """

    def __init__(
        self,
        path: Path,
        column: str = "strokes",
        checks: Sequence[Check] = (),
        *,
        drop_first_point: bool = False,
        layout: str | None = None,
    ) -> None:
        """Open the file.

        Args:
            path: The file or folder.
            column: Name of the strokes column.
            checks: Checks that score the rows as they are read, if the file has no scores of this name.
            drop_first_point: Whether rows are read as `without_first_points` returns them.
            layout: Name of the layout of the strokes, if it is known.

        Raises:
            PenpalError: The file cannot be read, or has no strokes or no scores, or a check cannot look at it.
        """
        self._source = open_source(path, column, layout)
        self.path = path
        self.rows: int = self._source.rows
        self._repaired = column if drop_first_point else None
        self._noted = known_scores(self._source.schema)
        noted = {score.name for score in self._noted}
        self._checks = [check for check in checks if check.name not in noted]
        with errors_about(str(path)):
            for check in self._checks:
                check.prepare(self._source.schema)
        self.scores = [*self._noted, *map(score_column, self._checks)]
        if not self.scores:
            raise PenpalError(
                f"{path}: there is no column of scores; run `penpal-fast score` on it first (a `quality` that no check "
                "wrote is not taken for scores)"
            )

    def has_texts(self, name: str) -> bool:
        """Whether there is exactly one column of this name, and it holds texts or integers."""
        return has_texts(self._source.schema, name, integers=True)

    def check_texts(self, name: str) -> None:
        """Make sure that there is exactly one column of this name that may hold texts.

        Raises:
            PenpalError: There is not; the error lists the columns.
        """
        if not self.has_texts(name):
            with errors_about(str(self.path)):
                check_text_column(self._source.schema, name)

    def names_of_texts(self) -> list[str]:
        """Return the columns of which `has_texts` is true."""
        return [name for name in self._source.schema.names if self.has_texts(name)]

    def batches(self) -> Iterator[ScoredBatch]:
        """Yield the rows in order.

        Raises:
            PenpalError: The file is damaged, or a score is not from 0 to 1; the error names the row.
        """
        first = 0
        for batch in self._source.batches(batch_rows(MEMORY_MB, self._source)):
            outcomes = {
                column.name: read_outcome(batch.data, column.name, str(self.path), first) for column in self._noted
            }
            rows = batch.data if self._repaired is None else with_first_points_dropped(batch.data, self._repaired)
            found = outcomes_of(self._checks, rows, batch.problems)
            outcomes |= {check.name: outcome for check, outcome in zip(self._checks, found, strict=True)}
            yield ScoredBatch(first, rows, outcomes)
            first += len(batch.data)
