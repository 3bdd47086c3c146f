"""Strokes of two points: whether `[[a, b], [c, d]]` is two points or the columns x and y, as far as numbers tell."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.layouts.nested import Lengths, numbers, row_numbers
from penpal_fast.layouts.shape import Shape

MANY_STROKES = 4
"""Strokes of a row from which it says anything."""

CLEARLY = 4
"""How many times as long strokes are in the wrong reading: in lines of writing they are short beside the line, and in
the wrong reading they lead across it.
"""


@dataclasses.dataclass
class PairLengths:
    """How long strokes of two points are, as shares of their row's size, in both readings."""

    as_points: float = 0.0
    as_columns: float = 0.0

    def look_at(self, shape: Shape) -> None:
        """Add rows."""
        if shape.kind != "numbers" or len(shape.levels) < 3:
            return
        *above, strokes, points = shape.levels
        values = numbers(shape.values[0])[0]
        sized = np.bincount(strokes.owners()[points.lengths == 2], minlength=len(strokes.lengths))
        two = np.flatnonzero((strokes.lengths == 2) & (sized == 2))
        if not len(two):
            return
        first = points.starts[strokes.starts[two]]
        corners = values[first[:, None] + np.arange(4)].reshape(-1, 2, 2)
        kept = np.isfinite(corners).all(axis=(1, 2))
        rows = row_numbers(above)[two][kept]
        with np.errstate(over="ignore"):
            self.as_points += _share(corners[kept], rows, shape.rows)
            self.as_columns += _share(corners[kept].transpose(0, 2, 1), rows, shape.rows)

    @property
    def are_points(self) -> bool | None:
        """Whether they are points rather than columns; None if they do not tell."""
        if self.as_points * CLEARLY < self.as_columns:
            return True
        return False if self.as_columns * CLEARLY < self.as_points else None


def _share(strokes: NDArray[np.float64], owners: Lengths, rows: int) -> float:
    """Return the sum over rows of the mean length of strokes [N, 2 points, 2] as a share of the row's size."""
    lowest, highest = np.full((rows, 2), np.inf), np.full((rows, 2), -np.inf)
    np.minimum.at(lowest, owners, strokes.min(axis=1))
    np.maximum.at(highest, owners, strokes.max(axis=1))
    counts = np.bincount(owners, minlength=rows)
    many = np.flatnonzero(counts >= MANY_STROKES)
    sizes = np.hypot(*(highest[many] - lowest[many]).T)
    lengths = np.bincount(owners, np.hypot(*(strokes[:, 1] - strokes[:, 0]).T), rows)[many] / counts[many]
    usable = np.isfinite(sizes) & (sizes > 0) & np.isfinite(lengths)
    return float((lengths[usable] / sizes[usable]).sum())
