"""Strokes that are turned by an angle which stands beside their points, as drawing programs keep it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.layouts.nested import Lengths, numbers
from penpal_fast.layouts.shape import Anchors

Numbers = NDArray[np.float64]

FULL_TURN = 2 * np.pi * 1.001
"""Programs that count in radians keep angles within a full turn; what is beyond was in degrees."""


def turned(x: Numbers, y: Numbers, owners: Lengths, anchors: Anchors) -> tuple[Numbers, Numbers, Lengths]:
    """Turn points, clockwise as y grows downward.

    Args:
        x: Of all points, from the x of their stroke.
        y: Of all points, from the y of their stroke.
        owners: The stroke that each point is in.
        anchors: How far each stroke is turned, and about what.

    Returns:
        x and y, and the strokes whose angle is more than a full turn, in order. These are not turned.
    """
    if anchors.turn is None or not len(anchors.turn):
        return x, y, np.zeros(0, np.int64)
    angles, nulls = numbers(anchors.turn)
    angles = np.where(nulls, 0, angles)
    far = np.abs(angles) > FULL_TURN
    moved = np.flatnonzero(((angles != 0) & ~far)[owners])
    centre_x, centre_y = np.zeros((2, len(angles)))
    if anchors.about_centre:
        centre_x, centre_y = _centres(x, owners, len(angles)), _centres(y, owners, len(angles))
    x, y = x.copy(), y.copy()
    stroke = owners[moved]
    right, down = x[moved] - centre_x[stroke], y[moved] - centre_y[stroke]
    cosine, sine = np.cos(angles[stroke]), np.sin(angles[stroke])
    x[moved] = centre_x[stroke] + right * cosine - down * sine
    y[moved] = centre_y[stroke] + right * sine + down * cosine
    return x, y, np.flatnonzero(far)


def _centres(axis: Numbers, owners: Lengths, strokes: int) -> Numbers:
    """Return the middle of the bounding box of each stroke along an axis; infinite without points."""
    lowest, highest = np.full(strokes, np.inf), np.full(strokes, -np.inf)
    np.minimum.at(lowest, owners, axis)
    np.maximum.at(highest, owners, axis)
    with np.errstate(invalid="ignore", over="ignore"):
        return (lowest + highest) / 2
