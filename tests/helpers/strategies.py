"""Hypothesis strategies for rows of strokes, from ordinary handwriting to what only a broken program writes."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import strategies as st

LINE_WIDTHS = st.sampled_from([0.5, 1.0, 1.5, 2.0, 7.25])


def _walk(seed: int, points: int, step: float) -> list[tuple[float, float]]:
    """A stroke as a pen writes it: small steps that turn slowly."""
    random = np.random.default_rng(seed)
    angle = np.cumsum(random.normal(0, 0.6, points))
    offsets = step * np.stack([np.cos(angle) + 0.4, np.sin(angle)], axis=1)
    return [tuple(point) for point in np.cumsum(offsets, axis=0).tolist()]


walks = st.builds(_walk, st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([0.3, 1.0, 12.0]))
long_walks = st.builds(_walk, st.integers(0, 2**32), st.integers(1000, 4000), st.just(1.0))
grid_points = st.tuples(st.integers(-50, 50).map(float), st.integers(-50, 50).map(float))
off_grid_points = st.tuples(*[st.floats(-1000, 1000, allow_subnormal=False)] * 2)
any_points = st.tuples(*[st.floats(-1e300, 1e300)] * 2)


@st.composite
def moved(draw, strokes):
    """A row put far away or blown up, so that float64 has few digits left for its shape."""
    row = draw(strokes)
    scale = draw(st.sampled_from([1.0, 1e-30, 1e-300, 1e30, 1e290]))
    x, y = draw(st.tuples(*[st.sampled_from([0.0, -7.5, 1e6, 1e30, -1e300])] * 2))
    return [[(x + scale * px, y + scale * py) for px, py in stroke] for stroke in row]


@st.composite
def repeated(draw, strokes):
    """Points that are written several times over."""
    row = draw(strokes)
    times = draw(st.integers(2, 4))
    return [[point for point in stroke for _ in range(times)] for stroke in row]


def flat(axis: int):
    """A horizontal (axis 0) or vertical (axis 1) line."""
    along = st.lists(st.floats(-100, 100), min_size=1, max_size=6)
    return along.map(lambda values: [[(value, 3.5) if axis == 0 else (3.5, value) for value in values]])


handwriting = st.lists(walks, min_size=1, max_size=6)
dots = st.lists(st.lists(grid_points, min_size=1, max_size=1), min_size=1, max_size=8)
few_points = st.one_of(grid_points, off_grid_points)
polylines = st.lists(st.lists(few_points, min_size=0, max_size=4), min_size=1, max_size=4)
many_strokes = st.lists(st.lists(grid_points, min_size=1, max_size=2), min_size=40, max_size=80)
wild = st.lists(st.lists(any_points, min_size=1, max_size=3), min_size=1, max_size=3)


def is_drawable(row) -> bool:
    """Whether a row has points and spans that float64 holds."""
    points = [point for stroke in row for point in stroke]
    spans = [max(values) - min(values) for values in zip(*points, strict=True)]
    return bool(points) and all(map(math.isfinite, spans))


rows = st.one_of(
    handwriting,
    dots,
    polylines,
    flat(0),
    flat(1),
    repeated(polylines),
    moved(handwriting),
    moved(polylines),
    wild,
).filter(is_drawable)
"""Rows that can be drawn."""
