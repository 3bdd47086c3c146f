"""Columns without views, the strings of Polars: PyArrow cannot select rows of them."""

from __future__ import annotations

from typing import TypeVar

import pyarrow as pa

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which all views are plain strings or bytes."""
    fields = [field.with_type(_plain_type(field.type)) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def plain_rows(rows: Rows) -> Rows:
    """Return rows with the columns of `plain_schema`; the same rows if that is their schema."""
    schema = plain_schema(rows.schema)
    if schema.equals(rows.schema):
        return rows
    pairs = zip(rows.columns, schema, strict=True)
    columns = [column if column.type.equals(field.type) else column.cast(field.type) for column, field in pairs]
    return type(rows).from_arrays(columns, schema=schema)


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_plain_type(field.type)) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_large_list(kind):
        return pa.large_list(kind.value_field.with_type(_plain_type(kind.value_type)))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(kind.value_field.with_type(_plain_type(kind.value_type)), kind.list_size)
    if pa.types.is_map(kind):
        key, item = (field.with_type(_plain_type(field.type)) for field in (kind.key_field, kind.item_field))
        return pa.map_(key, item, kind.keys_sorted)
    return kind
