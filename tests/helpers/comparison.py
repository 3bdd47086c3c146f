"""How a fast picture is held to the reference."""

from __future__ import annotations

import numpy as np

from penpal_fast import reference

TOLERANCE = 1e-4


def reference_picture(strokes, line_width: float) -> np.ndarray:
    """Render plain strokes, lists of (x, y), by the reference."""
    return np.array(reference.render(strokes, line_width))


def assert_same_picture(fast: np.ndarray, expected: np.ndarray) -> None:
    """Fail where any pixel is off by more than the tolerance."""
    assert fast.shape == (256, 256, 1)
    assert fast.dtype == np.float32
    difference = np.abs(fast[:, :, 0].astype(np.float64) - expected)
    worst = np.unravel_index(difference.argmax(), difference.shape)
    assert difference.max() <= TOLERANCE, f"pixel {worst} is off by {difference.max():.2e}"
