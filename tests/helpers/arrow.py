"""Rows of strokes as Arrow columns."""

from __future__ import annotations

import pyarrow as pa

STROKES = pa.list_(pa.struct([("points", pa.list_(pa.struct([("x", pa.float32()), ("y", pa.float32())])))]))


def column(rows) -> pa.Array:
    """Rows, each a list of strokes of (x, y) or None, as Arrow in the penpal nesting without words."""
    return pa.array(
        [row and [{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in row] for row in rows], STROKES
    )
