"""Changes to a line that leave it legible, human-looking handwriting."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.geometry import split_like
from penpal_fast.handwriting.height import height_of
from penpal_fast.handwriting.lines import Line
from penpal_fast.strokes import Strokes

MIN_POINTS = 40
"""Minimum number of points of a cut line: about two letters. With fewer, a comma could be a word, and nothing tells a
single written stroke from a drawn one."""

MAX_POINTS = 2000
"""Limit on the points of a resampled stroke."""

DOT = 0.25
"""Largest size of a dot, in heights of the letters."""

LONGEST = 75
"""Letters of the longest lines that people write."""


def cut(line: Line, random: np.random.Generator, *, longest: int) -> Strokes:
    """Return 1 to `longest` neighbouring words at random, and more if these have too few points."""
    count = int(random.integers(1, longest + 1))
    first = int(random.integers(0, max(len(line.words) - count, 0) + 1))
    while sum(map(len, line.strokes(first, count))) < MIN_POINTS and count < len(line.words):
        count += 1
        first = min(first, len(line.words) - count)
    return line.strokes(first, count)


def follow(line: Line, other: Line) -> Strokes:
    """Return a line that goes on with words of another, best of the same hand, up to `LONGEST` letters."""
    strokes = line.strokes()
    points = np.concatenate(strokes)
    letter = float(np.ptp(points[:, 0])) / max(len(line.text or ""), 1)
    gap, room = 2 * letter, letter * LONGEST - float(np.ptp(points[:, 0]))
    start = np.concatenate(other.strokes())
    offset = np.array([points[:, 0].max() + gap - start[:, 0].min(), np.median(points[:, 1]) - np.median(start[:, 1])])
    for word in other.words:
        if word and np.concatenate(word)[:, 0].max() - start[:, 0].min() + gap > room:
            break
        strokes = [*strokes, *(stroke + offset for stroke in word)]
    return strokes


def smooth(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Remove the pen's noise with one to four passes of (1, 2, 1) / 4; the ends of strokes stay in place."""
    points, starts, lasts = _joined(strokes)
    for _ in range(int(random.integers(1, 5))):
        smoothed = points.copy()
        smoothed[1:-1] = (points[:-2] + 2 * points[1:-1] + points[2:]) / 4
        for ends in (starts, lasts):
            smoothed[ends] = points[ends]
        points = smoothed
    return split_like(strokes, points)


def _joined(strokes: Strokes) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.intp]]:
    """Return all points of a row, and where each stroke's first and last are among them."""
    after = np.cumsum([len(stroke) for stroke in strokes])
    return np.concatenate(strokes), np.concatenate([[0], after[:-1]]), after - 1


def thin(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Keep every second or third point, like a pen with a lower sampling rate, and the last point of each stroke."""
    every = int(random.integers(2, 4))
    return [np.concatenate([stroke[:-1:every], stroke[-1:]]) for stroke in strokes]


def link(line: Line, random: np.random.Generator, *, longest: int) -> Strokes:
    """Return 1 to `longest` neighbouring words at random, with joined letters.

    Within a word, a stroke that begins a little to the right of the previous stroke's end is joined to it. Dots and
    crossbars, which a writer adds later, stay separate.
    """
    count = int(random.integers(1, longest + 1))
    first = int(random.integers(0, max(len(line.words) - count, 0) + 1))
    words = [word for word in line.words[first : first + count] if word] or [word for word in line.words if word]
    return [stroke for word in words for stroke in _linked(word)]


def _linked(word: Strokes) -> Strokes:
    height = max(float(np.ptp(np.concatenate(word)[:, 1])), 1e-9)
    joined = [word[0]]
    for stroke in word[1:]:
        end, start = joined[-1][-1], stroke[0]
        long_enough = min(len(stroke), len(joined[-1])) >= 6
        onward = -0.1 * height < start[0] - end[0] < 0.6 * height
        if long_enough and onward and abs(start[1] - end[1]) < 0.7 * height:
            # A connecting stroke stays near the height of the first end and rises late.
            turn = np.array([[(end[0] + start[0]) / 2, 0.7 * end[1] + 0.3 * start[1]]])
            joined[-1] = np.concatenate([joined[-1], turn, stroke])
        else:
            joined.append(stroke)
    return joined


def resample(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Put points at equal distances along the strokes, as another device would; the ends of strokes stay in place."""
    step = height_of(strokes) * random.uniform(0.04, 0.16)
    points, starts, lasts = _joined(strokes)
    distances = np.hypot(*np.diff(points, axis=0).T.astype(np.float64))
    distances[lasts[:-1]] = step  # Above 0, or the end of one stroke would be the start of the next.
    along = np.concatenate([[0.0], np.cumsum(distances)])
    lengths = along[lasts] - along[starts]
    counts = np.minimum(lengths / step, MAX_POINTS - 2).astype(int) + 2
    after = np.cumsum(counts)
    number = np.arange(after[-1]) - np.repeat(after - counts, counts)
    where = np.repeat(along[starts], counts) + number * np.repeat(lengths / (counts - 1), counts)
    placed = np.stack([np.interp(where, along, points[:, axis]) for axis in (0, 1)], axis=1)
    placed[after - counts], placed[after - 1] = points[starts], points[lasts]
    return np.split(placed, after[:-1])


def resize_dots(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Draw the dots of a row smaller or larger, down to a point."""
    size, factor = DOT * height_of(strokes), random.choice([0.0, random.uniform(0.3, 2.5)])
    points, starts, _ = _joined(strokes)
    extents = np.maximum.reduceat(points, starts) - np.minimum.reduceat(points, starts)
    is_dot = extents.max(axis=1) < size
    return [_resized(stroke, factor) if dot else stroke for stroke, dot in zip(strokes, is_dot, strict=True)]


def _resized(dot: np.ndarray, factor: float) -> np.ndarray:
    middle = dot.mean(axis=0)
    return middle[None] if factor == 0 else middle + factor * (dot - middle)
