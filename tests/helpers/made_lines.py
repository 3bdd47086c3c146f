"""Lines that the tests make themselves, the same everywhere: no random library and no trigonometry is involved."""

from __future__ import annotations

Stroke = list[tuple[float, float]]


def _numbers(seed: int):
    """Yield numbers from 0 to 1 by a linear congruential generator (Numerical Recipes' constants)."""
    state = seed
    while True:
        state = (1664525 * state + 1013904223) % 2**32
        yield state / 2**32


def scrawl(seed: int, strokes: int, points: int) -> list[Stroke]:
    """Curly strokes from left to right, a little like writing."""
    number = _numbers(seed)
    row = []
    x = 0.0
    for _ in range(strokes):
        y, dx, dy = 8 * next(number), 0.0, 0.0
        stroke = []
        for _ in range(points):
            dx, dy = 0.8 * dx + next(number) - 0.42, 0.8 * dy + next(number) - 0.5
            x, y = x + dx, y + dy
            stroke.append((x, y))
        row.append(stroke)
        x += 4
    return row


GOLDEN = {
    "dot": [[(4.0, 4.0)]],
    "cross": [[(0.0, 0.0), (10.0, 10.0)], [(0.0, 10.0), (10.0, 0.0)]],
    "flat_line": [[(0.0, 0.0), (7.0, 0.0), (3.0, 0.0)]],
    "house": [[(0.0, 5.0), (0.0, 10.0), (8.0, 10.0), (8.0, 5.0), (0.0, 5.0), (4.0, 0.0), (8.0, 5.0)], [(4.0, 8.0)]],
    "short_line": scrawl(1, 3, 40),
    "long_line": scrawl(2, 18, 35),
    "paragraph_of_dots": [[(float(x % 17), float(x * x % 23))] for x in range(60)],
}
"""Rows with a golden picture each."""
