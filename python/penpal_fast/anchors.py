"""Anchors: an x and y of strokes themselves, from which the points of relative strokes count.

Functions for rows draw only the points, which begin at the origin, each stroke's. A point is only moved by this;
several strokes come to lie over one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from penpal_fast.errors import PenpalError

TOLERANCE = 1e-6
"""Of coordinates at the origin."""


def check_anchors(rows: Any, column: str = "strokes") -> None:
    """Make sure that the points of strokes do not count from their anchors.

    They do if all strokes have an anchor, and these differ, and all their points begin at the origin.

    Args:
        rows: Rows in any layout that `Rows` takes, or a table. What is wrong with others is left to it.
        column: Name of the strokes column of a table.

    Raises:
        PenpalError: They do.
    """
    if type(rows).__module__.startswith("pyarrow"):
        from penpal_fast.arrow_anchors import are_relative  # Rows of Python need no PyArrow.

        found = are_relative(rows, column, TOLERANCE)
    else:
        found = _is_list(rows) and any(map(_is_relative_row, rows))
    if found:
        raise PenpalError(
            "strokes have an x and y of their own, from which their points count, as in Excalidraw; score them with "
            "ArrowScorer or the command line, which add these up, or leave x and y out"
        )


def _is_relative_row(row: Any) -> bool:
    strokes: Any = row.get("strokes") if type(row) is dict else row
    if _is_list(first := _first(strokes)) and type(_first(first)) is dict:
        strokes = [stroke for word in strokes if _is_list(word) for stroke in word]
    elif type(first) is not dict:
        return False
    return _are_relative(strokes)


def _are_relative(strokes: Sequence[Any]) -> bool:
    anchors = []
    for stroke in strokes:
        if type(stroke) is not dict or not {"x", "y", "points"} <= stroke.keys():
            return False
        point = _first(stroke["points"])
        if type(point) is dict:
            point = (point.get("x"), point.get("y"))
        anchor = (stroke["x"], stroke["y"])
        if not _is_list(point) or len(point) < len(anchor) or not _are_numbers([*point[:2], *anchor]):
            return False
        if max(map(abs, point[:2])) > TOLERANCE:
            return False
        anchors.append(anchor)
    return len(set(anchors)) > 1


def _first(items: Any) -> Any:
    return items[0] if _is_list(items) and items else None


def _is_list(items: Any) -> bool:
    """Whether something is a list or tuple. Objects with methods of their own are left to `Rows`, which bounds them."""
    return type(items) in (list, tuple)


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(type(value) in (int, float) for value in values)
