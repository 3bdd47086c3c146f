"""Strokes as vector drawings: SVG paths with rounded coordinates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

LONGER_SIDE = 800
"""Units of the longer side of a drawing, where the canvas has 232 pixels."""

MARGIN = 12
"""Units around a drawing, for the width of its lines."""

MARK, MARK_WIDTH = "#e0442a66", 20
"""Colour and width of marks."""

MAX_POINTS = 3000
"""Points that a drawing has at most; longer rows are drawn from every n-th point of each stroke."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A row as SVG paths.

    Attributes:
        width: Width in units, with margins.
        height: Height in units, with margins.
        paths: The path data (`d`) of each stroke, in order.
        marks: The path data of marked pieces of strokes, which are drawn wide and pale under the strokes.
    """

    width: int
    height: int
    paths: list[str]
    marks: list[str] = dataclasses.field(default_factory=list)

    def svg(self, label: str, colours: Sequence[str] | None = None) -> str:
        """Return an SVG element.

        Args:
            label: Description for screen readers.
            colours: CSS colour of each stroke; by default the colour of the surrounding text.
        """
        marks = (f'<path d="{path}" stroke="{MARK}" stroke-width="{MARK_WIDTH}"/>' for path in self.marks)
        strokes = (
            f'<path d="{path}" stroke="{escape(colour)}"/>'
            for path, colour in zip(self.paths, colours or ["currentColor"] * len(self.paths), strict=True)
        )
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(label)}" fill="none" '
            'stroke-width="5" stroke-linecap="round" stroke-linejoin="round" xmlns="http://www.w3.org/2000/svg">'
            f"{''.join(marks)}{''.join(strokes)}</svg>"
        )


def draw(strokes: Sequence[NDArray[np.float64]], marks: Sequence[NDArray[np.float64]] = ()) -> Drawing:
    """Draw strokes, each float64 [N, 2] of finite (x, y), N at least 1, y growing downward.

    Args:
        strokes: The strokes.
        marks: Pieces of strokes to mark, in the same form.
    """
    points = np.concatenate(strokes)
    corner, size = points.min(axis=0), np.ptp(points, axis=0)
    longer_side = size.max() or 1.0
    width, height = (int(side) for side in np.ceil(size / longer_side * LONGER_SIDE) + 2 * MARGIN)
    step = -(-len(points) // MAX_POINTS)

    def paths(lines: Sequence[NDArray[np.float64]]) -> list[str]:
        placed = ((line[::step] - corner) / longer_side * LONGER_SIDE + MARGIN for line in lines)
        return [_path(np.rint(places).astype(np.int64)) for places in placed]

    return Drawing(width, height, paths(strokes), paths(marks))


def _path(points: NDArray[np.int64]) -> str:
    """Return relative moves, without points that repeat the one before. A single point becomes a dot."""
    moves = np.diff(points, axis=0)
    moves = moves[moves.any(axis=1)]
    if len(moves) == 0:
        return f"M{points[0, 0]} {points[0, 1]}h0"
    numbers = " ".join(map(str, moves.ravel())).replace(" -", "-")
    return f"M{points[0, 0]} {points[0, 1]}l{numbers}"
