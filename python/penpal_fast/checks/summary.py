"""Counts and quantiles of the scores of one check, in constant memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.check import count_reasons
from penpal_fast.checks.thresholds import THRESHOLDS

QUANTILES = {"min": 0.0, "p10": 0.1, "p25": 0.25, "median": 0.5, "p75": 0.75, "p90": 0.9, "max": 1.0}

BINS = 10_000
"""Number of bins in which scores are counted; a quantile is off by half a bin at most."""


class Summary:
    """Counts and quantiles of scores.

    Attributes:
        rows: Number of rows.
        reasons: Number of bad rows by reason.
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
        """Count scores, which are NaN for bad rows, and the problems of the bad rows ("REASON: DETAIL")."""
        good = scores[~np.isnan(scores)]
        self.rows += len(scores)
        count_reasons(self.reasons, problems)
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
        """Number of bad rows, which have no score."""
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

    def as_note(self) -> dict[str, Any]:
        """Return all that was counted as JSON, for `take_note`."""
        return {
            "rows": self.rows,
            "reasons": dict(self.reasons),
            "bins": {str(place): int(self._counts[place]) for place in np.flatnonzero(self._counts)},
            "kept": self._kept,
            "sum": self._sum,
            "reach": [self._low, self._high] if self.scored else [],
        }

    def take_note(self, note: dict[str, Any]) -> None:
        """Take what `as_note` returned as what was counted.

        Raises:
            ValueError, TypeError, KeyError, IndexError: It is no such note.
        """
        counts = np.zeros(BINS, dtype=np.int64)
        for place, count in note["bins"].items():
            counts[int(place)] = count
        kept = {name: int(note["kept"][name]) for name in self.thresholds}
        rows, total, reasons = int(note["rows"]), float(note["sum"]), Counter(note["reasons"])
        low, high = map(float, note["reach"] or (np.inf, -np.inf))
        self.rows, self.reasons, self._counts, self._kept, self._sum = rows, reasons, counts, kept, total
        self._low, self._high = low, high

    def as_dict(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {
            "rows": self.rows,
            "scored": self.scored,
            "bad": self.bad,
            "reasons": dict(self.reasons.most_common()),
            "mean": self.mean,
            "quantiles": self.quantiles(),
            "kept": self.kept(),
        }
