"""Other notations of pen strokes, converted to rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def strokes_from_offsets(offsets: ArrayLike) -> list[NDArray[np.float64]]:
    """Convert Graves offsets to a row of strokes.

    Args:
        offsets: [T, 3] pen offsets (dx, dy, end of stroke), y growing upward; a stroke ends with the point whose third
            number is above 0.5. Points after the last end form a stroke too.

    Returns:
        The strokes as [N, 2] arrays of absolute positions, y growing downward, the first offset taken from the origin.

    Raises:
        PenpalError: The array is not [T, 3] of numbers, T at least 1.
    """
    try:
        steps = np.asarray(offsets, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise PenpalError(f"offsets must be a [T, 3] array of (dx, dy, end of stroke): {error}") from error
    if steps.ndim != 2 or steps.shape[1] != 3 or len(steps) == 0:
        raise PenpalError(f"offsets must be a [T, 3] array of (dx, dy, end of stroke), got the shape {steps.shape}")
    points = np.cumsum(steps[:, :2] * (1.0, -1.0), axis=0)
    ends = np.flatnonzero(steps[:, 2] > 0.5) + 1
    return [stroke for stroke in np.split(points, ends) if len(stroke)]
