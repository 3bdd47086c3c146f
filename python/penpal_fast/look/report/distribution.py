"""How scores are spread, and how many rows each step of the page's slider keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from penpal_fast.checks.summary import Summary
from penpal_fast.checks.thresholds import THRESHOLDS

STEPS = 1000
"""Steps of the slider from 0 to 1."""

_STEP_SCORES = (np.arange(STEPS + 1) / STEPS).astype(np.float32)


class Distribution:
    """A summary with a count for each step of the slider.

    Attributes:
        summary: Counts, reasons, quantiles and the shares that the thresholds keep.
    """

    def __init__(self, thresholds: Mapping[str, float] = THRESHOLDS) -> None:
        """Start with no rows."""
        self.summary = Summary(thresholds)
        self._counts = np.zeros(STEPS + 1, dtype=np.int64)

    def add(self, scores: NDArray[np.float32], problems: Iterable[str]) -> None:
        """Count scores, NaN for bad rows, and the problems of the bad rows."""
        self.summary.add(scores, problems)
        good = scores[~np.isnan(scores)]
        steps = np.searchsorted(_STEP_SCORES, good, side="right") - 1
        self._counts += np.bincount(steps, minlength=STEPS + 1)

    def counts(self) -> NDArray[np.int64]:
        """Return the rows from each step to before the next one, [STEPS + 1]; the last counts scores of 1."""
        return self._counts.copy()

    def kept(self) -> NDArray[np.int64]:
        """Return the rows with a score at or above each step, [STEPS + 1], compared as the thresholds are."""
        return self._counts[::-1].cumsum()[::-1]
