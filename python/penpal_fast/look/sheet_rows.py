"""What a sheet shows of a file: the scores of its rows, and some rows drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import is_score
from penpal_fast.checks.defaults import known_scores, text_column_of
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.errors import PenpalError
from penpal_fast.first_points import without_first_points
from penpal_fast.look.scored_file import ScoredFile
from penpal_fast.look.sheet import Cell
from penpal_fast.schema import has_texts, texts_of
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_source
from penpal_fast.strokes import Strokes, words_of


def scores_of(
    path: Path, column: str, layout: str | None, make_check: Callable[[], Check], *, again: bool
) -> tuple[NDArray[np.float32], Mapping[str, float]]:
    """Read the first scores of a file, or score its rows; return them with their thresholds.

    Args:
        path: The file.
        column: Name of the strokes column.
        layout: Name of the strokes' layout; None for what the file seems to have.
        make_check: Makes the check to score with.
        again: Whether to score although there are scores.
    """
    source = open_source(path, column, layout)
    if known_scores(source.schema) and not again:
        scored = ScoredFile(path, column, layout=layout)
        thresholds: Mapping[str, float] = scored.scores[0].thresholds
        parts = [batch.outcomes[scored.scores[0].name].scores for batch in scored.batches()]
    else:
        check, rows = make_check(), batch_rows(MEMORY_MB, source)
        thresholds = check.thresholds
        parts = [check.look(batch.data).scores for batch in source.batches(rows)]
    return np.concatenate(parts) if parts else np.empty(0, np.float32), thresholds


def cells_of(
    path: Path,
    column: str,
    layout: str | None,
    scores: NDArray[np.float32],
    chosen: NDArray[np.int64],
    *,
    drop_first_point: bool,
) -> list[Cell]:
    """Read the chosen rows, in the order given."""
    source = open_source(path, column, layout)
    wanted = set(chosen.tolist())
    name = text_column_of(source.schema)
    cells = {}
    first = 0
    for batch in source.batches(batch_rows(MEMORY_MB, source)):
        texts = batch.data.column(name) if has_texts(batch.data.schema, name, integers=True) else None
        matches = batch.data.column(TextCheck.name) if is_score(batch.data.schema, TextCheck.name) else None
        for row in sorted(wanted.intersection(range(first, first + len(batch.data)))):
            text = None if texts is None else texts_of(texts.slice(row - first, 1))[0]
            match = matches[row - first].as_py() if matches is not None else None
            strokes = batch.data.column(column).slice(row - first, 1)
            strokes = without_first_points(strokes) if drop_first_point else strokes
            words, problem = _words(strokes[0], batch.problems.get(row - first))
            cells[row] = Cell(row, float(scores[row]), words, text, match, problem)
        first += len(batch.data)
    return [cells[row] for row in chosen.tolist()]


def _words(row: pa.Scalar, unread: str | None) -> tuple[list[Strokes], str | None]:
    """Return the words of a row, or none and the reason why it cannot be drawn."""
    if unread is not None:
        return [], unread
    try:
        return words_of(row), None
    except PenpalError as error:
        return [], error.problem
