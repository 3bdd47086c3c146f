"""Coordinate columns: those of a table that hold its strokes together, dx, dy and eos, or x and y."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast.layouts.fields import DOWN, DX, DY, LIFT, NUMBER, X, Y, field_of
from penpal_fast.layouts.nested import is_list, is_number, plain, whole
from penpal_fast.schema import Table, is_text, plain_texts

TEXT = pa.large_string()

USUAL_COLUMN = "strokes"
"""Name of the strokes column unless a caller gives another; only then others may stand for it."""

NOTHING = "nothing"
"""Form of a column of Arrow's null type."""


def coordinate_columns_of(schema: pa.Schema, column: str) -> list[str]:
    """Return the names of the coordinate columns; none if there is a column of strokes, or no others hold them.

    Columns of Arrow's null type, as of a data frame without rows, may be of any form.

    Args:
        schema: The columns of a table.
        column: Name of the strokes column.
    """
    found = possible_coordinate_columns(schema.names, column)
    forms = [_form(schema.field(name).type) for name in found]
    known = set(forms[:2]) - {NOTHING}
    if not found or None in known or len(known) > 1:
        return []
    return [*found[:2], *(name for name, form in zip(found[2:], forms[2:], strict=True) if {form} == known)]


def possible_coordinate_columns(names: Sequence[str], column: str) -> list[str]:
    """Return the names of what are coordinate columns if their types allow it; see `coordinate_columns_of`."""
    if column != USUAL_COLUMN or column in names:
        return []
    fields = pa.struct([(name, pa.null()) for name in names])
    flag = DOWN if field_of(fields, LIFT) is None else LIFT
    for pair in ((DX, DY), (X, Y)):
        indices = [field_of(fields, one) for one in (*pair, flag, NUMBER)]
        found = [names[index] for index in indices if index is not None]
        if None not in indices[:2] and all(names.count(name) == 1 for name in found):
            return found
    return []


def read_columns(schema: pa.Schema, column: str) -> list[str]:
    """Return the names of the columns that the strokes are in."""
    return coordinate_columns_of(schema, column) or [column]


def has_strokes(schema: pa.Schema, column: str) -> bool:
    """Whether there is a column of strokes, or coordinate columns."""
    return column in schema.names or bool(coordinate_columns_of(schema, column))


def joined_columns(rows: Table, names: Sequence[str]) -> pa.Array:
    """Return columns as one: structs, or the text of JSON objects where the columns are texts, or nulls if one of them
    has no values."""
    arrays = [plain(whole(rows.column(name))) for name in names]
    if any(pa.types.is_null(array.type) for array in arrays):
        return pa.nulls(rows.num_rows)
    missing = [array.is_null() for array in arrays]
    is_missing = missing[0]
    for one in missing[1:]:
        is_missing = pc.or_(is_missing, one)
    if not is_text(arrays[0].type):
        return pa.StructArray.from_arrays(arrays, names=list(names), mask=is_missing)
    pieces: list[pa.Array | pa.Scalar] = []
    for name, array in zip(names, arrays, strict=True):
        start = f"{', ' if pieces else '{'}{json.dumps(name)}: "
        pieces += [pa.scalar(start, TEXT), pc.cast(plain_texts(array), TEXT)]
    return pc.binary_join_element_wise(*pieces, pa.scalar("}", TEXT), pa.scalar("", TEXT))


def _form(kind: pa.DataType) -> str | None:
    """How a column may hold numbers of a row: as a list, as JSON text, or each row one number."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if is_list(kind):
        return "list"
    if is_text(kind):
        return "text"
    if pa.types.is_null(kind):
        return NOTHING
    return "number" if is_number(kind) else None
