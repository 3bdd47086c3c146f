"""Direct columns: drawn as they are. Of most, the type alone says so, and the layouts need not be loaded for them."""

from __future__ import annotations

import pyarrow as pa

from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError
from penpal_fast.layouts.nested import is_number
from penpal_fast.layouts.shape import Shape


class NoLayoutError(Exception):
    """A column has none of the layouts, or not the one that was named; the message says why."""


def is_direct_type(empty: pa.Array) -> bool:
    """Whether an array can be drawn as it is, without being converted.

    Args:
        empty: An empty array of its type.
    """
    if pa.types.is_null(empty.type):
        return True
    if pa.types.is_struct(empty.type):
        return False  # `Rows` would take it for a table with a column of strokes.
    try:
        Rows(empty)
    except (PenpalError, pa.ArrowException, NotImplementedError):
        return False
    return True


def may_be_several(array: pa.Array) -> bool:
    """Whether values must be looked at to tell the layout of a direct array.

    Args:
        array: An empty array of its type.
    """
    shape = Shape.of(array)
    if shape.kind == "numbers":
        return not _is_pairs(array.type)
    return shape.anchors is not None


def _is_pairs(kind: pa.DataType) -> bool:
    """Whether the innermost lists are of two numbers by their type."""
    while not is_number(kind):
        if pa.types.is_fixed_size_list(kind) and is_number(kind.value_type):
            return bool(kind.list_size == 2)
        if pa.types.is_struct(kind):
            index = kind.get_field_index("points")
            if index < 0:
                return False
            kind = kind.field(index).type
        elif hasattr(kind, "value_type"):
            kind = kind.value_type
        else:
            return False
    return False
