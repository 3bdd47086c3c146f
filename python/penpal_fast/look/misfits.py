"""The ink of a row that does not say its text."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast.reading.reader import Letter, Span
from penpal_fast.strokes import Strokes


def misfits(strokes: Strokes, letters: Sequence[Letter]) -> Strokes:
    """Return the pieces of strokes whose letters do not fit.

    Args:
        strokes: The strokes of a row, all with points, as they were given to `Reader.align`.
        letters: What `Reader.align` found.
    """
    return [cut(strokes[span.stroke], span) for letter in letters if not letter.fits for span in letter.spans]


def cut(stroke: NDArray[np.float64], span: Span) -> NDArray[np.float64]:
    """Return a piece of a stroke, float64 [N, 2]; its ends may lie between points."""
    inner = np.arange(math.floor(span.start) + 1, math.ceil(span.end))
    at = np.concatenate([[span.start], inner, [span.end]])
    points = np.arange(len(stroke))
    return np.stack([np.interp(at, points, stroke[:, axis]) for axis in range(2)], axis=1)
