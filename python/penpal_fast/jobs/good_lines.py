"""Thresholds from lines that are known to be good: those that keep a share of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import is_ours, is_score, made_by, noted_origin, prepare, read_outcome
from penpal_fast.errors import PenpalError, UsageError, errors_about
from penpal_fast.jobs.filter_plan import FilterPlan
from penpal_fast.jobs.opened import OpenedSource
from penpal_fast.jobs.plain_columns import plain_rows
from penpal_fast.jobs.scoring import opened_for, scored
from penpal_fast.sources.batch import Batch, Source

MIN_ROWS = 20
"""Scored rows that a threshold needs: with these, it is the second lowest score at a share of 0.95."""

FROM_GOOD_LINES = "from good lines"
"""Stands for a threshold until it is found."""


@dataclasses.dataclass(frozen=True)
class FoundThreshold:
    """A threshold from good lines.

    Attributes:
        threshold: The threshold: the lowest number that is the score of one of the lines as float32. Scores may also be
            float64, as JSON lines are read, where that score is a number a little above or below.
        kept: Share of the lines that reach it.
        rows: Number of lines that have a score.
    """

    threshold: float
    kept: float
    rows: int

    def shown(self) -> str:
        """Return the number in few digits, with which a filter keeps the same scores of float32."""
        score = np.float32(self.threshold)
        highest = min(float(score), float(str(score)))
        for digits in range(4, 12):
            shown = f"{math.ceil(self.threshold * 10**digits) / 10**digits:.{digits}f}"
            if self.threshold <= float(shown) <= highest:
                return shown
        return repr(self.threshold)


def check_no_thresholds(threshold: str | float | None, thresholds: Mapping[str, str | float] | None) -> None:
    """Make sure that no thresholds are given beside good lines.

    Raises:
        UsageError: There are some.
    """
    if threshold is not None or thresholds is not None:
        given = "threshold" if thresholds is None else "thresholds"
        raise UsageError(f"give either keep_good or {given}; keep_good finds the threshold")


def check_share(share: float) -> None:
    """Make sure that a share of good lines can be kept.

    Raises:
        UsageError: It is not a number above 0 and up to 1.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise UsageError(f"share must be a number above 0, up to 1, got {share!r}")


def found_threshold(scores: NDArray[np.float32], share: float) -> FoundThreshold:
    """Return the highest score that at least a share of scores reach; NaN does not count."""
    good = np.sort(scores[~np.isnan(scores)])[::-1]
    score = good[max(math.ceil(share * len(good) - 1e-9), 1) - 1]
    return FoundThreshold(_lowest_double(score), float(np.mean(good >= score)), len(good))


def _lowest_double(score: np.float32) -> float:
    """Return the lowest number, 0 at least, that is a score once it is rounded to float32."""
    between = (float(np.nextafter(score, np.float32(-1))) + float(score)) / 2
    lowest = between if np.float32(between) == score else float(np.nextafter(between, 1.0))
    return max(lowest, 0.0)


class GoodLines:
    """Lines that are known to be good, for a filter of other rows."""

    def __init__(self, sources: Sequence[Source], plan: FilterPlan) -> None:
        """Take the lines' files, which have the same columns, and the plan of the filter, whose checks score them."""
        self._sources = sources
        self._plan = plan

    def thresholds(self, names: Sequence[str], share: float) -> dict[str, FoundThreshold]:
        """Find the threshold of each check that keeps a share of the lines.

        Their own scores count if they come from the same model as those of the rows to filter.

        Args:
            names: Names of the checks.
            share: The share, above 0 and up to 1.

        Raises:
            PenpalError: A file cannot be read, too few lines have a score, or the lines cannot be scored with the same
                model.
        """
        origins = {name: self._origin(name) for name in names}
        checks = [self._plan.available[name] for name in names if not self._has_scores(name, origins[name])]
        for check in checks:
            self._check_origin(check, origins[check.name])
        opened = opened_for(checks, self._sources, self._plan.column, self._plan.layout)
        with errors_about(self._where):
            prepare(checks, opened[0].schema)
        found = {}
        for name, scores in self._scores(names, checks, opened).items():
            if (count := int((~np.isnan(scores)).sum())) < MIN_ROWS:
                raise PenpalError(
                    f"{self._where}: {count} of {len(scores)} rows have a {name}; a threshold needs at least "
                    f"{MIN_ROWS} good rows that have one. Give more rows, or a threshold"
                )
            found[name] = found_threshold(scores, share)
        return found

    @property
    def _where(self) -> str:
        return self._sources[0].file.name

    def _origin(self, name: str) -> str:
        """Return what the scores of the rows to filter come from; empty where it is not known."""
        if name not in self._plan.given:
            return made_by(self._plan.available[name])
        origins = {noted_origin(source.schema, name) for source in self._plan.sources}
        if len(origins) > 1:
            raise PenpalError(
                f"the {name} of the inputs comes from different models; score them again with --rescore (rescore=True)"
            )
        return origins.pop()

    def _has_scores(self, name: str, origin: str) -> bool:
        """Whether all lines have the scores of a check from an origin, or no check could give them."""
        can_run = name in self._plan.available
        is_known = is_ours if can_run and name not in self._plan.trusted else is_score
        have = all(is_known(source.schema, name) for source in self._sources)
        if not can_run:
            if not have:
                raise PenpalError(f"{self._where}: there is no score column {name!r}, and no check of this name")
            return True
        return have and all(noted_origin(source.schema, name) == origin for source in self._sources)

    def _check_origin(self, check: Check, origin: str) -> None:
        if check.name not in self._plan.given or made_by(check) == origin:
            return
        found = "comes from another model or setting" if origin else "does not say which model it comes from"
        raise PenpalError(
            f"{self._where}: it cannot be scored as the inputs were, as their {check.name} {found}; score the inputs "
            "again with --rescore (rescore=True)"
        )

    def _scores(
        self, names: Sequence[str], checks: Sequence[Check], opened: Sequence[OpenedSource]
    ) -> dict[str, NDArray[np.float32]]:
        given = [name for name in names if name not in [check.name for check in checks]]
        scores: dict[str, list[NDArray[np.float32]]] = {name: [np.empty(0, np.float32)] for name in names}
        for one in opened:
            first = 0
            with one.source.file.unchanged():
                for batch in one.batches(self._plan.memory_mb):
                    rows = plain_rows(batch.data)
                    outcomes = scored(checks, Batch(rows, batch.problems), one)
                    for check, outcome in zip(checks, outcomes, strict=True):
                        scores[check.name].append(outcome.scores)
                    for name in given:
                        scores[name].append(read_outcome(rows, name, one.name, first).scores)
                    first += len(rows)
        return {name: np.concatenate(parts) for name, parts in scores.items()}
