"""Junk that is drawn from nothing: scribbles, figures, tables, doodles."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from penpal_fast.handwriting.junk.material import Material, filled, moved
from penpal_fast.strokes import Strokes

IN_A_ROW = 0.5
"""Share of the drawings of spirals and of polygons that stand side by side, as letters do."""

STAR = 10
"""Corners of a star, every other of which is nearer to its centre."""

CORNERS = (3, 4, 5, 6, STAR, 40)


def _stretched(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """Stretch a drawing to random proportions, from a square to a line of text, and rotate it a little."""
    ratio, angle = math.exp(random.uniform(0.0, 2.3)), random.normal(0.0, 0.1)
    return [stroke * [ratio, 1.0] @ _turn(angle) for stroke in strokes]


def _walk(random: np.random.Generator, points: int, wobble: float) -> NDArray[np.float64]:
    heading = random.uniform(0, 2 * math.pi) + np.cumsum(random.normal(random.normal(0, wobble / 2), wobble, points))
    return np.cumsum(np.stack([np.cos(heading), np.sin(heading)], axis=1), axis=0)


def scribble(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw wandering curves, overlapping or side by side."""
    strokes = []
    for _ in range(int(random.integers(1, 7))):
        walk = _walk(random, int(random.integers(30, 400)), random.uniform(0.1, 0.6))
        strokes.append(walk + random.normal(0, 8, 2))
    return _stretched(strokes, random)


