"""The figures of one check in one file, collected in constant memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.check import Outcome, reason_of
from penpal_fast.checks.columns import ScoreColumn
from penpal_fast.checks.summary import Summary
from penpal_fast.look.report.distribution import Distribution
from penpal_fast.look.report.samples import Sample
from penpal_fast.look.report.sections import sections_of
from penpal_fast.look.report.shown import ShownRows
from penpal_fast.look.scored_file import ScoredBatch

MAX_GROUPS = 60
"""Groups that are kept apart: the first that appear. All other rows form one more group."""

OTHER_GROUPS = "all others"
NO_GROUP = "none given"

LENGTH_STEP, LAST_LENGTH = 5, 100
"""Texts are grouped by length, in steps of 5 characters; texts of 100 characters or more are one group."""

MAX_LISTED_REASONS, MAX_EXAMPLES = 100, 8
"""Reasons for bad rows that are listed, and example row numbers for each."""

RANDOM_SEED = 1


class Overview:
    """Counts, quantiles and sample rows of one check's scores in one file.

    Attributes:
        column: The check's scores.
        group_column: Column to group rows by, if any.
        whole: Figures of all rows.
        groups: Figures of each group, by its value in the group column.
        lengths: Figures of each group of text lengths, by its shortest length; empty without texts.
        bad_rows: Example row numbers of bad rows, by reason.
        sections: The sections of the gallery.
        samples: Rows to show, by the name of their section; columns row (int64), strokes, text, reading,
            score.
    """

    def __init__(self, column: ScoreColumn, group_column: str | None, share: float) -> None:
        """Start with no rows; `share` is the part of each section's size that is used."""
        self.column = column
        self.group_column = group_column
        self.whole = Distribution(column.thresholds)
        self.groups: dict[str, Summary] = {}
        self.lengths: dict[int, Summary] = {}
        self.bad_rows: dict[str, list[int]] = {}
        self.sections = sections_of(column.thresholds)
        self.samples = {section.name: Sample(max(round(section.size * share), 4)) for section in self.sections}
        self._random = np.random.default_rng(RANDOM_SEED)

    def add(self, batch: ScoredBatch, shown: ShownRows) -> None:
        """Count the rows of a batch and offer them to the samples."""
        outcome = batch.outcomes[self.column.name]
        self.whole.add(outcome.scores, outcome.problems.values())
        for row, problem in outcome.problems.items():
            reason = reason_of(problem)
            if reason in self.bad_rows or len(self.bad_rows) < MAX_LISTED_REASONS:
                examples = self.bad_rows.setdefault(reason, [])
                examples += [batch.first + row] if len(examples) < MAX_EXAMPLES else []
        self._add_lengths(outcome, shown.texts)
        if self.group_column:
            self._add_groups(outcome, batch.texts(self.group_column))
        self._offer(outcome.scores, shown)

    def _add_lengths(self, outcome: Outcome, texts: list[str | None]) -> None:
        lengths = np.array([-1 if text is None else len(text) for text in texts])
        starts = np.minimum(lengths // LENGTH_STEP * LENGTH_STEP, LAST_LENGTH)
        for start in np.unique(starts[lengths >= 0]).tolist():
            _add(self.lengths.setdefault(start, self._summary()), outcome, starts == start)

    def _add_groups(self, outcome: Outcome, values: list[str | None]) -> None:
        names = [NO_GROUP if value is None else value for value in values]
        for name in dict.fromkeys(names):
            if len(self.groups) < MAX_GROUPS:
                self.groups.setdefault(name, self._summary())
        known = np.array([name if name in self.groups else OTHER_GROUPS for name in names], dtype=object)
        for name in dict.fromkeys(known):
            _add(self.groups.setdefault(name, self._summary()), outcome, known == name)

    def _summary(self) -> Summary:
        return Summary(self.column.thresholds)

    def _offer(self, scores: NDArray[np.float32], shown: ShownRows) -> None:
        rows = shown.with_scores(score=scores)
        random = self._random.uniform(size=len(scores))
        for section in self.sections:
            self.samples[section.name].offer(section.key(scores.astype(np.float64), random), rows)


def _add(summary: Summary, outcome: Outcome, chosen: NDArray[np.bool_]) -> None:
    summary.add(outcome.scores[chosen], (problem for row, problem in outcome.problems.items() if chosen[row]))
