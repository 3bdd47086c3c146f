"""All layouts: their names, and which of them a shape may have."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.columns import Columns
from penpal_fast.layouts.flat import MAX_COLUMNS, MAX_POINT_NUMBERS, Flat
from penpal_fast.layouts.layout import Layout
from penpal_fast.layouts.nested import Lengths
from penpal_fast.layouts.numbered import Numbered
from penpal_fast.layouts.offsets import Lifts, Offsets, Stroke5
from penpal_fast.layouts.points import RelativePoints, StrokesOfPoints
from penpal_fast.layouts.shape import Shape

LAYOUTS = {
    "strokes": "strokes of points, with words or without",
    "columns": "strokes as columns of x and y",
    "relative": "strokes with an x and y of their own, from which their points count",
    "offsets": "offsets (dx, dy, pen lift), or (pen lift, dx, dy); y grows upward",
    "offsets-y-down": "the same; y grows downward",
    "offsets-flag-first": "offsets (pen lift, dx, dy); y grows upward",
    "offsets-flag-first-y-down": "the same; y grows downward",
    "offsets-flag-last": "offsets (dx, dy, pen lift); y grows upward",
    "offsets-flag-last-y-down": "the same; y grows downward",
    "stroke-3": "offsets (dx, dy, pen lift); y grows downward",
    "stroke-5": "offsets (dx, dy, pen down, pen up, end); y grows downward",
    "lifts": "points (x, y, pen lift)",
    "numbered": "points with the number of their stroke",
    "flat": "strokes as flat lists, [x, y, x, y, ...]",
}
"""Names that `--layout` takes, and what they are."""

OFFSETS = {
    "offsets": (Offsets(), Offsets(flag_first=True)),
    "offsets-y-down": (Offsets(y_down=True), Offsets(flag_first=True, y_down=True)),
    "offsets-flag-first": (Offsets(flag_first=True),),
    "offsets-flag-first-y-down": (Offsets(flag_first=True, y_down=True),),
    "offsets-flag-last": (Offsets(),),
    "offsets-flag-last-y-down": (Offsets(y_down=True),),
    "stroke-3": (Offsets(y_down=True),),
}

SIZES = 4
"""Sizes of points, and of strokes, that are tried: the most frequent."""


def check_layout(name: str | None) -> None:
    """Make sure that a layout has this name.

    Raises:
        PenpalError: There is none.
    """
    if name is not None and name not in LAYOUTS:
        raise PenpalError(f"there is no layout {name!r}; the layouts are {', '.join(LAYOUTS)}")


def candidates(shape: Shape, name: str | None) -> list[Layout]:
    """Return the layouts that a shape may have, all of which a name stands for if one is given."""
    offered = [layout for layout in _offered(shape, name) if layout.takes(shape)]
    return [layout for layout in offered if name is None or name in names_of(layout)]


def names_of(layout: Layout) -> list[str]:
    """Return the names that stand for a layout."""
    return [layout.name, *(name for name, found in OFFSETS.items() if layout in found)]


def _offered(shape: Shape, name: str | None) -> Iterator[Layout]:
    for offsets in OFFSETS.get(name or "offsets", ()):
        if shape.kind == "numbers" or not offsets.flag_first:  # Fields have names, so any order is the same.
            yield dataclasses.replace(offsets, is_named=name is not None)
    if shape.kind != "numbers":
        lifts = Lifts(is_named=name is not None)
        yield from (RelativePoints(), StrokesOfPoints(), Columns(), lifts, Numbered())
        return
    yield Stroke5()
    for size in (3, 5):
        yield Lifts(size, is_named=name is not None, is_guess=name is None)
    yield Flat(is_named=name is not None)
    if len(shape.levels) > 2:
        yield from _of_sizes(shape)


def _of_sizes(shape: Shape) -> Iterator[Layout]:
    *_, strokes, points = shape.levels
    for size in _sizes(points.lengths[points.valid], MAX_POINT_NUMBERS):
        if shape.anchors is not None:
            yield RelativePoints(size)
        yield StrokesOfPoints(size)
    if shape.anchors is None:
        yield from map(Columns, _sizes(strokes.lengths[strokes.valid], MAX_COLUMNS))


def _sizes(lengths: Lengths, most: int) -> list[int]:
    """Return the most frequent lengths that may be of points or of columns."""
    found, counts = np.unique(lengths[(lengths >= 2) & (lengths <= most)], return_counts=True)
    return found[np.argsort(-counts, kind="stable")][:SIZES].tolist()
