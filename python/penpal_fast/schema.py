"""Columns and their types: strokes as in the penpal data set, texts, and columns that a table gains."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast import kernels as pc
from penpal_fast._core import ACCEPTED_TYPES, Rows
from penpal_fast.arrow_streams import read_whole
from penpal_fast.errors import PenpalError

Table: TypeAlias = pa.RecordBatch | pa.Table

HUGGING_FACE = b"huggingface"
"""Key of the metadata in which Hugging Face data sets describe their columns."""

FEATURE_TYPES = re.compile(
    r"bool|u?int(8|16|32|64)|float(16|32|64)|date(32|64)|(time32|time64|timestamp|duration)\[.*\]|decimal128\(.*\)"
    r"|(large_)?(string|binary)"
)
"""Types of columns that a Hugging Face `Value` describes."""

TYPE_TEXT_LENGTH = 100

MAX_NAMED = 10
"""Columns that an error names as those that could be meant."""

MAX_LISTED = 100
"""Columns that an error lists."""

TEXT_COLUMN = "text"
"""Column of texts, unless another is named."""

JSON_VALUES = {b"penpal_fast.values": b"json"}
"""Metadata of a field of strings each of which is the JSON of a value; JSON lines get the values back."""


def strokes_type(coordinate: pa.DataType) -> pa.DataType:
    """Type of strokes in the penpal data set (words, strokes, points), with this type of coordinates."""
    point = pa.struct([("x", coordinate), ("y", coordinate)])
    return pa.list_(pa.list_(pa.struct([("points", pa.list_(point))])))


STROKES = strokes_type(pa.float32())
"""Type of the strokes that this package writes."""


def nested_strokes(
    points: NDArray[np.floating], strokes: Iterable[int], words: Iterable[int], rows: Iterable[int]
) -> pa.Array:
    """Nest points as an array of words of strokes.

    Args:
        points: Points (x, y) [N, 2] of all strokes, one after the other.
        strokes: Number of points of each stroke.
        words: Number of strokes of each word.
        rows: Number of words of each row.
    """
    x, y = (pa.array(np.ascontiguousarray(axis)) for axis in points.T)
    in_strokes = _lists(strokes, pa.StructArray.from_arrays([x, y], names=["x", "y"]))
    in_words = _lists(words, pa.StructArray.from_arrays([in_strokes], names=["points"]))
    return _lists(rows, in_words).cast(strokes_type(x.type))


def _lists(lengths: Iterable[int], values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(list(accumulate(lengths, initial=0)), pa.int32()), values)


def has_json_values(field: pa.Field) -> bool:
    """Whether a column is of strings that are JSON of values: `JSON_VALUES`."""
    return pa.types.is_string(field.type) and JSON_VALUES.items() <= (field.metadata or {}).items()


def with_texts(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    """Return a schema in which the strings of columns are texts, not JSON of values."""
    fields = [
        field.with_metadata({key: value for key, value in field.metadata.items() if key not in JSON_VALUES})
        if field.name in names and field.metadata
        else field
        for field in schema
    ]
    return pa.schema(fields, metadata=schema.metadata)


def check_strokes_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has exactly one column of this name, and that it holds strokes.

    Raises:
        PenpalError: There is no such column, or several, or it holds no strokes; the error lists the columns and the
            accepted types.
    """
    check_one_column(schema, column)
    try:
        Rows(nulls_as_strokes(pa.nulls(0, schema.field(column).type)))
    except (PenpalError, pa.ArrowException) as error:
        raise no_strokes(schema, column) from error


