"""How many rows are read at a time, by the memory that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from penpal_fast.sources.batch import Rows

MEMORY_MB = 256
"""Default memory for the rows that are read ahead, in megabytes."""

BATCHES_IN_MEMORY = 8
"""Batches in memory at once: being read, scored or written, or waiting; and the memory for decoding, in batches."""

BATCH_ROWS = 4096
"""Maximum number of rows in a batch."""

LEAST_BATCH_BYTES = 1 << 20
"""Batches of fewer bytes are not split."""


def check_memory(memory_mb: int) -> None:
    """Make sure that a limit on memory can be kept.

    Raises:
        PenpalError: It is below 1.
    """
    if memory_mb < 1:
        raise PenpalError(f"memory_mb must be at least 1, got {memory_mb}")


def batch_rows(memory_mb: int, source: Rows) -> int:
    """Number of rows of a batch."""
    return limited((memory_mb << 20) // BATCHES_IN_MEMORY // source.row_bytes, BATCH_ROWS)


def limited(rows: int, most: int) -> int:
    """Return a number of rows from 1 up to `most`."""
    return max(1, min(rows, most))
