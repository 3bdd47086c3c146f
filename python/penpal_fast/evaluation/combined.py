"""Quality and match together, to measure how well both tell rows apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 0.999999
"""Values of `quality` are taken to be at most this, so that odds are finite."""

WEIGHT = 2.0
"""How much a match counts, in log-odds."""


def combined(quality: NDArray[np.floating], match: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return `quality` with its log-odds lowered by 2 (1 - match).

    A match of 1 leaves `quality` as it is, and one of 0 divides its odds by 7.4. As evidence of two witnesses
    this tells real lines from corrupted ones better than the product of the scores; to choose a row, the product is
    better (`filter --best-of`), since there a right text is worth more than the last bit of looks.

    Args:
        quality: [N] in [0, 1]; NaN for a bad row.
        match: [N] in [0, 1]; NaN for a bad row and without a text that can be compared.

    Returns:
        float32 [N] in [0, 1]; NaN where either is.
    """
    looks = np.minimum(quality.astype(np.float64), MOST)
    both = looks * np.exp(WEIGHT * (match.astype(np.float64) - 1))
    return (both / (both + 1 - looks)).astype(np.float32)
