"""The protocol of an engine."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows

Problem = tuple[int, int | None, str, str]
"""Why a row is bad: its index, the stroke's index where known, a short reason, "REASON: DETAIL"."""


class Engine(Protocol):
    """Scores rows. Safe to use from several threads."""

    def score(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Return scores, float32 [N] in [0, 1] with NaN for bad rows, and the problems of the bad rows in order."""
        ...
