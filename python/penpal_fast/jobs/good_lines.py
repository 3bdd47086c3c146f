"""Thresholds from lines that are known to be good: those that keep a share of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import is_ours, is_score, made_by, noted_origin, prepare, read_outcome
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.jobs.plain_columns import plain_rows
from penpal_fast.jobs.scoring import scored, strokes_for
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.memory import batch_rows

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


def from_good_lines(threshold: str | float | None, thresholds: Mapping[str, str | float] | None) -> str:
    """Return what stands for the threshold until it is found.

    Raises:
        PenpalError: Thresholds are given too.
    """
    if threshold is not None or thresholds is not None:
        given = "threshold" if thresholds is None else "thresholds"
        raise PenpalError(f"give either keep_good or {given}; keep_good finds the threshold")
    return FROM_GOOD_LINES


def check_share(share: float) -> None:
    """Make sure that a share of good lines can be kept.

    Raises:
        PenpalError: It is not a number above 0 and up to 1.
    """
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 < share <= 1:
        raise PenpalError(f"share must be a number above 0, up to 1, got {share!r}")


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
    """Lines that are known to be good, and the checks that can score them."""

    def __init__(
        self,
        sources: Sequence[Source],
        column: str,
        layout: str | None,
        available: Mapping[str, Check],
        memory_mb: int,
        trusted: Collection[str] = (),
    ) -> None:
        """Take the lines' files, which have the same columns, the name and layout of their strokes, and checks; and
        names of columns to take for scores whoever wrote them.
        """
        self._trusted = trusted
        self._sources = sources
        self._column = column
        self._layout = layout
        self._available = available
        self._memory_mb = memory_mb

    def thresholds(
        self, names: Sequence[str], share: float, scored: Sequence[Source], missing: Sequence[str]
    ) -> dict[str, FoundThreshold]:
        """Find the threshold of each check that keeps a share of the lines.

        Their own scores count if they come from the same model as those of the rows to filter.

        Args:
            names: Names of the checks.
            share: The share, above 0 and up to 1.
            scored: The files to filter, which have the scores of checks that are not `missing`.
            missing: Names of the checks that run on the files to filter.

        Raises:
            PenpalError: A file cannot be read, too few lines have a score, or the lines cannot be scored with the same
                model.
        """
        wanted = {name: self._origin(name, scored, missing) for name in names}
        checks = [self._available[name] for name in names if not self._has_scores(name, wanted[name])]
        for check in checks:
            self._check_origin(check, wanted[check.name], is_missing=check.name in missing)
        strokes = strokes_for(checks, self._sources, self._column, self._layout)
        with errors_about(self._where):
            prepare(checks, strokes[0].schema(self._sources[0].schema))
        found = {}
        for name, scores in self._scores(names, checks, strokes).items():
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

    def _origin(self, name: str, scored: Sequence[Source], missing: Sequence[str]) -> str:
        """Return what the scores of the rows to filter come from; empty where it is not known."""
        if name in missing:
            return made_by(self._available[name])
        origins = {noted_origin(source.schema, name) for source in scored}
        if len(origins) > 1:
            raise PenpalError(
                f"the {name} of the inputs comes from different models; score them again with --rescore (rescore=True)"
            )
        return origins.pop()

    def _has_scores(self, name: str, origin: str) -> bool:
        """Whether all lines have the scores of a check from an origin, or no check could give them."""
        is_known = is_score if name in self._trusted or name not in self._available else is_ours
        have = all(is_known(source.schema, name) for source in self._sources)
        if name not in self._available:
            if not have:
                raise PenpalError(f"{self._where}: there is no score column {name!r}, and no check of this name")
            return True
        return have and all(noted_origin(source.schema, name) == origin for source in self._sources)

    def _check_origin(self, check: Check, origin: str, *, is_missing: bool) -> None:
        if is_missing or made_by(check) == origin:
            return
        found = "comes from another model or setting" if origin else "does not say which model it comes from"
        raise PenpalError(
            f"{self._where}: it cannot be scored as the inputs were, as their {check.name} {found}; score the inputs "
            "again with --rescore (rescore=True)"
        )

    def _scores(
        self, names: Sequence[str], checks: Sequence[Check], strokes: Sequence[StrokesColumn]
    ) -> dict[str, NDArray[np.float32]]:
        given = [name for name in names if name not in [check.name for check in checks]]
        scores: dict[str, list[NDArray[np.float32]]] = {name: [np.empty(0, np.float32)] for name in names}
        for source, read in zip(self._sources, strokes, strict=True):
            first = 0
            with source.file.unchanged():
                for batch in source.batches(batch_rows(self._memory_mb, source)):
                    rows = plain_rows(batch.data)
                    outcomes = scored(checks, Batch(rows, batch.problems), read, source)
                    for check, outcome in zip(checks, outcomes, strict=True):
                        scores[check.name].append(outcome.scores)
                    for name in given:
                        scores[name].append(read_outcome(rows, name, source.file.name, first).scores)
                    first += len(rows)
        return {name: np.concatenate(parts) for name, parts in scores.items()}
