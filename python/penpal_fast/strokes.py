"""Other layouts of strokes: offsets to strokes, and a row of any layout to words."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError

Strokes = list[NDArray[np.float64]]
"""The strokes of a row or of a word: points (x, y) [N, 2] each, N at least 1, y growing downward."""


def strokes_from_offsets(offsets: ArrayLike, *, drop_first_point: bool = False) -> Strokes:
    """Convert Graves offsets to a row of strokes.

    Args:
        offsets: [T, 3] pen offsets (dx, dy, end of stroke), y growing upward. A stroke ends with the point whose third
            number is above 0.5. Points after the last end form a stroke too.
        drop_first_point: Leave out the first stroke if it is a single point, as some generators begin with one far from
            the ink. A row of one stroke is left alone.

    Returns:
        Strokes as float64 [N, 2] of absolute (x, y), y growing downward. The first offset starts at the origin.

    Raises:
        PenpalError: The array is not [T, 3] of numbers, T at least 1, some numbers are masked, or another column than
            the third is the only one of 0 and 1.
    """
    if np.ma.is_masked(offsets):
        raise PenpalError("some offsets are masked; leave them out")
    try:
        steps = np.asarray(offsets, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise PenpalError(f"offsets must be a [T, 3] array of (dx, dy, end of stroke): {error}") from error
    if steps.ndim != 2 or steps.shape[1] != 3 or len(steps) == 0:
        raise PenpalError(f"offsets must be a [T, 3] array of (dx, dy, end of stroke), got the shape {steps.shape}")
    _check_flags(steps)
    with np.errstate(over="ignore", invalid="ignore"):  # Whoever draws the row says that a point is not finite.
        points = np.cumsum(steps[:, :2] * (1.0, -1.0), axis=0)
    ends = np.flatnonzero(steps[:, 2] > 0.5) + 1
    strokes = [stroke for stroke in np.split(points, ends) if len(stroke)]
    return strokes[1:] if drop_first_point and len(strokes) > 1 and len(strokes[0]) == 1 else strokes


def _check_flags(steps: NDArray[np.float64]) -> None:
    """Make sure that the end of a stroke is not in another column than the third.

    Raises:
        PenpalError: It is.
    """
    flags = [bool(np.isin(column, (0, 1)).all()) for column in steps.T]
    if not flags[2] and sum(flags) == 1 and len(steps) > 1:
        name, order = ("first", "[:, [1, 2, 0]]") if flags[0] else ("second", "[:, [0, 2, 1]]")
        raise PenpalError(
            f"offsets must be (dx, dy, end of stroke); the third column is not 0 or 1, and the {name} looks like the "
            f"end of a stroke: give offsets{order}"
        )


def words_of(row: Any) -> list[Strokes]:
    """Convert a row in any accepted layout to words of strokes.

    Args:
        row: Words of strokes or strokes, as `render_strokes` takes them.

    Returns:
        Words, each a list of strokes, each float64 [N, 2] of (x, y) with N at least 1. Neighbouring strokes without a
        word level form one word. Words and strokes without points are left out.

    Raises:
        PenpalError: The row cannot be drawn.
    """
    return Rows([row]).words(0)
