"""Synthetic lines as an Arrow table in the penpal schema."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.schema import STROKES, nested_strokes
from penpal_fast.synthesis.plan import Planned

SCALE = 2.0
"""Factor from the generator's coordinates to the table's."""

UNIT = 1 / 32
"""Coordinates are rounded to this, at most a twentieth of a pixel, so that files compress well."""

SCHEMA = pa.schema(
    {
        "strokes": STROKES,
        "text": pa.string(),
        "author": pa.int32(),
        "source": pa.string(),
        "bias": pa.float32(),
        "corruption": pa.string(),
        "kappa_scale": pa.float32(),
        "beta_floor": pa.float32(),
        "noise": pa.float32(),
        "onset": pa.float32(),
    }
)
"""Columns of synthetic lines: `author` is the style, `corruption` the severity, null for a clean line."""


def table_of(lines: Sequence[Planned], words: Sequence[list[list[NDArray[np.float64]]]]) -> pa.Table:
    """Put synthetic lines into a table.

    Args:
        lines: The planned lines.
        words: Words of strokes [N, 2] of each line.
    """
    requests = [line.request for line in lines]
    columns = [
        strokes_array(words),
        [request.text for request in requests],
        [request.style for request in requests],
        [line.source for line in lines],
        [request.bias for request in requests],
        [line.severity for line in lines],
        [request.corruption.kappa_scale for request in requests],
        [request.corruption.beta_floor for request in requests],
        [request.corruption.noise for request in requests],
        [request.corruption.onset for request in requests],
    ]
    return pa.table(columns, schema=SCHEMA)


def strokes_array(rows: Sequence[list[list[NDArray[np.float64]]]]) -> pa.Array:
    """Put rows of words of strokes [N, 2] into an Arrow array of the penpal schema, scaled and rounded."""
    words = [word for row in rows for word in row]
    strokes = [stroke for word in words for stroke in word]
    points = np.concatenate([*strokes, np.empty((0, 2))])
    points = (np.round(SCALE * points / UNIT) * UNIT).astype(np.float32)
    return nested_strokes(points, map(len, strokes), map(len, words), map(len, rows))
