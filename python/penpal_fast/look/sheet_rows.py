"""What a sheet shows of a file: the scores of its rows, and some rows drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Check, Outcome, outcomes_of
from penpal_fast.checks.columns import is_score
from penpal_fast.checks.defaults import known_scores, text_column_of
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.errors import PenpalError
from penpal_fast.first_points import without_first_points
from penpal_fast.look.scored_file import ScoredFile
from penpal_fast.look.sheet import Cell
from penpal_fast.progress import Progress, no_progress
from penpal_fast.schema import has_texts, texts_of
from penpal_fast.sources.batch import Batch, RowStream
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_source
from penpal_fast.strokes import Strokes, words_of


class SheetRows:
    """A file that is read twice: for the scores of all rows, and for the rows that are shown."""

    def __init__(
        self,
        path: Path,
        column: str,
        layout: str | None,
        progress: Progress = no_progress,
        *,
        drop_first_point: bool = False,
    ) -> None:
        """Take a file.

        Args:
            path: The file.
            column: Name of the strokes column.
            layout: Name of the strokes' layout; None for what the file seems to have.
            progress: Called with the rows read so far and those to read, which are twice those of the file.
            drop_first_point: Show rows as `without_first_points` returns them.
        """
        self._path, self._column, self._layout, self._progress = path, column, layout, progress
        self._repaired = drop_first_point

    def scores(
        self, make_check: Callable[[], Check], *, again: bool
    ) -> tuple[NDArray[np.float32], Mapping[str, float]]:
        """Return the first scores of the file, or score its rows; and the thresholds.

        Args:
            make_check: Makes the check to score with.
            again: Whether to score although there are scores.

        Raises:
            PenpalError: The file cannot be read, or no row has a score.
        """
        source = self._opened()
        outcomes: Iterator[Outcome]
        if known_scores(source.schema) and not again:
            scored = ScoredFile(self._path, self._column, layout=self._layout)
            thresholds: Mapping[str, float] = scored.scores[0].thresholds
            outcomes = (batch.outcomes[scored.scores[0].name] for batch in scored.batches())
        else:
            check = make_check()
            thresholds = check.thresholds
            outcomes = (outcomes_of([check], batch.data, batch.problems)[0] for batch in self._batches(source))
        parts, first_problem, done = [np.empty(0, np.float32)], "it has no rows", 0
        for outcome in outcomes:
            if done == 0 and outcome.problems:
                row, problem = next(iter(outcome.problems.items()))
                first_problem = f"row {row}: {problem}"
            parts.append(outcome.scores)
            done += len(outcome.scores)
            self._progress(done, 2 * source.rows)
        scores = np.concatenate(parts)
        if np.isnan(scores).all():
            raise PenpalError(f"{self._path}: no row has a score, so there is nothing to show; {first_problem}")
        return scores, thresholds

    def cells(self, scores: NDArray[np.float32], chosen: NDArray[np.int64]) -> list[Cell]:
        """Return the chosen rows, in the order given."""
        source = self._opened()
        wanted = set(chosen.tolist())
        name = text_column_of(source.schema)
        cells = {}
        first = 0
        for batch in self._batches(source):
            texts = batch.data.column(name) if has_texts(batch.data.schema, name, integers=True) else None
            matches = batch.data.column(TextCheck.name) if is_score(batch.data.schema, TextCheck.name) else None
            for row in sorted(wanted.intersection(range(first, first + len(batch.data)))):
                text = None if texts is None else texts_of(texts.slice(row - first, 1))[0]
                match = matches[row - first].as_py() if matches is not None else None
                strokes = batch.data.column(self._column).slice(row - first, 1)
                strokes = without_first_points(strokes) if self._repaired else strokes
                words, problem = _words(strokes[0], batch.problems.get(row - first))
                cells[row] = Cell(row, float(scores[row]), words, text, match, problem)
            first += len(batch.data)
            self._progress(source.rows + first, 2 * source.rows)
        return [cells[row] for row in chosen.tolist()]

    def _opened(self) -> RowStream:
        return open_source(self._path, self._column, self._layout)

    def _batches(self, source: RowStream) -> Iterator[Batch]:
        return source.batches(batch_rows(MEMORY_MB, source))


def _words(row: pa.Scalar, unread: str | None) -> tuple[list[Strokes], str | None]:
    """Return the words of a row, or none and the reason why it cannot be drawn."""
    if unread is not None:
        return [], unread
    try:
        return words_of(row), None
    except PenpalError as error:
        return [], error.problem
