"""Strokes with an x and y of their own beside their points: functions for rows draw only the points, so they refuse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast.errors import PenpalError

TOLERANCE = 1e-6

MOST_LEVELS = 8


def check_places(rows: Any, column: str = "strokes") -> None:
    """Make sure that the points of strokes do not count from an x and y that the strokes have.

    Points that begin at the x and y of their stroke do not.

    Args:
        rows: Rows in any layout that `Rows` takes, or a table. What is wrong with others is left to it.
        column: Name of the strokes column of a table.

    Raises:
        PenpalError: They may.
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
        found = isinstance(rows, (list, tuple)) and any(map(_counts, _placed(rows)))
    if found:
        raise PenpalError(
            "strokes have an x and y of their own, from which their points may count, as in Excalidraw; score them "
            "with ArrowScorer or the command line, which add these up, or leave x and y out"
        )


def _placed(rows: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the first stroke of each row, if strokes are objects with an x and y."""
    for row in rows:
        strokes: Any = row.get("strokes") if isinstance(row, Mapping) else row
        first = _first(strokes)
        stroke = first if isinstance(first, Mapping) else _first(first)
        if isinstance(stroke, Mapping):
            if not {"x", "y", "points"} <= stroke.keys():
                return
            yield from (one for one in (strokes if stroke is first else first) if isinstance(one, Mapping))
        elif stroke is not None:
            return


def _first(items: Any) -> Any:
    return items[0] if isinstance(items, (list, tuple)) and items else None


def _counts(stroke: Mapping[str, Any]) -> bool:
    """Whether the points of a stroke may count from its x and y."""
    point = _first(stroke.get("points"))
    if isinstance(point, Mapping):
        point = (point.get("x"), point.get("y"))
    place = (stroke.get("x"), stroke.get("y"))
    if not isinstance(point, (list, tuple)) or len(point) < len(place) or not _are_numbers([*point[:2], *place]):
        return False
    return any(abs(one - other) > TOLERANCE for one, other in zip(point, place, strict=False))


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
    for axis, name in enumerate(("x", "y")):
        place = pc.struct_field(strokes, name)
        if pa.types.is_struct(first.type):
            begins = pc.struct_field(first, name) if first.type.get_field_index(name) >= 0 else None
        elif pa.types.is_fixed_size_list(first.type):
            begins = pc.list_element(first, axis)
        else:
            first = first.filter(pc.fill_null(pc.greater(pc.list_value_length(first), 1), False))
            if len(first) != len(strokes):
                return False
            begins = pc.list_element(first, axis)
        if begins is None or not all(_is_number(part.type) for part in (begins, place)):
            return False
        apart = np.abs(_float(begins) - _float(place))
        if (apart > TOLERANCE).any():
            return True
    return False


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _float(array: pa.Array) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
