"""Junk: what nobody would call handwriting, either drawn from nothing or made by spoiling a line.

Every function takes a random generator and the strokes of a line, and returns strokes; drawn junk ignores the line.
`DRAWN` and `SPOILT` are used in training, `UNSEEN` only in measurements, to see whether the network generalizes.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penpal_fast.strokes import Strokes

Junk = Callable[[np.random.Generator, Strokes], Strokes]


def _stretched(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Stretch a drawing to random proportions, from a square to a line of text, and rotate it a little."""
    ratio, angle = math.exp(random.uniform(0.0, 2.3)), random.normal(0.0, 0.1)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return [stroke * [ratio, 1.0] @ turn for stroke in strokes]


def _height(strokes: Strokes) -> float:
    """Return the typical height of the letters: the range of y without its highest and lowest tenth."""
    low, high = np.quantile(np.concatenate(strokes)[:, 1], [0.1, 0.9])
    return max(float(high - low), 1e-6)


def _walk(random: np.random.Generator, points: int, wobble: float) -> NDArray[np.float64]:
    heading = random.uniform(0, 2 * math.pi) + np.cumsum(random.normal(random.normal(0, wobble / 2), wobble, points))
    return np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)


def scribble(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw wandering curves, overlapping or side by side."""
    strokes = []
    for _ in range(int(random.integers(1, 7))):
        walk = _walk(random, int(random.integers(30, 400)), random.uniform(0.1, 0.6))
        strokes.append(walk + random.normal(0, 8, 2))
    return _stretched(strokes, random)


def straight_lines(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw two to ten straight lines, in random directions or hatched; a single line could be an l."""
    count = int(random.integers(2, 11))
    if random.random() < 0.4:
        lean = random.normal(0, 0.5)
        starts = np.stack([np.arange(count) * random.uniform(0.2, 3), random.normal(0, 0.1, count)], axis=1)
        strokes = [start + np.linspace(0, 1, 20)[:, None] * np.array([lean, 1.0]) for start in starts]
    else:
        strokes = [_filled(random.uniform(-1, 1, (2, 2))) for _ in range(count)]
    return _stretched(strokes, random)


def zigzag(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw a more or less regular zigzag."""
    count = int(random.integers(3, 70))
    x = np.cumsum(np.abs(random.normal(1, random.uniform(0, 0.5), count)))
    y = np.where(np.arange(count) % 2, 1.0, -1.0) * np.exp(random.normal(0, random.uniform(0, 0.6), count))
    corners = np.stack([x * random.uniform(0.2, 3), y], axis=1)
    return _stretched([_filled(corners)], random)


def _filled(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put points along the edges between corners."""
    where = np.linspace(0, len(corners) - 1, 8 * len(corners))
    steps = np.arange(len(corners))
    return np.stack([np.interp(where, steps, corners[:, axis]) for axis in (0, 1)], axis=1)


def spiral(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw one to four spirals or circles."""
    strokes = []
    for number in range(int(random.integers(1, 5))):
        angle = np.linspace(0, 2 * math.pi * random.uniform(1, 9), 200) * random.choice([-1, 1])
        radius = np.linspace(random.uniform(0, 1), 1, 200)
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius[:, None]
        strokes.append(
            circle * math.exp(random.normal(0, 0.3)) + [number * random.uniform(0.5, 3), random.normal(0, 1)]
        )
    return _stretched(strokes, random)


def coil(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw loops along a line, as when testing a pen."""
    turns = random.uniform(3, 40)
    angle = np.linspace(0, 2 * math.pi * turns, int(24 * turns))
    swell = np.exp(np.interp(angle, np.linspace(0, angle[-1], 8), random.normal(0, random.uniform(0, 0.5), 8)))
    x = angle * random.uniform(0.05, 0.5) + np.cos(angle) * swell
    return [np.stack([x, np.sin(angle) * swell * random.uniform(0.7, 3)], axis=1)]


def scattered_points(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Scatter dots or dashes."""
    count, dash = int(math.exp(random.uniform(1.1, 5.3))), random.choice([0.0, random.uniform(0, 0.1)])
    places = random.uniform(-1, 1, (count, 2)) if random.random() < 0.6 else random.normal(0, 1, (count, 2))
    return _stretched([place + np.outer([0, 1], random.normal(0, 1, 2) * dash) for place in places], random)


def joined_points(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Join random points by straight lines."""
    strokes = [random.normal(0, 1, (int(random.integers(3, 40)), 2)) for _ in range(int(random.integers(1, 4)))]
    return _stretched([_filled(stroke) for stroke in strokes], random)


def displaced(random: np.random.Generator, line: Strokes) -> Strokes:
    """Move every stroke of a line by a random distance."""
    distance = _height(line) * math.exp(random.uniform(0, math.log(4)))
    return [stroke + random.normal(0, distance, 2) for stroke in _pieces(line)]


def _pieces(line: Strokes) -> Strokes:
    """Cut long strokes, so that joined letters come apart too; in short lines also single letters."""
    longest = 30 if len(line) > 12 else 10
    return [piece for stroke in line for piece in np.array_split(stroke, max(len(stroke) // longest, 1))]


def overwritten(random: np.random.Generator, line: Strokes) -> Strokes:
    """Write the parts of a line on top of each other, or a short line several times."""
    if len(line) < 18:
        shifts = random.normal(0, 0.4 * _height(line), (int(random.integers(4, 8)), 2))
        return [stroke + shift for shift in shifts for stroke in line]
    layers = int(random.integers(3, 7))
    middles = np.array([np.ptp(stroke[:, 0]) / 2 + stroke[:, 0].min() for stroke in line])
    width = max(float(np.ptp(middles)) / layers, 1e-6)
    layer = ((middles - middles.min()) / width).astype(int).clip(0, layers - 1)
    shifts = np.stack([np.arange(layers) * width, np.zeros(layers)], axis=1)
    shifts += random.normal(0, [0.5 * _height(line), 0.2 * _height(line)], (layers, 2))
    return [stroke - shifts[number] for stroke, number in zip(line, layer, strict=True)]


def jitter(random: np.random.Generator, line: Strokes) -> Strokes:
    """Add noise to every point, like a shaking pen."""
    strength = _height(line) * math.exp(random.uniform(math.log(0.14), math.log(0.6)))
    return [stroke + random.normal(0, strength, stroke.shape) for stroke in line]


def missing_lifts(random: np.random.Generator, line: Strokes) -> Strokes:
    """Write a line without lifting the pen; a short line would stay legible, so its pieces are shuffled first."""
    if len(line) >= 16:
        return [np.concatenate(line)]
    pieces = [piece for stroke in line for piece in np.array_split(stroke, max(len(stroke) // 12, 1))]
    random.shuffle(pieces)
    return [np.concatenate(pieces)]


def crossed_out(random: np.random.Generator, line: Strokes) -> Strokes:
    """Cross a line out with straight lines or zigzags along its middle."""
    points = np.concatenate(line)
    left, right = points[:, 0].min(), points[:, 0].max()
    middle, height = float(np.median(points[:, 1])), _height(line)
    strokes = list(line)
    for _ in range(int(random.integers(1, 5))):
        count = int(random.integers(2, 60))
        x = np.linspace(left + random.normal(0, 0.2) * height, right + random.normal(0, 0.2) * height, count)
        swing = random.uniform(0, 0.7) * height if count > 8 else 0.1 * height
        y = middle + random.normal(0, 0.12 * height) + swing * np.where(np.arange(count) % 2, 1, -1)
        strokes.append(_filled(np.stack([x, y], axis=1)))
    return strokes


def grid(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw the lines of a table."""
    columns, rows = (int(count) for count in random.integers(2, 9, 2))
    across = [np.array([[0.0, row], [columns, row]]) for row in range(rows + 1)]
    down = [np.array([[column, 0.0], [column, rows]]) for column in range(columns + 1)]
    return _stretched(across + down, random)


def wave(random: np.random.Generator, _line: Strokes) -> Strokes:
    """Draw one to three sine waves, one below the other."""
    x = np.linspace(0, 2 * math.pi * random.uniform(1, 15), 300)
    height = random.uniform(0.5, 4)
    lines = [np.stack([x, height * np.sin(x) + 3 * height * row], axis=1) for row in range(int(random.integers(1, 4)))]
    return _stretched(lines, random)


def _by_name(*kinds: Junk) -> dict[str, Junk]:
    return {kind.__name__: kind for kind in kinds}


DRAWN = _by_name(scribble, straight_lines, zigzag, spiral, coil, scattered_points, joined_points)
SPOILT = _by_name(displaced, overwritten, jitter, missing_lifts, crossed_out)
KINDS = {**DRAWN, **SPOILT}
UNSEEN = _by_name(grid, wave)
