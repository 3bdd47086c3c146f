"""Changes of a row's geometry that nobody would call another quality: its slope, slant and proportions."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast.strokes import Strokes


@dataclasses.dataclass(frozen=True)
class Geometry:
    """A linear change.

    Attributes:
        slope: Rotation in degrees; positive is downhill.
        slant: Lean of the letters in degrees; positive is to the right.
        stretch: Factor of the width.
    """

    slope: float = 0.0
    slant: float = 0.0
    stretch: float = 1.0

    def matrix(self) -> NDArray[np.float64]:
        """Return the matrix [2, 2] that points [N, 2] are multiplied by: stretch first, then slant, then slope."""
        angle = math.radians(self.slope)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
        return np.array([[self.stretch, 0.0], [-math.tan(math.radians(self.slant)), 1.0]]) @ turn

    def __call__(self, strokes: Strokes) -> Strokes:
        """Change strokes."""
        return split_like(strokes, np.concatenate(strokes) @ self.matrix())


USUAL = Geometry(slope=2.0, slant=6.0, stretch=1.12)
"""Standard deviations of what people's hands differ by."""


MAX_SLOPE = 0.5
"""A row with a steeper slope is taller than wide, such as a single letter, and has no slope to speak of."""


UNCHANGED, ONE_CHANGED = 0.35, 0.45
"""Shares of the rows of which nothing, or one thing, is changed by more than hands usually differ; of the others all
is. Rows that are changed in every way at once are rare, and a small network would pay for them."""


def drawn_geometry(random: np.random.Generator, *, slope: float, slant: float, stretch: float) -> Geometry:
    """Draw a change.

    Args:
        random: Source of randomness.
        slope: Largest slope in degrees, either way.
        slant: Largest slant in degrees, either way.
        stretch: Largest stretch; the smallest is 2 divided by it.
    """
    small = random.normal(0, [USUAL.slope, USUAL.slant, math.log(USUAL.stretch)])
    wide = random.uniform([-slope, -slant, -math.log(stretch / 2)], [slope, slant, math.log(stretch)])
    chance = random.random()
    if chance < UNCHANGED:
        drawn = small
    elif chance < UNCHANGED + ONE_CHANGED:
        drawn = np.where(np.arange(3) == random.integers(3), wide, small)
    else:
        drawn = wide
    return Geometry(float(drawn[0]), float(drawn[1]), math.exp(drawn[2]))


def levelled(strokes: Strokes) -> Strokes:
    """Remove the least-squares slope of a row, as synthetic lines are made: a slope must not reveal the kind."""
    points = np.concatenate(strokes)
    centred = points[:, 0] - points[:, 0].mean()
    spread = float(centred @ centred)
    if spread <= 0:
        return strokes
    slope = float(centred @ points[:, 1]) / spread
    if abs(slope) > MAX_SLOPE:
        return strokes
    return split_like(strokes, points @ np.array([[1.0, -slope], [0.0, 1.0]]))


def split_like(strokes: Strokes, points: NDArray[np.float64]) -> Strokes:
    """Split changed points of a row as its strokes are. To change all at once is faster than stroke by stroke."""
    ends = itertools.accumulate(map(len, strokes), initial=0)
    return [points[first:end] for first, end in itertools.pairwise(ends)]