def check_one_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has exactly one column with the name of the strokes.

    Raises:
        PenpalError: There is none, or several; the error lists the columns.
    """
    count = schema.names.count(column)
    if count != 1:
        found = "more than one column" if count else "no column"
        raise PenpalError(
            f"{found} {column!r}; name the one with the strokes with --column or column=\n{_columns(schema)}"
        )


def no_strokes(schema: pa.Schema, column: str, reason: str = "") -> PenpalError:
    """Return the error for a column that holds no strokes, which lists the columns, and says why if it is known."""
    why = f"\nwhat {column!r} has in place of these: {reason}" if reason else ""
    return PenpalError(f"the column {column!r} does not hold strokes\n{_columns(schema)}{why}")


def check_text_column(schema: pa.Schema, column: str) -> None:
    """Make sure that a schema has exactly one column of this name, and that it holds texts.

    Raises:
        PenpalError: There is no such column, or several, or it holds something else; the error lists the columns.
    """
    count = schema.names.count(column)
    if count != 1:
        found = "more than one column" if count else "no column"
        times = Counter(schema.names)
        alone = [repr(field.name) for field in schema if is_text(field.type) and times[field.name] == 1]
        others = f"columns that hold texts: {', '.join(map(_shortened, alone[:MAX_NAMED]))}\n" if alone else ""
        raise PenpalError(
            f"{found} {column!r}; name the one with the texts with --text or text=\n{others}{listed_columns(schema)}"
        )
    kind = schema.field(column).type
    if not (is_text(kind) or pa.types.is_null(kind)):
        raise PenpalError(
            f"the column {column!r} does not hold texts but {_shortened(str(kind))}\n{listed_columns(schema)}"
        )


def nulls_as_strokes(rows: Any) -> Any:
    """Cast a column of Arrow's null type, which JSON and data frames give to a column without values, to strokes.

    A stream is read to its end, as `read_whole` does.
    """
    rows = read_whole(rows)
    if isinstance(rows, (pa.Array, pa.ChunkedArray)) and pa.types.is_null(rows.type):
        return rows.cast(STROKES)
    return rows


def _columns(schema: pa.Schema) -> str:
    return f"{listed_columns(schema)}\nstrokes are {ACCEPTED_TYPES}"


def listed_columns(schema: pa.Schema) -> str:
    """Say which columns there are, for errors, one on each line."""
    lines = [f"  {_shortened(field.name)}: {_shortened(str(field.type))}" for field in list(schema)[:MAX_LISTED]]
    if (more := len(schema) - len(lines)) > 0:
        lines.append(f"  and {more:,} more")
    return "\n".join(["the columns are" if lines else "there are no columns", *lines])


def _shortened(text: str) -> str:
    return text if len(text) <= TYPE_TEXT_LENGTH else f"{text[: TYPE_TEXT_LENGTH - 3]}..."


def is_text(kind: pa.DataType, *, integers: bool = False) -> bool:
    """Whether a column of this type, or its dictionary, holds texts, or integers if these may be read as texts."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    is_integer = integers and pa.types.is_integer(kind)
    return bool(is_integer or pa.types.is_string(kind) or pa.types.is_large_string(kind) or _is_view(kind))


def has_texts(schema: pa.Schema, name: str, *, integers: bool = False) -> bool:
    """Whether there is exactly one column of this name, and it holds texts as `is_text` has it."""
    return schema.names.count(name) == 1 and is_text(schema.field(name).type, integers=integers)


def _is_view(kind: pa.DataType) -> bool:
    """Whether a type is that of the strings of Polars, from which PyArrow 21 takes no rows."""
    return bool(pa.types.is_string_view(kind))


def plain_texts(column: pa.Array) -> pa.Array:
    """Return strings from which PyArrow can take rows."""
    return pa.array(_decoded(column, "replace"), pa.string()) if _is_view(column.type) else column


def texts_of(column: pa.Array, *, errors: str = "replace") -> list[str | None]:
    """Return a column of texts or integers as texts. A text of a dictionary is made once, as it may be long.

    Args:
        column: The column. Its texts should be UTF-8, but files may have any bytes in their place.
        errors: What becomes of bytes that are not UTF-8, as for `bytes.decode`; by default U+FFFD, which no alphabet
            has.
    """
    if not pa.types.is_dictionary(column.type):
        is_plain = pa.types.is_string(column.type) or pa.types.is_large_string(column.type) or _is_view(column.type)
        return _decoded(column if is_plain else pc.cast(column, pa.string()), errors)
    used = column.indices.unique()
    texts = dict(zip(used.to_pylist(), texts_of(_taken(column.dictionary, used), errors=errors), strict=True))
    return [texts[index] for index in column.indices.to_pylist()]


