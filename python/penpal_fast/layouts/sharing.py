"""How much rows claim that share their parts: many rows may be one value of a dictionary, or views of one list.

A small array can claim far more than a machine has, so this is counted before anything is unpacked.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from penpal_fast.errors import PenpalError
from penpal_fast.layouts.nested import is_list
from penpal_fast.layouts.soundness import check_sound
from penpal_fast.layouts.weights import BYTES, VIEWS, Weights, is_any

MANY_BYTES, MAX_TIMES = 256 << 20, 16
"""Rows that share may claim this many bytes, or so many times the bytes that are there in all columns."""

SHARING = ("dictionary", "run_end_encoded", "list_view", "large_list_view", *VIEWS)


def may_share(kind: pa.DataType) -> bool:
    """Whether values of a type may be parts of others: of dictionaries, run ends, views."""
    if is_any(kind, *SHARING):
        return True
    if isinstance(kind, pa.BaseExtensionType):
        return may_share(kind.storage_type)
    if is_list(kind):
        return may_share(kind.value_type)
    if is_any(kind, "map"):
        return may_share(kind.key_type) or may_share(kind.item_type)
    return is_any(kind, "struct") and any(may_share(field.type) for field in kind)


def check_sharing(rows: pa.RecordBatch | pa.Table, name: str) -> None:
    """Make sure that a column can be unpacked in memory of the order of that of all columns.

    Raises:
        PenpalError: Its rows share parts and claim far more than there is, or it is broken.
    """
    column = rows.column(name)
    if not may_share(column.type):
        return
    try:
        check_sound(column)
    except pa.ArrowInvalid as error:
        raise PenpalError(f"it is broken: {error}") from error
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    claimed = sum(float(BYTES.of(chunk).sum()) for chunk in chunks)
    held = rows.get_total_buffer_size()
    if claimed > MANY_BYTES and claimed > MAX_TIMES * held:
        raise too_much(claimed, held)


def too_much(claimed: float, held: int) -> PenpalError:
    """Return the error for rows that claim far more bytes than are there."""
    return PenpalError(
        f"its rows share their parts and claim {claimed:,.0f} bytes, of which there are {held:,}: give fewer rows at a "
        "time, or write each row once"
    )


def shared_bytes(rows: pa.RecordBatch) -> int:
    """Return about how many bytes sound rows take in columns whose rows may share their parts.

    Raises:
        PenpalError: Run ends have more items than could be counted.
    """
    claimed = _row_bytes(rows)
    return 0 if claimed is None else int(claimed.sum())


def pieces(rows: pa.RecordBatch, most_bytes: int) -> Iterator[pa.RecordBatch]:
    """Yield sound rows in pieces of about this many bytes, where they may share their parts; else in one.

    Raises:
        PenpalError: Run ends have more items than could be counted.
    """
    claimed = _row_bytes(rows)
    if claimed is None or claimed.sum() <= most_bytes:
        yield rows
        return
    start, until = 0, np.cumsum(claimed)
    while start < len(rows):
        before = until[start - 1] if start else 0.0
        stop = max(start + 1, int(np.searchsorted(until, before + most_bytes, side="right")))
        yield rows.slice(start, stop - start)
        start = stop


def _row_bytes(rows: pa.RecordBatch) -> Weights | None:
    sharing = [column for column in rows.columns if may_share(column.type)]
    return sum(map(BYTES.of, sharing), np.zeros(len(rows))) if sharing else None
