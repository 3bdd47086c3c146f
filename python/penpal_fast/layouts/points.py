"""Strokes of points: words of strokes, or strokes; a point is x, y and perhaps more numbers (pressure, time, tilt).

Points are lists of numbers, or structs with x and y in any order and any other fields.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.anchors import TOLERANCE
from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import Level, numbers, row_numbers, without_rows, words_of_strokes
from penpal_fast.layouts.problems import first_problems
from penpal_fast.layouts.shape import Anchors, Shape
from penpal_fast.layouts.turning import turned

TURNED_FAR = (
    "wrong type: a stroke is turned by more than a full turn, if its angle is in radians; give radians, or turn the "
    "points and leave the angle out"
)


@dataclasses.dataclass
class Points:
    """The points of a column.

    Attributes:
        levels: The lists above the points: rows, perhaps words, and strokes.
        x: Of all points.
        y: Of all points.
        nulls: Which points are null.
        problems: What is wrong with rows, by index.
    """

    levels: tuple[Level, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    nulls: NDArray[np.bool_]
    problems: dict[int, str]

    @classmethod
    def of(cls, shape: Shape, size: int | None) -> Points:
        """Read points, which are structs of x and y, or of this many numbers; None for two."""
        size = size or 2
        if shape.kind == "points":
            x, x_nulls = numbers(shape.values[0])
            y, y_nulls = numbers(shape.values[1])
            return cls(shape.levels, x, y, x_nulls | y_nulls, {})
        *levels, points = shape.levels
        values, nulls = numbers(shape.values[0])
        found = np.flatnonzero(points.lengths == size)
        x, y = np.full((2, len(points.lengths)), np.nan)
        missing = np.ones(len(points.lengths), np.bool_)
        first = points.starts[found]
        x[found], y[found], missing[found] = values[first], values[first + 1], nulls[first] | nulls[first + 1]
        wrong = np.flatnonzero(points.valid & (points.lengths != size))
        problems = first_problems(
            row_numbers(levels)[wrong],
            lambda index: (
                f"wrong type: a point has {points.lengths[wrong[index]]} numbers; those of the file have {size}"
            ),
        )
        return cls(tuple(levels), x, y, missing, problems)

    def leave_out(self, left_out: NDArray[np.bool_]) -> None:
        """Leave out points."""
        *above, innermost = self.levels
        lengths = np.bincount(innermost.owners()[~left_out], minlength=len(innermost.lengths)).astype(np.int64)
        self.levels = (*above, Level(lengths, innermost.valid))
        self.x, self.y, self.nulls = self.x[~left_out], self.y[~left_out], self.nulls[~left_out]

    def converted(self, speaking: NDArray[np.bool_]) -> Converted:
        """Make words of strokes."""
        rows = words_of_strokes(self.levels, self.x, self.y, self.nulls)
        with_nulls = np.bincount(row_numbers(self.levels)[self.nulls], minlength=len(speaking)) > 0
        return Converted(without_rows(rows, list(self.problems)), self.problems, speaking & ~with_nulls)


@dataclasses.dataclass(frozen=True)
class StrokesOfPoints:
    """Strokes of points. Their anchors, if they have any, are left alone.

    Attributes:
        size: How many numbers a point has; None for structs.
    """

    size: int | None = None
    name: str = "strokes"

    @property
    def description(self) -> str:
        """What its rows are."""
        more = "" if self.size in (None, 2) else f" of {self.size} numbers (x, y, ...)"
        return f"strokes of points{more}"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return _are_points(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        points = Points.of(shape, self.size)
        speaking = shape.found
        if (anchors := shape.anchors) is not None:
            first = np.array(first_points(anchors, points))
            starts = np.array([numbers(axis)[0] for axis in (anchors.x, anchors.y)])
            same = (np.abs(first - starts) <= TOLERANCE).all(axis=0) | np.isnan(first[0]) | np.isnan(starts).any(axis=0)
            at_origin = (np.abs(starts) <= TOLERANCE).all(axis=0)
            speaking = speaking & all_in_rows(shape, anchors, same) & ~all_in_rows(shape, anchors, at_origin)
        return points.converted(speaking)


@dataclasses.dataclass(frozen=True)
class RelativePoints:
    """Strokes whose points count from their anchors, as Excalidraw and tldraw write them.

    Attributes:
        size: How many numbers a point has; None for structs.
    """

    size: int | None = None
    name: str = "relative"
    description: str = "strokes with an x and y of their own, from which their points count (Excalidraw)"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return shape.anchors is not None and _are_points(shape)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        points = Points.of(shape, self.size)
        if (anchors := shape.anchors) is not None and len(points.levels) > anchors.level:
            # Texts and rectangles of a drawing have an x and y too, but no points.
            levels, strokes = list(points.levels), points.levels[anchors.level]
            levels[anchors.level] = dataclasses.replace(strokes, valid=np.ones(len(strokes.lengths), np.bool_))
            points.levels = tuple(levels)
        if anchors is None:  # A row of JSON text that lacks x and y.
            return points.converted(np.zeros(shape.rows, np.bool_))
        x, y = first_points(anchors, points)
        at_origin = ((np.abs(x) <= TOLERANCE) & (np.abs(y) <= TOLERANCE)) | np.isnan(x)
        owners = np.arange(len(anchors.x))
        for level in points.levels[anchors.level :]:
            owners = np.repeat(owners, level.lengths)
        points.x, points.y, degrees = turned(points.x, points.y, owners, anchors)
        above = row_numbers(shape.levels[: anchors.level]) if anchors.level else np.arange(shape.rows)
        points.problems |= first_problems(above[degrees], lambda _index: TURNED_FAR)
        (start_x, no_x), (start_y, no_y) = numbers(anchors.x), numbers(anchors.y)
        nowhere = no_x & no_y  # A stroke without an anchor.
        points.x = points.x + np.where(nowhere, 0, start_x)[owners]
        points.y = points.y + np.where(nowhere, 0, start_y)[owners]
        if anchors.deleted is not None:
            points.leave_out(anchors.deleted.fill_null(False).to_numpy(zero_copy_only=False)[owners])
        return points.converted(shape.found & all_in_rows(shape, anchors, at_origin))


def _are_points(shape: Shape) -> bool:
    return len(shape.levels) in {"points": (2, 3), "numbers": (3, 4)}.get(shape.kind, ())


def first_points(anchors: Anchors, points: Points) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return x and y of the first point of each stroke that may have an anchor; NaN without points."""
    first = np.arange(len(anchors.x) + 1)
    for level in points.levels[anchors.level :]:
        first = level.starts[first]
    filled = np.flatnonzero(first[:-1] < first[1:])
    x, y = np.full((2, len(first) - 1), np.nan)
    x[filled], y[filled] = points.x[first[filled]], points.y[first[filled]]
    return x, y


def all_in_rows(shape: Shape, anchors: Anchors, strokes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether something is so of all strokes that may have an anchor, for each row."""
    rows = row_numbers(shape.levels[: anchors.level]) if anchors.level else np.arange(shape.rows)
    return np.bincount(rows[~strokes], minlength=shape.rows) == 0
