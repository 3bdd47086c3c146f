"""Strokes with an x and y of their own, from which their points count: functions for rows draw only the points.

Their points begin at the origin, each stroke's. A point is only moved by this; several come to lie over one another.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from penpal_fast.errors import PenpalError

TOLERANCE = 1e-6

MOST_LEVELS = 8


def check_places(rows: Any, column: str = "strokes") -> None:
    """Make sure that the points of strokes do not count from an x and y that the strokes have.

    They do if all strokes have an x and y, which differ, and all their points begin at the origin.

    Args:
        rows: Rows in any layout that `Rows` takes, or a table. What is wrong with others is left to it.
        column: Name of the strokes column of a table.

    Raises:
        PenpalError: They do.
    """
    if isinstance(rows, (pa.RecordBatch, pa.Table)):
        if rows.schema.names.count(column) != 1:
            return
        rows = rows.column(column)
    if isinstance(rows, pa.ChunkedArray):
        found = any(map(_arrow_counts, rows.chunks))
    elif isinstance(rows, pa.Array):
        found = _arrow_counts(rows)
    else:
        found = isinstance(rows, (list, tuple)) and any(map(_row_counts, rows))
    if found:
        raise PenpalError(
            "strokes have an x and y of their own, from which their points count, as in Excalidraw; score them with "
            "ArrowScorer or the command line, which add these up, or leave x and y out"
        )


def _row_counts(row: Any) -> bool:
    strokes: Any = row.get("strokes") if isinstance(row, Mapping) else row
    if isinstance(first := _first(strokes), (list, tuple)) and isinstance(_first(first), Mapping):
        strokes = [stroke for word in strokes if isinstance(word, (list, tuple)) for stroke in word]
    elif not isinstance(first, Mapping):
        return False
    return _strokes_count(strokes)


def _strokes_count(strokes: Sequence[Any]) -> bool:
    places = []
    for stroke in strokes:
        if not (isinstance(stroke, Mapping) and {"x", "y", "points"} <= stroke.keys()):
            return False
        point = _first(stroke["points"])
        if isinstance(point, Mapping):
            point = (point.get("x"), point.get("y"))
        place = (stroke["x"], stroke["y"])
        if not isinstance(point, (list, tuple)) or len(point) < len(place) or not _are_numbers([*point[:2], *place]):
            return False
        if max(map(abs, point[:2])) > TOLERANCE:
            return False
        places.append(place)
    return len(set(places)) > 1


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, (list, tuple)) and items else None


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def _arrow_counts(array: pa.Array) -> bool:
    for _ in range(MOST_LEVELS):
        kind = array.type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
            array = pc.list_flatten(array)
        elif pa.types.is_struct(kind):
            if min(kind.get_field_index(name) for name in ("x", "y", "points")) < 0:
                return False
            return _structs_count(array)
        else:
            return False
    return False


def _structs_count(strokes: pa.StructArray) -> bool:
    points = pc.struct_field(strokes, "points")
    if not (pa.types.is_list(points.type) or pa.types.is_large_list(points.type)):
        return False
    strokes = strokes.filter(pc.fill_null(pc.greater(pc.list_value_length(points), 0), False))
    first = pc.list_element(pc.struct_field(strokes, "points"), 0)
    differ = False
    for axis, name in enumerate(("x", "y")):
        place, begins = pc.struct_field(strokes, name), _coordinate(first, axis)
        if begins is None or not all(_is_number(part.type) for part in (begins, place)):
            return False
        if not (np.abs(_float(begins)) <= TOLERANCE).all():
            return False
        differ = differ or len(np.unique(_float(place))) > 1
    return differ


def _coordinate(points: pa.Array, axis: int) -> pa.Array | None:
    """Return x or y of points, or None where they do not all have one."""
    if pa.types.is_struct(points.type):
        name = "xy"[axis]
        return pc.struct_field(points, name) if points.type.get_field_index(name) >= 0 else None
    if not (pa.types.is_list(points.type) or pa.types.is_fixed_size_list(points.type)):
        return None
    if pa.types.is_list(points.type) and not pc.all(pc.greater(pc.list_value_length(points), axis)).as_py():
        return None
    return pc.list_element(points, axis)


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _float(array: pa.Array) -> NDArray[np.float64]:
    return np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
