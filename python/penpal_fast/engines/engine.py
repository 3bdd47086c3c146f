"""What every engine does."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows

Problem = tuple[int, "int | None", str, str]
"""What is wrong with one row: row, stroke where known, short reason, "REASON: DETAIL"."""


class Engine(Protocol):
    """Scores rows. May be used from several threads."""

    def score(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Return scores [N] in [0, 1], NaN for bad rows, and what is wrong with these, in order."""
        ...
