"""JSON lines parsed by PyArrow, wherever it reads them as Python does; Python takes ten times as long."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.json

from penpal_fast._core import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

WHITESPACE = b" \t\r\n"
"""What JSON may have between its parts."""

UNLIKE = re.compile(rb"[:\[,][ \t\r\n]*(?:-?[IN]|-0[ \t\r\n,\]}])")
"""Numbers that the parsers take differently: NaN, infinities, and -0, which Python makes 0."""


def parse_lines(lines: Sequence[bytes], schema: pa.Schema, column: str) -> pa.RecordBatch | None:
    """Parse lines, each of which must be an object with no other names than the schema's.

    Returns:
        The rows; None if one does not fit the schema, is not JSON, or has strokes that cannot be drawn, or if Python
        might read one differently.
    """
    lines = [line.strip(WHITESPACE) for line in lines]
    # No object then goes from line to line, as nothing may stand between } and { but the end of one.
    if not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return None
    content = b"\n".join(lines)
    if UNLIKE.search(content) or not _is_utf8(content):
        return None
    try:
        table = pa.json.read_json(
            pa.BufferReader(content),
            pa.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
            pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (pa.ArrowException, ValueError):
        return None
    # A line with two objects gives two rows.
    if table.num_rows != len(lines) or table.schema != schema:
        return None
    (batch,) = table.combine_chunks().to_batches()
    return batch if _can_be_drawn(batch.column(column)) else None


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _can_be_drawn(strokes: pa.Array) -> bool:
    """Whether all rows can, but for those that are null. What is missing inside a row is left to others to judge."""
    if any(_has_nulls(inner) for inner in _inside(strokes)):
        return False
    return all(not strokes[row].is_valid for row, *_ in Rows(strokes).problems())


def _has_nulls(values: pa.Array) -> bool:
    return values.null_count > 0 or any(_has_nulls(inner) for inner in _inside(values))


def _inside(values: pa.Array) -> list[pa.Array]:
    if pa.types.is_list(values.type):
        return [values.flatten()]
    return values.flatten() if pa.types.is_struct(values.type) else []
