"""The renderer in plain Python: the specification of the fast renderer.

It is slow and depends on neither NumPy nor MLX nor the Rust core. A row is a list of strokes, a stroke is a list of
(x, y) pairs, and y grows downward. Words are left out, since they do not change the canvas. All arithmetic is float64.
The fast renderer agrees with `render` within 1e-4 on every pixel.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

Point = tuple[float, float]
Stroke = Sequence[Point]

SIDE = 256
"""Width and height of the canvas in pixels."""

PADDING = 12
"""Blank margin in pixels around the fitted bounding box."""

LINE_WIDTH = 1.5
"""Default width of a drawn line in pixels."""

INNER = SIDE - 2 * PADDING
"""Length in pixels of the longer side of the fitted bounding box."""


def fit(strokes: Sequence[Stroke]) -> list[list[Point]]:
    """Scale and move a row so that its bounding box fills the padded canvas.

    Both axes share the scale INNER / max(width, height), and the box is centred. If all points coincide, they are at
    the centre. Each length is divided by the longer side before it is multiplied, so that no span overflows or
    vanishes.

    Raises:
        ValueError: The row has no points, a coordinate is NaN or infinite, or a span is beyond float64.
    """
    xs = [x for stroke in strokes for x, _ in stroke]
    ys = [y for stroke in strokes for _, y in stroke]
    if not xs:
        raise ValueError("the row has no points")
    if not all(math.isfinite(value) for value in xs + ys):
        raise ValueError("a coordinate is NaN or infinite")
    left, top = min(xs), min(ys)
    width, height = max(xs) - left, max(ys) - top
    if not (math.isfinite(width) and math.isfinite(height)):
        raise ValueError("the coordinates span more than a float64 can hold")
    longer_side = max(width, height) or 1.0
    left_margin = (SIDE - width / longer_side * INNER) / 2
    top_margin = (SIDE - height / longer_side * INNER) / 2
    return [
        [
            ((x - left) / longer_side * INNER + left_margin, (y - top) / longer_side * INNER + top_margin)
            for x, y in stroke
        ]
        for stroke in strokes
    ]


def distance_to_segment(point: Point, start: Point, end: Point) -> float:
    """Distance from a point to the nearest point of a segment; the two ends may coincide."""
    right, down = point[0] - start[0], point[1] - start[1]
    across, along_y = end[0] - start[0], end[1] - start[1]
    length_squared = across * across + along_y * along_y
    share = (right * across + down * along_y) / length_squared if length_squared > 0 else 0.0
    share = min(max(share, 0.0), 1.0)
    return math.hypot(right - share * across, down - share * along_y)


def coverage(distance: float, line_width: float) -> float:
    """How much of a pixel a line covers, from 0 to 1, by the distance of the pixel's centre from the line's centre."""
    return min(max(line_width / 2 + 0.5 - distance, 0.0), 1.0)


def segments(stroke: Stroke) -> Iterator[tuple[Point, Point]]:
    """Yield each pair of neighbouring points of a stroke; a stroke of one point is a segment of no length."""
    if len(stroke) == 1:
        yield stroke[0], stroke[0]
    yield from itertools.pairwise(stroke)


def pixels_within(low: float, high: float) -> range:
    """Indices of the pixels along one axis whose centres lie from low to high."""
    return range(max(math.ceil(low - 0.5), 0), min(math.floor(high - 0.5), SIDE - 1) + 1)


def render(strokes: Sequence[Stroke], line_width: float = LINE_WIDTH) -> list[list[float]]:
    """Fit a row and draw it; see `draw`.

    Raises:
        ValueError: As for `fit`.
    """
    return draw(fit(strokes), line_width)


def draw(fitted: Sequence[Stroke], line_width: float = LINE_WIDTH) -> list[list[float]]:
    """Draw strokes that are on the canvas: SIDE rows of SIDE pixels, 0 for background and 1 for ink.

    Pixel (row, column) has its centre at (column + 0.5, row + 0.5). Each segment is a capsule of radius line_width / 2,
    and a pixel takes the largest coverage, so the canvas does not depend on the order or direction of the strokes.
    """
    canvas = [[0.0] * SIDE for _ in range(SIDE)]
    reach = line_width / 2 + 0.5
    for stroke in fitted:
        for start, end in segments(stroke):
            for row in pixels_within(min(start[1], end[1]) - reach, max(start[1], end[1]) + reach):
                for column in pixels_within(min(start[0], end[0]) - reach, max(start[0], end[0]) + reach):
                    distance = distance_to_segment((column + 0.5, row + 0.5), start, end)
                    canvas[row][column] = max(canvas[row][column], coverage(distance, line_width))
    return canvas