def straight_lines(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw two to ten straight lines, in random directions or hatched; a single line could be an l."""
    count = int(random.integers(2, 11))
    if random.random() < 0.4:
        lean = random.normal(0, 0.5)
        starts = np.stack([np.arange(count) * random.uniform(0.2, 3), random.normal(0, 0.1, count)], axis=1)
        strokes = [start + np.linspace(0, 1, 20)[:, None] * np.array([lean, 1.0]) for start in starts]
    else:
        strokes = [filled(random.uniform(-1, 1, (2, 2))) for _ in range(count)]
    return _stretched(strokes, random)


def zigzag(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw a more or less regular zigzag."""
    count = int(random.integers(3, 70))
    x = np.cumsum(np.abs(random.normal(1, random.uniform(0, 0.5), count)))
    y = np.where(np.arange(count) % 2, 1.0, -1.0) * np.exp(random.normal(0, random.uniform(0, 0.6), count))
    corners = np.stack([x * random.uniform(0.2, 3), y], axis=1)
    return _stretched([filled(corners)], random)


def spiral(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw one to four spirals or circles, or up to ten in a row."""
    if random.random() < IN_A_ROW:
        turns, first = random.uniform(1, 9), random.uniform(0, 1)
        return _in_a_row([_spiral(random, turns, first) for _ in range(int(random.integers(2, 11)))], random)
    strokes = []
    for number in range(int(random.integers(1, 5))):
        circle = _spiral(random, random.uniform(1, 9), random.uniform(0, 1)) * math.exp(random.normal(0, 0.3))
        strokes += moved([circle], number * random.uniform(0.5, 3), random.normal(0, 1))
    return _stretched(strokes, random)


def _spiral(random: np.random.Generator, turns: float, first: float) -> NDArray[np.float64]:
    """Draw a spiral of radius 1 around the origin, from the radius `first` on."""
    angle = np.linspace(0, 2 * math.pi * turns, 200) * random.choice([-1, 1])
    return np.stack([np.cos(angle), np.sin(angle)], axis=1) * np.linspace(first, 1, 200)[:, None]


def coil(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw loops along a line, as when testing a pen."""
    turns = random.uniform(3, 40)
    angle = np.linspace(0, 2 * math.pi * turns, int(24 * turns))
    swell = np.exp(np.interp(angle, np.linspace(0, angle[-1], 8), random.normal(0, random.uniform(0, 0.5), 8)))
    x = angle * random.uniform(0.05, 0.5) + np.cos(angle) * swell
    return [np.stack([x, np.sin(angle) * swell * random.uniform(0.7, 3)], axis=1)]


def scattered_points(random: np.random.Generator, _material: Material) -> Strokes:
    """Scatter dots or dashes."""
    count, dash = int(math.exp(random.uniform(1.1, 5.3))), random.choice([0.0, random.uniform(0, 0.1)])
    places = random.uniform(-1, 1, (count, 2)) if random.random() < 0.6 else random.normal(0, 1, (count, 2))
    return _stretched([place + np.outer([0, 1], random.normal(0, 1, 2) * dash) for place in places], random)


def joined_points(random: np.random.Generator, _material: Material) -> Strokes:
    """Join random points by straight lines."""
    strokes = [random.normal(0, 1, (int(random.integers(3, 40)), 2)) for _ in range(int(random.integers(1, 4)))]
    return _stretched([filled(stroke) for stroke in strokes], random)


def grid(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw the lines of a table."""
    columns, rows = (int(count) for count in random.integers(2, 9, 2))
    across = [np.array([[0.0, row], [columns, row]]) for row in range(rows + 1)]
    down = [np.array([[column, 0.0], [column, rows]]) for column in range(columns + 1)]
    return _stretched(across + down, random)


def wave(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw one to three sine waves, one below the other."""
    x = np.linspace(0, 2 * math.pi * random.uniform(1, 15), 300)
    height = random.uniform(0.5, 4)
    lines = [np.stack([x, height * np.sin(x) + 3 * height * row], axis=1) for row in range(int(random.integers(1, 4)))]
    return _stretched(lines, random)


def polygons(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw one to six triangles, rectangles, stars or ellipses, beside or over one another, or up to ten in a row."""
    if random.random() < IN_A_ROW:
        alike = random.random() < 0.6
        turn = random.choice([0.25, 0.5, random.uniform(0, 1)])
        corners = [int(random.choice(CORNERS)) for _ in range(int(random.integers(2, 11)))]
        figures = [_polygon(random, corners[0] if alike else count, turn / count) for count in corners]
        return _in_a_row([filled(figure) for figure in figures], random)
    strokes = []
    for number in range(int(random.integers(1, 7))):
        size = np.exp(random.normal(0, 0.4, 2))
        shape = _polygon(random, int(random.choice(CORNERS)), random.uniform(0, 1)) * size
        strokes += moved([filled(shape)], number * random.uniform(0, 3), random.normal(0, 0.7))
    return _stretched(strokes, random)


def _polygon(random: np.random.Generator, corners: int, turn: float) -> NDArray[np.float64]:
    """Draw the corners of a regular polygon around the origin, or of a star; `turn` is a share of a whole turn."""
    angle = 2 * math.pi * (np.linspace(0, 1, corners + 1) + turn)
    radius = np.where(np.arange(corners + 1) % 2, random.uniform(0.3, 1), 1.0) if corners == STAR else 1.0
    return np.stack([np.cos(angle) * radius, np.sin(angle) * radius], axis=1)


def _in_a_row(figures: Strokes, random: np.random.Generator) -> Strokes:
    """Put figures side by side on a line as letters are, of like sizes and with even gaps."""
    proportions = np.exp(random.normal(0, [0.3, 0.05]))
    unevenness, gap = random.uniform(0, 0.2), random.uniform(-0.1, 1.0)
    strokes: Strokes = []
    edge = 0.0
    for figure in figures:
        sized = figure * proportions * math.exp(random.normal(0, unevenness))
        left, bottom = sized[:, 0].min(), sized[:, 1].max()
        strokes.append(sized - [left - edge, bottom] + random.normal(0, 0.3 * unevenness, 2))
        edge += np.ptp(sized[:, 0]) + gap
    return strokes


def arrows(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw one to six arrows."""
    strokes = []
    for _ in range(int(random.integers(1, 7))):
        start, tip = random.uniform(-1, 1, (2, 2)) * [2.0, 1.0]
        bent = (start + tip) / 2 + random.normal(0, 0.2, 2)
        back = (bent - tip) * random.uniform(0.15, 0.4)
        sides = [tip + back @ _turn(angle) for angle in (0.5, -0.5)]
        strokes += [filled(np.array([start, bent, tip])), filled(np.array([sides[0], tip, sides[1]]))]
    return _stretched(strokes, random)


def _turn(angle: float) -> NDArray[np.float64]:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def signature(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw a hasty signature: one or two tall loops, a wave that dies away, perhaps a flourish below."""
    points = int(random.integers(80, 200))
    along = np.linspace(0, 1, points)
    x = along * random.uniform(3, 8) + random.uniform(0.1, 0.6) * np.sin(2 * math.pi * along * random.uniform(4, 14))
    fall = np.exp(-along * random.uniform(1, 5))
    y = fall * np.sin(2 * math.pi * along * random.uniform(3, 12) + random.uniform(0, 6)) * random.uniform(0.6, 1.5)
    y = y + np.interp(along, np.linspace(0, 1, 7), random.normal(0, 0.15, 7))
    strokes = [np.stack([x, y], axis=1)]
    angle = np.linspace(0, 2 * math.pi * random.uniform(0.7, 2.2), 60)
    loop = np.stack([np.cos(angle) * random.uniform(0.2, 0.8), np.sin(angle) * random.uniform(0.6, 1.4)], axis=1)
    strokes += moved([loop], random.uniform(-0.5, 1.5), random.normal(0, 0.3))
    if random.random() < 0.6:
        sweep = np.linspace(0, 1, 40)
        strokes.append(
            np.stack([x[-1] * (1 - sweep), 0.8 + 0.3 * np.sin(math.pi * sweep * random.uniform(0.5, 3))], axis=1)
        )
    return _stretched(strokes, random)


def doodle(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw one to three small pictures: faces, houses, flowers, stick figures."""
    pictures = (_face, _house, _flower, _figure)
    strokes: Strokes = []
    for number in range(int(random.integers(1, 4))):
        picture = pictures[int(random.integers(len(pictures)))](random)
        size = math.exp(random.normal(0, 0.25))
        strokes += [stroke * size + [number * random.uniform(2, 4), 0.0] for stroke in picture]
    wobble = random.uniform(0, 0.03)
    return _stretched([stroke + random.normal(0, wobble, stroke.shape) for stroke in strokes], random)


def _ring(random: np.random.Generator, x: float, y: float, radius: float) -> NDArray[np.float64]:
    angle = np.linspace(0, 2 * math.pi * random.uniform(0.93, 1.1), 40) + random.uniform(0, 6)
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def _face(random: np.random.Generator) -> Strokes:
    eyes = [_ring(random, side * 0.35, -0.3, random.uniform(0.03, 0.15)) for side in (-1, 1)]
    across = np.linspace(-0.5, 0.5, 20)
    mouth = np.stack([across, 0.45 + random.choice([-0.8, 0.8]) * (0.25 - across**2)], axis=1)
    return [_ring(random, 0, 0, 1), *eyes, mouth]


def _house(random: np.random.Generator) -> Strokes:
    roof = random.uniform(-2.0, -1.2)
    walls = np.array([[-1.0, -0.7], [-1, 1], [1, 1], [1, -0.7], [-1, -0.7], [0, roof], [1, -0.7]])
    door = np.array([[-0.2, 1.0], [-0.2, 0.3], [0.3, 0.3], [0.3, 1.0]])
    return [filled(walls), filled(door)]


def _flower(random: np.random.Generator) -> Strokes:
    petals = int(random.integers(4, 9))
    angles = 2 * math.pi * np.arange(petals) / petals
    rings = [_ring(random, 0.7 * math.cos(angle), 0.7 * math.sin(angle), 0.35) for angle in angles]
    stem = np.array([[0.0, 1.0], [random.normal(0, 0.1), 2.0], [0.0, 3.0]])
    return [_ring(random, 0, 0, 0.35), *rings, filled(stem)]


def _figure(random: np.random.Generator) -> Strokes:
    arms = np.array([[-0.8, random.normal(0.2, 0.4)], [0.0, 0.1], [0.8, random.normal(0.2, 0.4)]])
    legs = np.array([[-0.6, 2.6], [0.0, 1.4], [0.6, 2.6]])
    return [_ring(random, 0, -0.8, 0.5), filled(np.array([[0.0, -0.3], [0.0, 1.4]])), filled(arms), filled(legs)]


def bars(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw a bar chart or the bars of a code."""
    heights = random.uniform(0.2, 1, int(random.integers(4, 40)))
    if random.random() < 0.5:
        heights[:] = 1.0
    lefts = np.cumsum(random.uniform(0.05, 0.5, len(heights)))
    strokes = [
        np.array([[left, 0.0], [left, -height], [left + width, -height], [left + width, 0.0]])
        for left, height, width in zip(lefts, heights, random.uniform(0, 0.15, len(heights)), strict=True)
    ]
    return _stretched(strokes, random)


def plotted(random: np.random.Generator, _material: Material) -> Strokes:
    """Draw axes and the curve of a random walk."""
    steps = int(random.integers(20, 200))
    walk = np.cumsum(random.normal(0, 1, steps))
    walk = (walk - walk.min()) / max(float(np.ptp(walk)), 1e-6)
    curve = np.stack([np.linspace(0.05, 1.9, steps), -walk], axis=1)
    return _stretched([np.array([[0.0, -1.1], [0.0, 0.0], [2.0, 0.0]]), curve], random)
