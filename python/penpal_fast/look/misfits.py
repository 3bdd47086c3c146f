"""What is marked in a row beside its text: the letters that do not fit, and their ink.

If the ink is too short for the text, `Reader.align` finds no letters, and the whole text and all ink are marked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from penpal_fast.reading.reader import Letter, Span
from penpal_fast.strokes import Strokes


def marked_pieces(text: str, letters: Sequence[Letter]) -> list[tuple[str, bool]]:
    """Cut a text where marks begin and end, and say of each piece whether it is marked.

    Args:
        text: The text, or its beginning.
        letters: What `Reader.align` found for it.
    """
    wrong = {letter.position for letter in letters if not letter.fits}
    runs = groupby(enumerate(text), key=lambda place: not letters or place[0] in wrong)
    return [("".join(letter for _, letter in run), is_marked) for is_marked, run in runs]


def marked_ink(strokes: Strokes, letters: Sequence[Letter]) -> Strokes:
    """Return the pieces of strokes that are marked.

    Args:
        strokes: The strokes of a row, all with points, as they were given to `Reader.align`.
        letters: What `Reader.align` found.
    """
    if not letters:
        return strokes
    return [cut(strokes[span.stroke], span) for letter in letters if not letter.fits for span in letter.spans]


def cut(stroke: NDArray[np.float64], span: Span) -> NDArray[np.float64]:
    """Return a piece of a stroke, float64 [N, 2]; its ends may lie between points."""
    inner = np.arange(math.floor(span.start) + 1, math.ceil(span.end))
    at = np.concatenate([[span.start], inner, [span.end]])
    points = np.arange(len(stroke))
    return np.stack([np.interp(at, points, stroke[:, axis]) for axis in range(2)], axis=1)
