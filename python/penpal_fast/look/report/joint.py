"""Counts of two scores together, and the picture of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

MAP_STEPS = 100
"""Steps of the sliders of a map from 0 to 1."""

_STEP_SCORES = (np.arange(MAP_STEPS + 1) / MAP_STEPS).astype(np.float32)

CELL = 5
"""Pixels of the side of a cell in a picture of the density."""

FEW_CELLS = 1500
"""With fewer cells that have rows, each is drawn larger than it is, as a dot."""

FAINTEST = 0.55
"""Opacity of a cell with one row, where the fullest cell has 1."""


class JointDistribution:
    """The number of rows at each pair of steps of two sliders.

    Attributes:
        lacking: Rows that lack one of the scores, or both.
    """

    def __init__(self) -> None:
        """Start with no rows."""
        self.lacking = 0
        self._counts = np.zeros((MAP_STEPS + 1) ** 2, dtype=np.int64)

    def add(self, x: NDArray[np.float32], y: NDArray[np.float32]) -> None:
        """Count rows by both scores, [N] each, NaN where a row has none."""
        good = ~(np.isnan(x) | np.isnan(y))
        self.lacking += int(np.count_nonzero(~good))
        columns, rows = (np.searchsorted(_STEP_SCORES, scores[good], side="right") - 1 for scores in (x, y))
        self._counts += np.bincount(columns * (MAP_STEPS + 1) + rows, minlength=len(self._counts))

    def counts(self) -> NDArray[np.int64]:
        """Return how many rows lie from each pair of steps up to the next, int64 [X, Y].

        X and Y are `MAP_STEPS` + 1; the last of each axis counts scores of 1.
        """
        return self._counts.reshape(MAP_STEPS + 1, MAP_STEPS + 1).copy()

    def cells(self) -> list[int]:
        """Return the cells that have rows, as pairs of the cell's index in `counts` and its rows, one after another."""
        filled = np.flatnonzero(self._counts)
        return np.stack([filled, self._counts[filled]], axis=1).ravel().tolist()


def density(counts: NDArray[np.int64]) -> Image.Image:
    """Draw how many rows are where: transparent where there are none, opaque where there are most, by logarithm.

    Args:
        counts: What `JointDistribution.counts` returns.

    Returns:
        A black picture with opacity, y growing upward, of `MAP_STEPS` x `CELL` pixels each way.
    """
    cells = counts[:MAP_STEPS, :MAP_STEPS].copy()
    cells[-1] += counts[MAP_STEPS, :MAP_STEPS]
    cells[:, -1] += counts[:MAP_STEPS, MAP_STEPS]
    cells[-1, -1] += counts[MAP_STEPS, MAP_STEPS]
    strength = FAINTEST + (1 - FAINTEST) * np.log1p(cells) / np.log1p(max(cells.max(), 2))
    shades = np.rint(np.where(cells, strength, 0) * 255).astype(np.uint8).T[::-1]
    opacity = _dots(shades) if np.count_nonzero(shades) < FEW_CELLS else _squares(shades)
    return Image.merge("LA", [Image.new("L", opacity.size, 0), opacity])


def _squares(shades: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(shades.repeat(CELL, axis=0).repeat(CELL, axis=1))


def _dots(shades: NDArray[np.uint8]) -> Image.Image:
    picture = Image.new("L", (shades.shape[1] * CELL, shades.shape[0] * CELL), 0)
    draw = ImageDraw.Draw(picture)
    rows, columns = np.nonzero(shades)
    for place in np.argsort(shades[rows, columns], kind="stable").tolist():
        row, column = int(rows[place]), int(columns[place])
        centre = ((column + 0.5) * CELL, (row + 0.5) * CELL)
        draw.circle(centre, CELL, fill=int(shades[row, column]))
    return picture