def _taken(texts: pa.Array, rows: pa.Array) -> pa.Array:
    """Take texts as they are; PyArrow cannot take views, but their bytes."""
    plain = pa.array(_buffers(texts), pa.binary()).view(pa.string()) if _is_view(texts.type) else texts
    return plain.take(rows)


def _decoded(texts: pa.Array, errors: str) -> list[str | None]:
    try:
        return texts.to_pylist()
    except UnicodeDecodeError:
        return [None if text is None else text.decode(errors=errors) for text in _buffers(texts)]


def _buffers(texts: pa.Array) -> list[bytes | None]:
    return [text.as_buffer().to_pybytes() if text.is_valid else None for text in texts]


def few_texts(texts: Mapping[int, str], rows: int) -> pa.StringArray:
    """Return a column of texts [rows] that is null but for some rows.

    It is made of buffers, because `pa.array` imports pandas where it is installed, which takes a quarter of a second.

    Args:
        texts: The texts by row.
        rows: Number of rows.

    Raises:
        PenpalError: The texts take 2 GiB or more.
    """
    places = sorted(texts)
    encoded = [texts[row].encode() for row in places]
    ends = np.zeros(rows + 1, np.int64)
    ends[np.array(places, np.int64) + 1] = [len(text) for text in encoded]
    ends = ends.cumsum()
    if ends[-1] > np.iinfo(np.int32).max:
        raise PenpalError(f"the texts of {rows} rows take {ends[-1] >> 20} MiB; a column takes less than 2,048")
    valid = np.zeros(rows, np.bool_)
    valid[places] = True
    buffers = [_bits(valid), pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)


def scores_array(scores: NDArray[np.float32]) -> pa.FloatArray:
    """Return scores as a column, null where they are NaN; made of buffers as `few_texts` is."""
    values = pa.py_buffer(np.ascontiguousarray(scores, np.float32))
    return pa.Array.from_buffers(pa.float32(), len(scores), [_bits(~np.isnan(scores)), values])


def _bits(valid: NDArray[np.bool_]) -> pa.Buffer | None:
    return None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))


def extended_schema(schema: pa.Schema, added: Mapping[str, pa.DataType]) -> pa.Schema:
    """Put columns at the end of a schema and replace columns of the same names, in Hugging Face features too.

    The features are left out if they cannot describe an added column: they must describe all columns or none.
    """
    kept = [field for field in schema if field.name not in added]
    fields = [*kept, *(pa.field(name, kind) for name, kind in added.items())]
    return pa.schema(fields, metadata=_with_features(dict(schema.metadata or {}), added))


def _with_features(metadata: dict[bytes, bytes], added: Mapping[str, pa.DataType]) -> dict[bytes, bytes]:
    features = {name: _feature(kind) for name, kind in added.items()}
    try:
        described = json.loads(metadata[HUGGING_FACE])
        described["info"]["features"].update(features)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return metadata
    others = {key: value for key, value in metadata.items() if key != HUGGING_FACE}
    return others if None in features.values() else {**metadata, HUGGING_FACE: json.dumps(described).encode()}


def _feature(kind: pa.DataType) -> dict[str, Any] | None:
    """Hugging Face feature of a column, or None if there is none for its type."""
    names = {
        "halffloat": "float16",
        "float": "float32",
        "double": "float64",
        "date32[day]": "date32",
        "date64[ms]": "date64",
    }
    name = names.get(str(kind), str(kind))
    return {"dtype": name, "_type": "Value"} if FEATURE_TYPES.fullmatch(name) else None
