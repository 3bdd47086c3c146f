"""Strokes as vector drawings: SVG paths with rounded coordinates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

LONGER_SIDE = 800
"""Units of the longer side of a drawing; the canvas of the network has 232 pixels there."""

MARGIN = 12
"""Units around a drawing, for the width of its lines."""

MOST_POINTS = 3000
"""Points of a drawing; of a row with more, every n-th point of each stroke is drawn, so that no row fills a page."""


@dataclasses.dataclass(frozen=True)
class Drawing:
    """A row as SVG paths.

    Attributes:
        width: Units from left to right, margins included.
        height: Units from top to bottom, margins included.
        paths: The `d` of each stroke's path, in the order of the strokes.
    """

    width: int
    height: int
    paths: list[str]

    def svg(self, label: str, colours: Sequence[str] | None = None) -> str:
        """Return an SVG element.

        Args:
            label: What it shows, for those who cannot see it.
            colours: CSS colour of each stroke; that of the surrounding text by default.
        """
        strokes = (
            f'<path d="{path}" stroke="{escape(colour)}"/>'
            for path, colour in zip(self.paths, colours or ["currentColor"] * len(self.paths), strict=True)
        )
        return (
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(label)}" fill="none" '
            'stroke-width="5" stroke-linecap="round" stroke-linejoin="round" xmlns="http://www.w3.org/2000/svg">'
            f"{''.join(strokes)}</svg>"
        )


def draw(strokes: Sequence[NDArray[np.float64]]) -> Drawing:
    """Draw strokes, each float64 [N, 2] of finite (x, y), N at least 1, y growing downward."""
    points = np.concatenate(strokes)
    corner = points.min(axis=0)
    size = points.max(axis=0) - corner
    scaled_size = size / (size.max() or 1.0) * LONGER_SIDE
    width, height = (int(side) for side in np.ceil(scaled_size) + 2 * MARGIN)
    step = -(-len(points) // MOST_POINTS)
    paths = []
    for stroke in strokes:
        placed = (stroke[::step] - corner) / (size.max() or 1.0) * LONGER_SIDE + MARGIN
        paths.append(_path(np.rint(placed).astype(np.int64)))
    return Drawing(width, height, paths)


def _path(points: NDArray[np.int64]) -> str:
    """Return relative moves; points that fall onto the one before are left out, and a lone point is a dot."""
    moves = np.diff(points, axis=0)
    moves = moves[moves.any(axis=1)]
    if len(moves) == 0:
        return f"M{points[0, 0]} {points[0, 1]}h0"
    numbers = " ".join(map(str, moves.ravel())).replace(" -", "-")
    return f"M{points[0, 0]} {points[0, 1]}l{numbers}"
