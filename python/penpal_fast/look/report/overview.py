"""What a report says about one file, gathered in constant memory."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.summary import Summary
from penpal_fast.look.report.distribution import Distribution
from penpal_fast.look.report.samples import Sample
from penpal_fast.look.report.sections import SECTIONS
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
    """Counts, quantiles and sample rows of one scored file.

    Attributes:
        group_column: Column that rows are grouped by, if any.
        whole: All rows.
        groups: The rows by what their group column says.
        lengths: The rows by the shortest text of their group of lengths, if there are texts.
        bad_rows: The first row numbers by what is wrong with them.
        samples: Rows to show, by the name of their section; columns row (int64), quality, strokes, text.
    """

    def __init__(self, group_column: str | None, share: float) -> None:
        """Start with no rows; show this share of the rows that each section has room for."""
        self.group_column = group_column
        self.whole = Distribution()
        self.groups: dict[str, Summary] = {}
        self.lengths: dict[int, Summary] = {}
        self.bad_rows: dict[str, list[int]] = {}
        self.samples = {section.name: Sample(max(round(section.size * share), 4)) for section in SECTIONS}
        self._random = np.random.default_rng(RANDOM_SEED)

    def add(self, batch: ScoredBatch, column: str, has_text: bool) -> None:
        """Count rows and offer them to the samples."""
        self.whole.add(batch.quality, batch.problems.values())
        texts: list[str | None] = batch.texts(TEXT_COLUMN) if has_text else [None] * len(batch.quality)
        for row, problem in batch.problems.items():
            reason = problem.partition(":")[0]
            if reason in self.bad_rows or len(self.bad_rows) < MOST_REASONS:
                examples = self.bad_rows.setdefault(reason, [])
                examples += [batch.first + row] if len(examples) < MOST_EXAMPLES else []
        if has_text:
            self._add_lengths(batch, texts)
        if self.group_column:
            self._add_groups(batch, self.group_column)
        self._offer(batch, column, texts)

    def _add_lengths(self, batch: ScoredBatch, texts: list[str | None]) -> None:
        lengths = np.array([-1 if text is None else len(text) for text in texts])
        starts = np.minimum(lengths // LENGTH_STEP * LENGTH_STEP, LAST_LENGTH)
        for start in np.unique(starts[lengths >= 0]).tolist():
            _add(self.lengths.setdefault(start, Summary()), batch, starts == start)

    def _add_groups(self, batch: ScoredBatch, group_column: str) -> None:
        names = [NO_GROUP if name is None else name for name in batch.texts(group_column)]
        for name in Counter(names):
            if name not in self.groups and len(self.groups) < MOST_GROUPS:
                self.groups[name] = Summary()
        names = [name if name in self.groups else OTHER_GROUPS for name in names]
        every = np.array(names, dtype=object)
        for name in Counter(names):
            _add(self.groups.setdefault(name, Summary()), batch, every == name)

    def _offer(self, batch: ScoredBatch, column: str, texts: list[str | None]) -> None:
        shown = {
            "row": np.arange(batch.first, batch.first + len(batch.quality)),
            "quality": batch.quality,
            "strokes": batch.rows.column(column),
            "text": pa.array(texts, pa.string()),
        }
        rows = pa.RecordBatch.from_pydict(shown)
        quality = batch.quality.astype(np.float64)
        random = self._random.uniform(size=len(quality))
        for section in SECTIONS:
            self.samples[section.name].offer(section.key(quality, random), rows)


def _add(summary: Summary, batch: ScoredBatch, chosen: NDArray[np.bool_]) -> None:
    summary.add(batch.quality[chosen], (problem for row, problem in batch.problems.items() if chosen[row]))
