"""Counts and quantiles of the scores of one check, in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.thresholds import THRESHOLDS

QUANTILES = {"min": 0.0, "p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9, "max": 1.0}

BINS = 10_000
"""Scores are counted in bins of a ten-thousandth, so a quantile is off by half of that at most."""


class Summary:
    """Scores of rows, counted.

    Attributes:
        rows: Number of rows.
        reasons: Bad rows by the reason they have no score.
        thresholds: Named thresholds, for `kept`.
    """

    def __init__(self, thresholds: Mapping[str, float] = THRESHOLDS) -> None:
        """Start with no rows."""
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self.thresholds = dict(thresholds)
        self._counts = np.zeros(BINS, dtype=np.int64)
        self._kept = dict.fromkeys(thresholds, 0)
        self._sum = 0.0
        self._low, self._high = np.inf, -np.inf

    def __repr__(self) -> str:
        """Show the counts."""
        mean = "" if self.mean is None else f", mean={self.mean:.3f}"
        return (
            f"Summary(rows={self.rows}, scored={self.scored}, kept={self.kept()}, reasons={dict(self.reasons)}{mean})"
        )

    def add(self, scores: NDArray[np.float32], problems: Iterable[str]) -> None:
        """Count scores, NaN for bad rows, and the problems of the bad rows ("REASON: DETAIL")."""
        good = scores[~np.isnan(scores)]
        self.rows += len(scores)
        self.reasons.update(problem.partition(":")[0] for problem in problems)
        if len(good) == 0:
            return
        bins = np.minimum((good.astype(np.float64) * BINS).astype(np.int64), BINS - 1)
        self._counts += np.bincount(bins, minlength=BINS)
        self._sum += float(good.sum(dtype=np.float64))
        self._low, self._high = min(self._low, float(good.min())), max(self._high, float(good.max()))
        for name, threshold in self.thresholds.items():
            self._kept[name] += int((good >= np.float32(threshold)).sum())

    @property
    def scored(self) -> int:
        """Number of rows that have a score."""
        return int(self._counts.sum())

    @property
    def bad(self) -> int:
        """Number of rows that have none."""
        return self.rows - self.scored

    @property
    def mean(self) -> float | None:
        """Mean score, None without scores."""
        return self._sum / self.scored if self.scored else None

    def quantiles(self) -> dict[str, float]:
        """Return the quantiles of the scores by name; empty without scores."""
        if not self.scored:
            return {}
        below = np.cumsum(self._counts)
        values = {}
        for name, share in QUANTILES.items():
            rank = min(int(share * self.scored), self.scored - 1)
            middle = (int(np.searchsorted(below, rank, side="right")) + 0.5) / BINS
            values[name] = min(max(middle, self._low), self._high)
        return {**values, "min": self._low, "max": self._high}

    def kept(self) -> dict[str, float]:
        """Return the share of scored rows at or above each threshold, by the threshold's name; empty without scores."""
        return {name: count / self.scored for name, count in self._kept.items()} if self.scored else {}

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {
            "rows": self.rows,
            "scored": self.scored,
            "bad": self.bad,
            "reasons": dict(self.reasons.most_common()),
            "mean": self.mean,
            "quantiles": self.quantiles(),
            "kept": self.kept(),
        }
