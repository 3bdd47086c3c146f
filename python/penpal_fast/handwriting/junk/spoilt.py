"""Junk that is made by spoiling lines of handwriting."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.height import height_of
from penpal_fast.handwriting.junk.material import Material, filled, fitted, moved, width_of
from penpal_fast.strokes import Strokes


def displaced(random: np.random.Generator, material: Material) -> Strokes:
    """Move every piece of a line by some two fifths of a letter's height to six heights."""
    distance = height_of(material.line) * math.exp(random.uniform(math.log(0.6), math.log(4)))
    return [stroke + _shift(random, distance) for stroke in _pieces(material.line)]


def _shift(random: np.random.Generator, distance: float) -> NDArray[np.float64]:
    """Draw a move in any direction, of 0.7 to 1.5 times a distance."""
    angle, length = random.uniform(0, 2 * math.pi), distance * random.uniform(0.7, 1.5)
    return np.array([math.cos(angle), math.sin(angle)]) * length


def _pieces(line: Strokes) -> Strokes:
    """Cut long strokes, so that joined letters come apart too; in short lines also single letters."""
    longest = 30 if len(line) > 12 else 10
    return [piece for stroke in line for piece in np.array_split(stroke, max(len(stroke) // longest, 1))]


def overwritten(random: np.random.Generator, material: Material) -> Strokes:
    """Write the parts of a line on top of each other, or a short line several times."""
    line = material.line
    if len(line) < 18:
        shifts = random.normal(0, 0.4 * height_of(line), (int(random.integers(4, 8)), 2))
        return [stroke + shift for shift in shifts for stroke in line]
    layers = int(random.integers(3, 7))
    middles = _middles(line)
    width = max(float(np.ptp(middles)) / layers, 1e-6)
    layer = ((middles - middles.min()) / width).astype(int).clip(0, layers - 1)
    shifts = np.stack([np.arange(layers) * width, np.zeros(layers)], axis=1)
    shifts += random.normal(0, [0.5 * height_of(line), 0.2 * height_of(line)], (layers, 2))
    return [stroke - shifts[number] for stroke, number in zip(line, layer, strict=True)]


def _middles(line: Strokes) -> NDArray[np.float64]:
    """Return the x of the middle of each stroke."""
    return np.array([np.ptp(stroke[:, 0]) / 2 + stroke[:, 0].min() for stroke in line])


def overlaid(random: np.random.Generator, material: Material) -> Strokes:
    """Write two lines over one another, the second stretched to the width of the first."""
    line, other = material.line, fitted(material.other, material.line)
    height, factor = height_of(line), width_of(line) / max(width_of(other), 1e-6)
    if not 0.4 < factor < 2.5:
        # Lines of very different length: write the first over itself.
        return [*line, *moved(line, 0.7 * height * random.choice([-1, 1]), random.normal(0, 0.3) * height)]
    left = min(stroke[:, 0].min() for stroke in other)
    stretched = [(stroke - [left, 0]) * [factor, 1] + [left, 0] for stroke in other]
    return [*line, *moved(stretched, *random.normal(0, [0.3 * height, 0.2 * height]))]


def tremor(random: np.random.Generator, material: Material) -> Strokes:
    """Add noise to every point: white, or of a wavelength of a few points up to a letter, like a shaking pen."""
    height, smoothing = height_of(material.line), int(random.choice([0, 0, 1, 2, 4, 8]))
    # Smooth noise leaves the shape of letters at strengths at which white noise hides it.
    least = 0.11 + 0.06 * math.log2(1 + smoothing)
    strength = height * least * math.exp(random.uniform(0, math.log(4)))
    return [stroke + strength * _noise(random, len(stroke), smoothing) for stroke in material.line]


def _noise(random: np.random.Generator, points: int, smoothing: int) -> NDArray[np.float64]:
    """Return noise of variance 1 [N, 2], averaged over a window of `2 * smoothing + 1` points."""
    window = np.hanning(2 * smoothing + 3)
    window /= math.sqrt(float(window @ window))
    white = random.standard_normal((points + len(window) - 1, 2))
    return np.stack([np.convolve(white[:, axis], window, mode="valid") for axis in (0, 1)], axis=1)


def missing_lifts(random: np.random.Generator, material: Material) -> Strokes:
    """Write a line without lifting the pen; a short line would stay legible, so its pieces are shuffled first."""
    line = material.line
    if len(line) >= 16:
        return [np.concatenate(line)]
    pieces = [piece for stroke in line for piece in np.array_split(stroke, max(len(stroke) // 12, 1))]
    random.shuffle(pieces)
    return [np.concatenate(pieces)]


def crossed_out(random: np.random.Generator, material: Material) -> Strokes:
    """Cross a line out with straight lines or zigzags along its middle."""
    line = material.line
    points = np.concatenate(line)
    left, right = points[:, 0].min(), points[:, 0].max()
    middle, height = float(np.median(points[:, 1])), height_of(line)
    strokes = list(line)
    for _ in range(int(random.integers(1, 5))):
        count = int(random.integers(2, 60))
        x = np.linspace(left + random.normal(0, 0.2) * height, right + random.normal(0, 0.2) * height, count)
        swing = random.uniform(0, 0.7) * height if count > 8 else 0.1 * height
        y = middle + random.normal(0, 0.12 * height) + swing * np.where(np.arange(count) % 2, 1, -1)
        strokes.append(filled(np.stack([x, y], axis=1)))
    return strokes


def tail(random: np.random.Generator, material: Material) -> Strokes:
    """Let a line go on as gibberish for a third of its length to all of it again."""
    right = max(stroke[:, 0].max() for stroke in material.line)
    return [*material.line, *_gibberish(random, material, right, width_of(material.line) * random.uniform(0.33, 1))]


def interrupted(random: np.random.Generator, material: Material) -> Strokes:
    """Let a line begin with gibberish, or have it in its middle, for a third of its length to all of it again."""
    line = material.line
    middles = _middles(line)
    place = float(random.choice(middles)) if random.random() < 0.5 else -math.inf
    before = [stroke for stroke, middle in zip(line, middles, strict=True) if middle < place]
    after = [stroke for stroke, middle in zip(line, middles, strict=True) if middle >= place]
    left = min(stroke[:, 0].min() for stroke in after)
    gibberish = _gibberish(random, material, left, width_of(line) * random.uniform(0.33, 1))
    width = max(stroke[:, 0].max() for stroke in gibberish) - left + random.uniform(0.2, 1) * height_of(line)
    return [*before, *gibberish, *moved(after, width, 0)]


def _gibberish(random: np.random.Generator, material: Material, start: float, width: float) -> Strokes:
    """Write gibberish from about `start` on, about so wide, at the height and the size of the line."""
    garbled, height = fitted(material.garbled, material.line), height_of(material.line)
    left = min(stroke[:, 0].min() for stroke in garbled)
    start += random.uniform(0.2, 1) * height
    end, strokes = start + width, []
    # Garbled lines are often much shorter than lines of their text, so they are repeated, but not without end: a line
    # without height makes gibberish without width.
    for _ in range(10):
        strokes += [stroke for stroke in moved(garbled, start - left, 0) if stroke[:, 0].min() <= end]
        start += width_of(garbled) + random.uniform(0.2, 1) * height
        if start > end:
            break
    return strokes


def erased(random: np.random.Generator, material: Material) -> Strokes:
    """Leave out pieces of the strokes, about half of the ink or more."""
    share, piece = random.uniform(0.45, 0.7), int(random.integers(4, 12))
    pieces = [part for stroke in material.line for part in np.array_split(stroke, max(len(stroke) // piece, 1))]
    kept = [part for part in pieces if random.random() > share]
    return kept or pieces[:1]


def cropped(random: np.random.Generator, material: Material) -> Strokes:
    """Cut the letters off: nothing above, or below, the middle of the line is left."""
    points = np.concatenate(material.line)
    edge = np.quantile(points[:, 1], random.uniform(0.4, 0.6))
    below = random.random() < 0.5
    kept = []
    for stroke in material.line:
        inside = (stroke[:, 1] > edge) if below else (stroke[:, 1] < edge)
        runs = np.split(np.arange(len(stroke)), np.flatnonzero(np.diff(inside.astype(int))) + 1)
        kept += [stroke[run] for run in runs if inside[run[0]]]
    return kept or material.line


def mixed_sizes(random: np.random.Generator, material: Material) -> Strokes:
    """Write two lines of very different size one after the other, or one into the other."""
    line, other = material.line, fitted(material.other, material.line)
    factor = math.exp(random.uniform(math.log(2.5), math.log(6)))
    start = np.concatenate(other)[0]
    small = [(stroke - start) / factor + start for stroke in other]
    offset = random.uniform(0, 1) * width_of(line) if random.random() < 0.5 else 1.05 * width_of(line)
    return [*line, *moved(small, offset, random.normal(0, 0.4) * height_of(line))]


def ruled(random: np.random.Generator, material: Material) -> Strokes:
    """Draw two to six rules through and around a line, as of ruled paper."""
    line = material.line
    points = np.concatenate(line)
    left, right, middle = points[:, 0].min(), points[:, 0].max(), float(np.median(points[:, 1]))
    height, count = height_of(line), int(random.integers(2, 7))
    gap = height * random.uniform(0.5, 1.8)
    first = middle - gap * (count - 1) / 2 + random.normal(0, 0.2) * gap
    over = random.uniform(0, 2) * height
    rules = [np.array([[left - over, first + gap * row], [right + over, first + gap * row]]) for row in range(count)]
    return [*line, *rules]
