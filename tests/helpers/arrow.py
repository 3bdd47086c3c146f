"""Rows of strokes as Arrow columns."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

STROKES = pa.list_(pa.struct([("points", pa.list_(pa.struct([("x", pa.float32()), ("y", pa.float32())])))]))


def points(stroke) -> list[dict[str, float]]:
    """A stroke of (x, y) as a list of dicts."""
    return [{"x": x, "y": y} for x, y in stroke]


def strokes(row) -> list[dict[str, list[dict[str, float]]]]:
    """A row, or a word, of strokes of (x, y) as Arrow and JSON nest them."""
    return [{"points": points(stroke)} for stroke in row]


def column(rows) -> pa.Array:
    """Rows, each a list of strokes of (x, y) or None, as Arrow in the penpal nesting without words."""
    return pa.array([row and strokes(row) for row in rows], STROKES)


def views() -> pa.DataType:
    """Return the type of the strings of Polars."""
    if not hasattr(pa, "string_view"):
        pytest.skip("this PyArrow has no string_view")
    return pa.string_view()


def stored_views() -> pa.DataType:
    """Return it where Parquet files can be written with it."""
    kind = views()
    try:
        pq.ParquetWriter(pa.BufferOutputStream(), pa.schema([("text", kind)])).close()
    except pa.ArrowNotImplementedError:
        pytest.skip("this PyArrow writes no string_view to Parquet")
    return kind


def runs(ends: list[int], values: pa.Array) -> pa.Array:
    """Make an array of run ends. PyArrow 16 takes these as integers only."""
    return pa.RunEndEncodedArray.from_arrays(ends, values, pa.run_end_encoded(pa.int64(), values.type))
