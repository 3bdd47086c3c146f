"""Two scores of the same rows in one file, collected in constant memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS, default_threshold
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.look.report.joint import JointDistribution
from penpal_fast.look.report.samples import Sample
from penpal_fast.look.report.shown import ShownRows
from penpal_fast.look.scored_file import ScoredBatch

SPREAD = 6
"""The map has this many fields each way, and a row of each field can be looked at."""

MAX_WRONG = 24
"""Rows that look right and say something else, of one file."""

RANDOM_SEED = 2


def paired(columns: Sequence[ScoreColumn]) -> tuple[ScoreColumn, ScoreColumn] | None:
    """Choose the two columns of scores that a map compares: the first two, or the first and the text match.

    Returns:
        The score that grows to the right and the one that grows upward; None if there are fewer than two.
    """
    texts = [column for column in columns if column.name == TextCheck.name]
    others = [column for column in columns if column.name != TextCheck.name]
    chosen = [*others[:1], *texts] if texts else others[:2]
    return (chosen[0], chosen[1]) if len(chosen) == 2 else None


def start_of(column: ScoreColumn) -> float:
    """Threshold with which a slider begins: that of a filter, or else the lowest of the column."""
    name = default_threshold(column.name, column.thresholds)
    return min(column.thresholds.values(), default=0.5) if name is None else column.thresholds[name]


def keeps_clean(column: ScoreColumn) -> bool:
    """Whether this threshold is one that keeps 95 % of clean synthetic lines."""
    return column.name in DEFAULT_THRESHOLDS and default_threshold(column.name, column.thresholds) is not None


class Pair:
    """Counts and sample rows of two scores in one file.

    Attributes:
        x: The score that grows to the right.
        y: The score that grows upward.
        joint: Counts of both together.
        compared: Whether rows are compared with their texts: `y` is the text match, and there are texts.
        wrong: Rows that look right and say something else, if rows are compared; the widest apart of both scores first.
    """

    def __init__(self, x: ScoreColumn, y: ScoreColumn, share: float, *, has_texts: bool) -> None:
        """Start with no rows; `share` is the part of the sample rows that is used."""
        self.x, self.y = x, y
        self.joint = JointDistribution()
        self.compared = y.name == TextCheck.name and has_texts
        self.wrong = Sample(max(round(MAX_WRONG * share), 4))
        self._side = max(round(SPREAD * share**0.5), 2)
        self._spread = [Sample(1) for _ in range(self._side**2)]
        self._random = np.random.default_rng(RANDOM_SEED)

    @property
    def spread(self) -> list[Sample]:
        """One row of each field of the map that has any; the fields go upward, and then to the right."""
        return [sample for sample in self._spread if sample.rows() is not None]

    def add(self, batch: ScoredBatch, shown: ShownRows) -> None:
        """Count the rows of a batch and offer them to the samples."""
        x, y = (batch.outcomes[column.name].scores for column in (self.x, self.y))
        self.joint.add(x, y)
        rows = shown.with_scores(x=x, y=y)
        if self.compared:
            wrong = (x >= np.float32(start_of(self.x))) & (y < np.float32(start_of(self.y)))
            self.wrong.offer(np.where(wrong, y.astype(np.float64) - x, np.nan), rows)
        fields, random = self._fields(x, y), self._random.uniform(size=len(x))
        for field in np.unique(fields[fields >= 0]).tolist():
            self._spread[field].offer(np.where(fields == field, random, np.nan), rows)

    def _fields(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the field of the map that each row is in, -1 for a row that lacks a score."""
        good = ~(np.isnan(x) | np.isnan(y))
        columns, rows = (
            np.minimum(np.where(good, scores, 0) * self._side, self._side - 1).astype(np.int64) for scores in (x, y)
        )
        return np.where(good, columns * self._side + rows, -1)
