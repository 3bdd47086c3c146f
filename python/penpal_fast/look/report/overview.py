"""What a report says about the scores of one file, gathered in constant memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Outcome
from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.summary import Summary
from penpal_fast.look.report.distribution import Distribution
from penpal_fast.look.report.samples import Sample
from penpal_fast.look.report.sections import sections_of
from penpal_fast.sources.scored_file import ScoredBatch

TEXT_COLUMN = "text"

MOST_GROUPS = 60
"""Groups that are told apart, those that are met first; the rest is one group."""

OTHER_GROUPS = "all others"
NO_GROUP = "none given"

LENGTH_STEP, LAST_LENGTH = 5, 100
"""Texts are grouped by their length in so many characters; texts of the last length or more are one group."""

MOST_REASONS, MOST_EXAMPLES = 100, 8
"""Reasons why rows are bad that are listed, and row numbers that are named for each."""

RANDOM_SEED = 1


class Overview:
    """Counts, quantiles and sample rows of a check's scores in one file.

    Attributes:
        column: The check's scores.
        group_column: Column that rows are grouped by, if any.
        whole: All rows.
        groups: The rows by what their group column says.
        lengths: The rows by the shortest text of their group of lengths, if there are texts.
        bad_rows: The first row numbers by what is wrong with them.
        sections: The sections of its gallery.
        samples: Rows to show, by the name of their section; columns row (int64), score, strokes, text.
    """

    def __init__(self, column: ScoreColumn, group_column: str | None, share: float) -> None:
        """Start with no rows; show this share of the rows that each section has room for."""
        self.column = column
        self.group_column = group_column
        self.whole = Distribution(column.thresholds)
        self.groups: dict[str, Summary] = {}
        self.lengths: dict[int, Summary] = {}
        self.bad_rows: dict[str, list[int]] = {}
        self.sections = sections_of(column.thresholds)
        self.samples = {section.name: Sample(max(round(section.size * share), 4)) for section in self.sections}
        self._random = np.random.default_rng(RANDOM_SEED)

    def add(self, batch: ScoredBatch, strokes: str, has_text: bool) -> None:
        """Count rows and offer them to the samples; `strokes` is the name of their column."""
        outcome = batch.outcomes[self.column.name]
        self.whole.add(outcome.scores, outcome.problems.values())
        texts: list[str | None] = batch.texts(TEXT_COLUMN) if has_text else [None] * len(outcome.scores)
        for row, problem in outcome.problems.items():
            reason = problem.partition(":")[0]
            if reason in self.bad_rows or len(self.bad_rows) < MOST_REASONS:
                examples = self.bad_rows.setdefault(reason, [])
                examples += [batch.first + row] if len(examples) < MOST_EXAMPLES else []
        if has_text:
            self._add_lengths(outcome, texts)
        if self.group_column:
            self._add_groups(outcome, batch.texts(self.group_column))
        self._offer(outcome.scores, batch.first, batch.rows.column(strokes), texts)

    def _add_lengths(self, outcome: Outcome, texts: list[str | None]) -> None:
        lengths = np.array([-1 if text is None else len(text) for text in texts])
        starts = np.minimum(lengths // LENGTH_STEP * LENGTH_STEP, LAST_LENGTH)
        for start in np.unique(starts[lengths >= 0]).tolist():
            _add(self.lengths.setdefault(start, self._summary()), outcome, starts == start)

    def _add_groups(self, outcome: Outcome, given: list[str | None]) -> None:
        names = [NO_GROUP if name is None else name for name in given]
        for name in Counter(names):
            if name not in self.groups and len(self.groups) < MOST_GROUPS:
                self.groups[name] = self._summary()
        names = [name if name in self.groups else OTHER_GROUPS for name in names]
        every = np.array(names, dtype=object)
        for name in Counter(names):
            _add(self.groups.setdefault(name, self._summary()), outcome, every == name)

    def _summary(self) -> Summary:
        return Summary(self.column.thresholds)

    def _offer(self, scores: NDArray[np.float32], first: int, strokes: pa.Array, texts: list[str | None]) -> None:
        shown = {
            "row": np.arange(first, first + len(scores)),
            "score": scores,
            "strokes": strokes,
            "text": pa.array(texts, pa.string()),
        }
        rows = pa.RecordBatch.from_pydict(shown)
        random = self._random.uniform(size=len(scores))
        for section in self.sections:
            self.samples[section.name].offer(section.key(scores.astype(np.float64), random), rows)


def _add(summary: Summary, outcome: Outcome, chosen: NDArray[np.bool_]) -> None:
    summary.add(outcome.scores[chosen], (problem for row, problem in outcome.problems.items() if chosen[row]))
