"""How many rows are on their way at a time."""

from __future__ import annotations

from penpal_fast.sources.batch import Rows

MEMORY_MB = 256
"""Default of what the rows on their way may take."""

BATCHES_IN_MEMORY = 8
"""Batches that are being read, scored or written or wait for it, and what decoding them takes."""

BATCH_ROWS = 4096
"""Most rows that are read and scored at a time."""


def batch_rows(memory_mb: int, source: Rows) -> int:
    """Rows to read at a time."""
    return limited((memory_mb << 20) // BATCHES_IN_MEMORY // source.row_bytes, BATCH_ROWS)


def limited(rows: int, most: int) -> int:
    """Return a number of rows from 1 up to `most`."""
    return max(1, min(rows, most))
