"""Columns without views, the strings of Polars: PyArrow cannot select rows of them."""

from __future__ import annotations

from typing import TypeVar

import pyarrow as pa

from penpal_fast.layouts.nested import mapped_type

PLAIN = {"string_view": pa.string(), "binary_view": pa.binary()}

Rows = TypeVar("Rows", pa.RecordBatch, pa.Table)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Return a schema in which all views are plain strings or bytes."""
    fields = [field.with_type(mapped_type(field.type, lambda kind: PLAIN.get(str(kind), kind))) for field in schema]
    return pa.schema(fields, metadata=schema.metadata)


def plain_rows(rows: Rows) -> Rows:
    """Return rows with the columns of `plain_schema`; the same rows if that is their schema."""
    schema = plain_schema(rows.schema)
    if schema.equals(rows.schema):
        return rows
    pairs = zip(rows.columns, schema, strict=True)
    columns = [column if column.type.equals(field.type) else column.cast(field.type) for column, field in pairs]
    return type(rows).from_arrays(columns, schema=schema)
