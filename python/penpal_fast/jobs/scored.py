"""Scoring what was read."""

from __future__ import annotations

from penpal_fast.checks.quality import Scorer, Scores
from penpal_fast.errors import PenpalError
from penpal_fast.sources.batch import Batch, Source


def scored(batch: Batch, scorer: Scorer, column: str, source: Source) -> Scores:
    """Return the scores of a batch, its rows that could not be read among the bad ones.

    Raises:
        PenpalError: The column turns out not to hold strokes.
    """
    try:
        scores = scorer.score_column(batch.data.column(column))
    except PenpalError as error:
        raise PenpalError(f"{source.file.name}: column {column!r}: {error}") from error
    return Scores(scores.quality, {**scores.problems, **batch.problems})
