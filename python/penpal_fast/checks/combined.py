"""One score of two: how a row looks, and whether it says its text."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def combined(quality: NDArray[np.floating], match: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the product of the picture score and the match, which is high only where both are.

    Args:
        quality: [N] in [0, 1]; NaN for a bad row.
        match: [N] in [0, 1]; NaN for a bad row and without a text that can be compared.

    Returns:
        float32 [N] in [0, 1]; NaN where either is.
    """
    return (quality * match).astype(np.float32)
