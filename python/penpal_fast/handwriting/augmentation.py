"""Changes to a line that leave it legible, human-looking handwriting."""

from __future__ import annotations

import math

import numpy as np

from penpal_fast.handwriting.lines import Line
from penpal_fast.strokes import Strokes

LEAST_POINTS = 40
"""Minimum number of points of a cut line: about two letters. With fewer, a comma could be a word, and nothing tells a
single written stroke from a drawn one."""


def cut(line: Line, random: np.random.Generator, *, longest: int) -> Strokes:
    """Return 1 to `longest` neighbouring words at random, and more if these have too few points."""
    count = int(random.integers(1, longest + 1))
    first = int(random.integers(0, max(len(line.words) - count, 0) + 1))
    while sum(map(len, line.strokes(first, count))) < LEAST_POINTS and count < len(line.words):
        count += 1
        first = min(first, len(line.words) - count)
    return line.strokes(first, count)


def bend(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Rotate, slant and stretch a row a little.

    Larger changes would hide what separates real from synthetic lines: synthetic lines are level, for example.
    """
    angle = math.radians(random.normal(0.0, 0.8))
    slant = random.normal(0.0, 0.07)
    stretch = math.exp(random.normal(0.0, 0.07))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = np.array([[stretch, 0.0], [-slant * stretch, 1.0]]) @ turn
    return [stroke @ matrix for stroke in strokes]


def smooth(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Remove the pen's noise with one to four passes of (1, 2, 1) / 4; the ends of strokes stay in place."""
    for _ in range(int(random.integers(1, 5))):
        strokes = [_smoothed(stroke) for stroke in strokes]
    return strokes


def _smoothed(stroke: np.ndarray) -> np.ndarray:
    if len(stroke) < 3:
        return stroke
    inner = (stroke[:-2] + 2 * stroke[1:-1] + stroke[2:]) / 4
    return np.concatenate([stroke[:1], inner, stroke[-1:]])


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
    words = line.words[first : first + count] or line.words
    return [stroke for word in words if word for stroke in _linked(word)]


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
