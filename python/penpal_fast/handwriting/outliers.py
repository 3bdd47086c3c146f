"""Outliers: a few points far from the rest, which make a row small on the canvas.

Every function takes a random generator and the strokes of a row, and returns strokes. Distances are in heights of the
letters.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.height import height_of
from penpal_fast.strokes import Strokes

Outlier = Callable[[np.random.Generator, Strokes], Strokes]


def spike(random: np.random.Generator, row: Strokes) -> Strokes:
    """Move one to three points of a stroke far away."""
    others = sum(map(len, row)) - 1
    if others == 0:
        return stray_dot(random, row)
    strokes = list(row)
    chosen = int(random.integers(len(strokes)))
    stroke = strokes[chosen].copy()
    first = int(random.integers(len(stroke)))
    stroke[first : first + min(int(random.integers(1, 4)), others)] += _away(random, row, 1.5, 60)
    strokes[chosen] = stroke
    return strokes


def jump(random: np.random.Generator, row: Strokes) -> Strokes:
    """Move all that comes after a point of a row far away, with a line to it where the point is within a stroke."""
    ends = np.cumsum([len(stroke) for stroke in row])
    if ends[-1] == 1:
        return stray_dot(random, row)
    first = int(random.integers(1, ends[-1]))
    chosen = int(np.searchsorted(ends, first, side="right"))
    offset = _away(random, row, 2.5, 40)
    stroke, place = row[chosen], first - int(ends[chosen]) + len(row[chosen])
    if random.random() < 0.5 and place > 0:
        broken = [np.concatenate([stroke[:place], stroke[place:] + offset])]
    else:
        broken = [part for part in (stroke[:place], stroke[place:] + offset) if len(part)]
    return [*row[:chosen], *broken, *(later + offset for later in row[chosen + 1 :])]


def stray_dot(random: np.random.Generator, row: Strokes) -> Strokes:
    """Put a dot far from a row, anywhere among its strokes."""
    place = int(random.integers(len(row) + 1))
    return [*row[:place], _dot(random, row), *row[place:]]


def first_point(random: np.random.Generator, row: Strokes) -> Strokes:
    """Begin a row with a lone point far from it, as SVG paths that move from the origin do."""
    return [_dot(random, row), *row]


OUTLIERS: dict[str, Outlier] = {kind.__name__: kind for kind in (spike, jump, stray_dot, first_point)}


def _away(random: np.random.Generator, row: Strokes, least: float, most: float) -> NDArray[np.float64]:
    """Draw a move by so many heights, mostly up or down, where it is seen from the smallest distance on."""
    length = height_of(row) * math.exp(random.uniform(math.log(least), math.log(most)))
    angle = random.choice([-0.5, 0.5]) * math.pi + random.normal(0, random.choice([0.05, 0.5]))
    if random.random() < 0.3:
        # Along the line a small move would be a space between words.
        angle, length = random.choice([0.0, math.pi]) + random.normal(0, 0.15), length + 3 * height_of(row)
    return np.array([math.cos(angle), math.sin(angle)]) * length


def _dot(random: np.random.Generator, row: Strokes) -> NDArray[np.float64]:
    """Make a stroke of one point, or a speck, beyond the edge of a row."""
    points = np.concatenate(row)
    low, high = points.min(axis=0), points.max(axis=0)
    away = _away(random, row, 0.8, 60)
    inside = random.uniform(low, high)
    # Beyond the edge in the direction of the move.
    place = np.where(away > 0, np.where(np.abs(away) > np.abs(away).max() / 2, high, inside), inside)
    place = np.where((away < 0) & (np.abs(away) > np.abs(away).max() / 2), low, place)
    speck = int(random.choice([1, 1, 2, 5]))
    return place + away + random.normal(0, 0.03 * height_of(row), (speck, 2)) * (speck > 1)
