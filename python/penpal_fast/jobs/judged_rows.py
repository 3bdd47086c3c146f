"""Rows with the verdict on them, by all that a filter demands."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Generator, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.columns import error_column, read_outcome
from penpal_fast.jobs.best_of import BestRows
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.jobs.score_parts import ScoreParts
from penpal_fast.jobs.selection import Verdict, verdict_on
from penpal_fast.jobs.top import TopRows, wanted_rows
from penpal_fast.jobs.unscored import Unscored
from penpal_fast.progress import Progress

NOT_BEST = "not the best of its group"
NOT_TOP = "not among the top"

TINY = 1e-300
"""Less than any product of scores that are not 0."""


@dataclasses.dataclass(frozen=True)
class Judged:
    """Rows with the verdict on them.

    Attributes:
        data: The rows.
        verdict: The verdict.
        where: Where they come from, for errors.
        first: Number of the first of them there.
    """

    data: pa.RecordBatch
    verdict: Verdict
    where: str
    first: int


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a filter demands of rows; see `penpal_fast.jobs.filter.filter_dataset`.

    Attributes:
        thresholds: The least score of each check, by its name.
        best_of: Column whose values rows share, of which the best is kept.
        top: Rows or share of rows with the highest scores that are kept.
    """

    thresholds: dict[str, float]
    best_of: str | None = None
    top: float | None = None

    @property
    def passes(self) -> int:
        """How often all rows are read."""
        return 1 + (self.best_of is not None) + 2 * (self.top is not None)


class JudgedRows:
    """Reads all rows as often as the rules need, and says of each whether it is kept.

    Attributes:
        groups: Number of groups of `best_of`, once all rows are given; None without that rule.
    """

    def __init__(
        self,
        rows: ScoreParts,
        rules: Rules,
        ranked_by: Sequence[str],
        names: Sequence[str],
        unscored: Unscored | None,
        total: int,
        progress: Progress,
    ) -> None:
        """Take the rows.

        Args:
            rows: The rows with their scores.
            rules: What is demanded of them.
            ranked_by: Names of the scores whose product says which row of a group is the best.
            names: Names of the columns of the rows.
            unscored: Counts the rows without a score; None if they were counted before.
            total: Number of rows.
            progress: Called with the number of finished rows and of all rows, rows of all passes counted.
        """
        self.groups: int | None = None
        self._rows = rows
        self._rules = rules
        self._ranked_by = list(ranked_by)
        self._names = names
        self._unscored = unscored
        self._total = total
        self._progress = progress
        self._done = 0

    def batches(self) -> Generator[Judged, None, None]:
        """Yield all rows in order, each batch with the verdict on it. May be called once."""
        best = self._best_rows()
        top = self._top_rows(best)
        self.groups = best.groups if best else None
        with made_ahead(self._judged(best, top), "scoring") as judged:
            for rows in judged:
                yield rows
                self._count(rows.data)

    def _count(self, rows: pa.RecordBatch) -> None:
        self._done += len(rows)
        self._progress(self._done, self._rules.passes * self._total)

    def _judged(
        self, best: BestRows | None = None, top: TopRows | None = None, columns: list[str] | None = None
    ) -> Generator[Judged, None, None]:
        """Yield rows in order with the verdict on them, by the thresholds and the rules whose rows are known."""
        done = 0
        unscored, self._unscored = self._unscored, None  # Rows are counted when they are read for the first time.
        with contextlib.closing(self._rows.batches(columns)) as scored:
            for some in scored:
                verdict = verdict_on(some.data, self._rules.thresholds, some.unread, some.where, some.first)
                if unscored:
                    names = [name for name in self._rules.thresholds if name in some.data.schema.names]
                    found = [read_outcome(some.data, name, some.where, some.first) for name in names]
                    unscored.add(done, found, some.data)
                if best and self._rules.best_of is not None:
                    verdict = verdict.among(best.chosen(some.data.column(self._rules.best_of), done), NOT_BEST)
                rows = Judged(some.data, verdict, some.where, some.first)
                if top:
                    ranks = _ranks(rows, self._rules.thresholds)
                    rows = dataclasses.replace(
                        rows, verdict=verdict.among(top.chosen(ranks.astype(np.float32)), NOT_TOP)
                    )
                yield rows
                done += len(some.data)
        if unscored:
            unscored.check()

    def _best_rows(self) -> BestRows | None:
        """Find the best row of each group, if that is a rule."""
        if self._rules.best_of is None:
            return None
        best = BestRows()
        for rows in self._judged_ahead():
            best.add(rows.data.column(self._rules.best_of), _ranks(rows, self._ranked_by))
            self._count(rows.data)
        return best

    def _top_rows(self, best: BestRows | None) -> TopRows | None:
        """Find the rows with the highest scores, if that is a rule."""
        if (top := self._rules.top) is None:
            return None
        scored = 0

        def ranks() -> Iterator[NDArray[np.float32]]:
            nonlocal scored
            scored = 0
            for rows in self._judged_ahead(best):
                yield _ranks(rows, self._rules.thresholds).astype(np.float32)
                scored += len(rows.data) - len(rows.verdict.problems)
                self._count(rows.data)

        return TopRows(ranks, lambda: wanted_rows(top, scored))

    def _judged_ahead(self, best: BestRows | None = None) -> Iterator[Judged]:
        """Yield rows with no more columns than the rules need."""
        errors = [error_column(name) for name in self._ranked_by]
        groups = [] if self._rules.best_of is None else [self._rules.best_of]
        needed = dict.fromkeys([*groups, *self._ranked_by, *errors])
        columns = [name for name in needed if name in self._names]
        with made_ahead(self._judged(best, columns=columns), "scoring") as judged:
            yield from judged


def _ranks(rows: Judged, names: Iterable[str]) -> NDArray[np.float64]:
    """Multiply the scores of each row; a score that is missing counts as 0. Rows that are not kept have NaN.

    Where the product is 0, as without a text, it is a tiny share of the sum, so that rows differ there too. (Not
    among the top rows, whose ranks are compared in float32.)
    """
    found = [read_outcome(rows.data, name, rows.where, rows.first).scores for name in names]
    scores = np.nan_to_num(np.array(found, np.float64))
    ranks = np.prod(scores, axis=0)
    ranks = np.where(ranks > 0, ranks, TINY * scores.sum(axis=0))
    return np.where(rows.verdict.kept, ranks, np.nan)
