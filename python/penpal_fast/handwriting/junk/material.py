"""What junk is made from, and measures that several kinds share."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.height import height_of
from penpal_fast.strokes import Strokes


@dataclasses.dataclass(frozen=True)
class Material:
    """Lines to spoil.

    Attributes:
        line: The line that is spoilt.
        other: Another good line, to mix with the first.
        garbled: A line that a disturbed generator wrote.
    """

    line: Strokes
    other: Strokes
    garbled: Strokes


Junk = Callable[[np.random.Generator, Material], Strokes]
"""Makes one row of junk; what is drawn from nothing ignores the material."""


def filled(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put points along the edges between corners."""
    where = np.linspace(0, len(corners) - 1, 8 * len(corners))
    steps = np.arange(len(corners))
    return np.stack([np.interp(where, steps, corners[:, axis]) for axis in (0, 1)], axis=1)


def fitted(strokes: Strokes, like: Strokes) -> Strokes:
    """Scale a line to the height of another and put it at the same place: left edge and middle height."""
    factor = height_of(like) / height_of(strokes)
    place, target = (np.concatenate(one) for one in (strokes, like))
    middle, wanted = np.median(place[:, 1]), np.median(target[:, 1])
    return [(stroke - [place[:, 0].min(), middle]) * factor + [target[:, 0].min(), wanted] for stroke in strokes]


def moved(strokes: Strokes, across: float, down: float) -> Strokes:
    """Move strokes."""
    offset = np.array([across, down])
    return [stroke + offset for stroke in strokes]


def width_of(strokes: Strokes) -> float:
    """Return the range of x."""
    return float(np.ptp(np.concatenate(strokes)[:, 0]))
