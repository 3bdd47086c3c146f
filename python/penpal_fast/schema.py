"""Types of columns: strokes as the penpal data set has them, and columns that are added to others."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from penpal_fast._core import ACCEPTED_TYPES, Rows
from penpal_fast.errors import PenpalError

HUGGING_FACE = b"huggingface"
"""Key of the metadata in which Hugging Face data sets describe their columns."""

TYPE_TEXT_LENGTH = 100


def strokes_type(coordinate: pa.DataType) -> pa.DataType:
    """Type of strokes in the penpal data set (words, strokes, points) with coordinates of this type."""
    point = pa.struct([("x", coordinate), ("y", coordinate)])
    return pa.list_(pa.list_(pa.struct([("points", pa.list_(point))])))


STROKES = strokes_type(pa.float32())
"""Type of the strokes that this package writes."""


def check_strokes_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has one column of this name, and that it holds strokes.

    Raises:
        PenpalError: It has none, or several, or no strokes; the error lists the columns and the accepted types.
    """
    count = schema.names.count(column)
    if count != 1:
        found = "more than one column" if count else "no column"
        raise PenpalError(
            f"{found} {column!r}; name the one with the strokes with --column or column=\n{_columns(schema)}"
        )
    try:
        Rows(nulls_as_strokes(pa.array([], schema.field(column).type)))
    except (PenpalError, pa.ArrowException) as error:
        raise PenpalError(f"the column {column!r} does not hold strokes\n{_columns(schema)}") from error


def nulls_as_strokes(rows: Any) -> Any:
    """Give a column of nothing but nulls, which has no type of its own, the type of strokes."""
    if isinstance(rows, (pa.Array, pa.ChunkedArray)) and pa.types.is_null(rows.type):
        return rows.cast(STROKES)
    return rows


def _columns(schema: pa.Schema) -> str:
    lines = [f"  {field.name}: {_shortened(str(field.type))}" for field in schema]
    return "\n".join(["the columns are" if lines else "there are no columns", *lines, f"strokes are {ACCEPTED_TYPES}"])


def _shortened(text: str) -> str:
    return text if len(text) <= TYPE_TEXT_LENGTH else f"{text[: TYPE_TEXT_LENGTH - 3]}..."


def extended_schema(schema: pa.Schema, added: Mapping[str, pa.DataType]) -> pa.Schema:
    """Put columns at the end of a schema, in place of any of their names; Hugging Face features name them too."""
    kept = [field for field in schema if field.name not in added]
    fields = [*kept, *(pa.field(name, kind) for name, kind in added.items())]
    return pa.schema(fields, metadata=_with_features(dict(schema.metadata or {}), added))


def _with_features(metadata: dict[bytes, bytes], added: Mapping[str, pa.DataType]) -> dict[bytes, bytes]:
    try:
        described = json.loads(metadata[HUGGING_FACE])
        described["info"]["features"].update({name: _feature(kind) for name, kind in added.items()})
    except (KeyError, TypeError, ValueError, AttributeError):
        return metadata
    return {**metadata, HUGGING_FACE: json.dumps(described).encode()}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    names = {"float": "float32", "double": "float64"}
    return {"dtype": names.get(str(kind), str(kind)), "_type": "Value"}
