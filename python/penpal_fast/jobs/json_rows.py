"""Rows of Arrow columns as lines of JSON."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import numpy as np
import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast.errors import PenpalError
from penpal_fast.jobs.plain_columns import plain_rows
from penpal_fast.layouts.nested import indices_of_runs, is_list, whole
from penpal_fast.schema import Table, has_json_values, is_text, texts_of

NULL = "null"

NO_VALUE = re.compile("[\r\n]|^\ufeff")


def check_names(schema: pa.Schema) -> None:
    """Make sure that each column has a name of its own, as the fields of an object need.

    Raises:
        PenpalError: Two columns have the same name.
    """
    if twice := [name for name in schema.names if schema.names.count(name) > 1]:
        raise PenpalError(
            f"there is more than one column {twice[0]!r}, which JSON cannot hold; rename one, or write Parquet"
        )


def json_lines(rows: Table) -> bytes:
    """Write each row as a JSON object on a line of its own, in UTF-8.

    Numbers are as short as they can be and still be the same in their type. NaN and infinities become null, bytes
    base64, and times ISO 8601. Strings that JSON lines gave a column for their values become these values.
    """
    if not len(rows):
        return b""
    rows = plain_rows(rows)
    pairs = zip(map(whole, rows.columns), rows.schema, strict=True)
    values = [_json_values(column) if has_json_values(field) else json_texts(column) for column, field in pairs]
    lines = _objects(rows.schema.names, values, len(rows))
    return "".join(f"{line}\n" for line in lines.to_pylist()).encode()


def json_of(values: pa.Array, row: int) -> str | None:
    """Return a value as JSON, None for null, and texts as they are. Bytes that are not UTF-8 become U+FFFD."""
    from penpal_fast.sources.json_text import json_text

    value = values.slice(row, 1)
    if is_text(value.type):
        return texts_of(value)[0]
    try:
        found = value[0].as_py()
    except UnicodeDecodeError:
        return str(json_texts(value)[0])
    return found if found is None or isinstance(found, str) else json_text(found)


def json_texts(values: pa.Array) -> pa.Array:
    """Return each value as JSON: strings [N] without nulls."""
    kind = values.type
    if isinstance(values, pa.ExtensionArray):
        return json_texts(values.storage)
    if pa.types.is_dictionary(kind):
        return pc.fill_null(json_texts(values.dictionary).take(values.indices), NULL)
    if pa.types.is_run_end_encoded(kind):
        return json_texts(values.values).take(pa.array(indices_of_runs(values)))
    if pa.types.is_struct(kind):
        texts = _objects([field.name for field in kind], list(map(json_texts, values.flatten())), len(values))
    elif is_list(kind):
        texts = _lists(values)
    elif pa.types.is_map(kind):
        texts = _maps(values)
    elif pa.types.is_floating(kind):
        texts = _floats(values)
    elif pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        texts = pc.cast(values, pa.string())
    elif is_text(kind):
        texts = pa.array([_text(text) for text in texts_of(values)], pa.string())
    else:
        texts = pa.array([_text(value) for value in values.to_pylist()], pa.string())
    return pc.if_else(values.is_valid(), texts, NULL)


def _lists(values: pa.Array) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy(zero_copy_only=False)
    inner = values.filter(values.is_valid()) if pa.types.is_fixed_size_list(values.type) else values
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return _joined(pa.ListArray.from_arrays(pa.array(offsets), json_texts(inner.flatten())))


def _maps(maps: pa.MapArray) -> pa.Array:
    """Write maps as lists of pairs, [key, value]."""
    keys, items = json_texts(maps.keys), json_texts(maps.items)
    pairs = pc.binary_join_element_wise("[", keys, ", ", items, "]", "")
    return _joined(pa.ListArray.from_arrays(maps.offsets, pairs))


def _joined(lists: pa.ListArray) -> pa.Array:
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")


def _json_values(column: pa.Array) -> pa.Array:
    """Return strings that are JSON as they are; a file may say so of others, which become JSON strings."""
    from penpal_fast.sources.json_text import is_json

    def value(text: str | None) -> str:
        # Ends of lines would be those of rows, and a mark of the byte order begins no value.
        is_value = text is not None and not NO_VALUE.search(text) and is_json(text.encode(), infinities=False)
        return text if is_value and text is not None else _text(text)

    return pa.array(list(map(value, texts_of(column))), pa.string())


def _objects(names: list[str], values: list[pa.Array], count: int) -> pa.Array:
    """Return objects as JSON, given the JSON of the values of each field."""
    pieces: list[Any] = []
    for name, texts in zip(names, values, strict=True):
        pieces += [f"{',' if pieces else '{'}{json.dumps(name, ensure_ascii=False)}:", texts]
    return pc.binary_join_element_wise(*pieces, "}", "") if pieces else pa.array(["{}"] * count, pa.string())


def _floats(values: pa.Array) -> pa.Array:
    values = pc.cast(values, pa.float32()) if pa.types.is_float16(values.type) else values
    texts = pc.cast(values, pa.string())
    # Arrow writes 1.0 as 1, and a column of such numbers would be read as integers.
    are_integers = pc.match_substring_regex(texts, r"^-?\d+$")
    texts = pc.if_else(are_integers, pc.binary_join_element_wise(texts, ".0", ""), texts)
    return pc.if_else(pc.is_finite(values), texts, NULL)


def _text(value: Any) -> str:
    return NULL if value is None else json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    """Return a value of another type as one that JSON has."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
