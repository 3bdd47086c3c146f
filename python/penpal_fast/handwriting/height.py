"""The height of a row's letters, by which other distances are measured."""

from __future__ import annotations

import numpy as np

from penpal_fast.strokes import Strokes


def height_of(strokes: Strokes) -> float:
    """Return the typical height of the letters: the range of y without its highest and lowest tenth."""
    low, high = np.quantile(np.concatenate(strokes)[:, 1], [0.1, 0.9])
    return max(float(high - low), 1e-6)
