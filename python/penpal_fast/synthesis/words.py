"""From pen offsets to words of strokes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.synthesis.generator import Writing


def split_at_spaces(writing: Writing, text: str) -> list[list[NDArray[np.float64]]]:
    """Turn a `Writing` into words of strokes [N, 2], with y growing downward.

    Offsets are summed, each stroke is smoothed by a Savitzky-Golay filter (7 points, cubic), the least-squares slope of
    the line is removed, y is flipped, and the first point is moved to the origin. A stroke belongs to the word of the
    character that its middle point was written for, but never to an earlier word than the stroke before it.
    """
    points = np.cumsum(writing.offsets[:, :2].astype(np.float64), axis=0)
    ends = np.flatnonzero(writing.offsets[:, 2] > 0.5) + 1
    strokes = [_smoothed(stroke) for stroke in np.split(points, ends) if len(stroke)]
    middles = [int(np.mean(span)) for span in np.split(np.arange(len(points)), ends) if len(span)]
    line = np.concatenate(strokes)
    centred = line[:, 0] - line[:, 0].mean()
    slope = (centred @ line[:, 1]) / max(float(centred @ centred), 1e-9)
    word_of_character = np.cumsum([character == " " for character in text])
    words: list[list[NDArray[np.float64]]] = []
    current = -1
    for stroke, middle in zip(strokes, middles, strict=True):
        word = int(word_of_character[writing.characters[middle]])
        if word > current:
            words.append([])
            current = word
        level = stroke - line[0]
        words[-1].append(np.stack([level[:, 0], slope * level[:, 0] - level[:, 1]], axis=1))
    return words


def _smoothed(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace each point by the least-squares fit of a cubic to the 7 points around it (Savitzky and Golay, 1964)."""
    if len(stroke) < 7:
        return stroke
    powers = np.vander(np.arange(-3.0, 4.0), 4)
    fitted = powers @ np.linalg.pinv(powers)
    smooth = np.stack([np.convolve(stroke[:, axis], fitted[3][::-1], mode="same") for axis in (0, 1)], axis=1)
    smooth[:3], smooth[-3:] = (fitted @ stroke[:7])[:3], (fitted @ stroke[-7:])[-3:]
    return smooth
