"""How many rows are read at a time, by the memory that they take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from penpal_fast.sources.batch import RowStream

MEMORY_MB = 256
"""Default memory for the rows that are read ahead, in megabytes."""

BATCHES_IN_MEMORY = 8
"""Batches in memory at once: being read, scored or written, or waiting; and the memory for decoding, in batches."""

BATCH_ROWS = 4096
"""Maximum number of rows in a batch."""

MIN_BATCH_BYTES = 1 << 20
"""Batches of fewer bytes are not split."""

LARGE_ROW_BYTES = 1 << 20
"""Average memory from which rows are large, as few are: a row of 1,000 points takes 8 kB."""

FEW_LARGE_BYTES = 256 << 20
"""Memory of large rows that are so few that they do not set sizes for the others."""

FEW_LARGE_RUNS = 16
"""Row groups or record batches of large rows that are few: in a Parquet file each becomes a part of its own."""

FEW_LARGE_SHARE = 64
"""Large rows are few if there are at least this many times as many rows in all."""


def check_memory(memory_mb: int) -> None:
    """Make sure that a limit on memory can be kept.

    Raises:
        PenpalError: It is below 1.
    """
    if memory_mb < 1:
        raise PenpalError(f"memory_mb must be at least 1, got {memory_mb}")


def batch_rows(memory_mb: int, source: RowStream) -> int:
    """Number of rows of a batch."""
    return limited((memory_mb << 20) // BATCHES_IN_MEMORY // source.row_bytes, BATCH_ROWS)


def limited(rows: int, most: int) -> int:
    """Return a number of rows from 1 up to `most`."""
    return max(1, min(rows, most))


def held_bytes(data: pa.RecordBatch | pa.Array) -> int:
    """Return the memory of rows. Of texts in views, PyArrow 23 knows only that of their whole buffers."""
    import pyarrow as pa

    try:
        return data.nbytes
    except pa.ArrowTypeError:
        return data.get_total_buffer_size()


def usual_row_bytes(runs: Sequence[tuple[int, int]]) -> int:
    """Memory of a row, on average where rows are largest, without large ones if these are few.

    Args:
        runs: Rows and bytes of each row group or record batch.
    """
    large = [(rows, size) for rows, size in runs if average_row_bytes(rows, size) >= LARGE_ROW_BYTES]
    are_few = (
        len(large) <= FEW_LARGE_RUNS
        and sum(size for _, size in large) <= FEW_LARGE_BYTES
        and sum(rows for rows, _ in large) * FEW_LARGE_SHARE <= sum(rows for rows, _ in runs)
    )
    sizes = [average_row_bytes(rows, size) for rows, size in runs]
    return max((size for size in sizes if not are_few or size < LARGE_ROW_BYTES), default=1)


def average_row_bytes(rows: int, size: int) -> int:
    """Memory of a row on average, at least 1."""
    return max(1, size // max(1, rows))
