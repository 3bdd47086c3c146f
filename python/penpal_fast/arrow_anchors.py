"""Relative strokes in Arrow data; see `penpal_fast.anchors`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast import kernels as pc

MAX_LEVELS = 8


def are_relative(rows: Any, column: str, tolerance: float) -> bool:
    """Whether the points of strokes count from their anchors.

    Args:
        rows: An array, or a table with the strokes in `column`.
        column: Its name.
        tolerance: Of coordinates at the origin.
    """
    if isinstance(rows, (pa.RecordBatch, pa.Table)):
        if rows.schema.names.count(column) != 1:
            return False
        rows = rows.column(column)
    if isinstance(rows, pa.ChunkedArray):
        return any(_is_relative_array(chunk, tolerance) for chunk in rows.chunks)
    return isinstance(rows, pa.Array) and _is_relative_array(rows, tolerance)


def _is_relative_array(array: pa.Array, tolerance: float) -> bool:
    if not _has_anchors(array.type):
        return False
    try:
        array.validate(full=True)  # Kernels end the process on offsets that are broken.
    except pa.ArrowInvalid:
        return False
    while not pa.types.is_struct(array.type):
        array = pc.list_flatten(array)
    return _are_relative_structs(array, tolerance)


def _has_anchors(kind: pa.DataType) -> bool:
    """Whether lists hold structs of x, y and points."""
    for _ in range(MAX_LEVELS):
        if pa.types.is_struct(kind):
            return min(kind.get_field_index(name) for name in ("x", "y", "points")) >= 0
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
            return False
        kind = kind.value_type
    return False


def _are_relative_structs(strokes: pa.StructArray, tolerance: float) -> bool:
    points = pc.struct_field(strokes, "points")
    if not (pa.types.is_list(points.type) or pa.types.is_large_list(points.type)):
        return False
    strokes = strokes.filter(pc.fill_null(pc.greater(pc.list_value_length(points), 0), False))
    first = pc.list_element(pc.struct_field(strokes, "points"), 0)
    differ = False
    for axis, name in enumerate(("x", "y")):
        anchor, begins = pc.struct_field(strokes, name), _coordinate(first, axis)
        if begins is None or not (is_number(begins.type) and is_number(anchor.type)):
            return False
        if not (np.abs(_float(begins)) <= tolerance).all():
            return False
        differ = differ or len(np.unique(_float(anchor))) > 1
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


def is_number(kind: pa.DataType) -> bool:
    """Whether a type is that of coordinates."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _float(array: pa.Array) -> NDArray[np.float64]:
    return np.asarray(pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False))
