"""JSON lines parsed by PyArrow, wherever it reads them as Python does; Python takes ten times as long."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from penpal_fast._core import Rows
from penpal_fast.sources import json_rows
from penpal_fast.sources.json_rows import Text
from penpal_fast.sources.json_text import is_utf8

PIECE_LINES = 64
"""Where PyArrow does not take all lines, it is given so many at a time."""

VAIN_LINES = 1000
"""Once PyArrow has taken none of so many lines in a row, Python parses the rest."""

WHITESPACE = b" \t\r\n"
"""What JSON may have between its parts."""

NO_NUMBERS = re.compile(rb"[:\[,][ \t\r\n]*-?(?:NaN|Inf)")
"""Python takes NaN, Infinity and -Infinity for numbers, PyArrow some other spellings too."""

NEGATIVE_ZERO = re.compile(rb"-0[ \t\r\n,\]}]")
"""An integer for Python, which then is 0."""


class ArrowParser:
    """PyArrow, for as long as it is of use."""

    def __init__(self) -> None:
        """Begin with hope."""
        self._in_vain = 0

    def parse(self, texts: Sequence[Text], schema: pa.Schema, column: str) -> tuple[list[pa.RecordBatch], list[int]]:
        """Parse what can be parsed of lines, as `parse_lines` does; also return the indices of all others."""
        nothing: tuple[list[pa.RecordBatch], list[int]] = [], list(range(len(texts)))
        if self._in_vain >= VAIN_LINES:
            return nothing
        parsed = parse_lines(texts, schema, column)
        batches, left = ([parsed[0]], parsed[1]) if parsed else nothing
        if not parsed and len(texts) > PIECE_LINES:
            batches, left = _parse_pieces(texts, schema, column)
        self.took(sum(batch.num_rows for batch in batches), len(texts))
        return batches, left

    def took(self, rows: int, lines: int) -> None:
        """Take note of how many of so many lines were taken."""
        self._in_vain = 0 if rows else self._in_vain + lines


def _parse_pieces(texts: Sequence[Text], schema: pa.Schema, column: str) -> tuple[list[pa.RecordBatch], list[int]]:
    batches, left = [], []
    for start in range(0, len(texts), PIECE_LINES):
        piece = texts[start : start + PIECE_LINES]
        parsed = parse_lines(piece, schema, column)
        if parsed:
            batches.append(parsed[0])
        left += [start + row for row in (parsed[1] if parsed else range(len(piece)))]
    return batches, left


def parse_lines(texts: Sequence[Text], schema: pa.Schema, column: str) -> tuple[pa.RecordBatch, list[int]] | None:
    """Parse lines, each of which must be an object with no other names than the schema's.

    Returns:
        The rows, but for those that Python must parse as it might read them differently or as their strokes cannot be
        drawn, and the indices of these. None if a line does not fit the schema or is not JSON.
    """
    if any(len(text) == json_rows.MAX_LINE_BYTES for _, text in texts):
        return None
    lines = [text.strip(WHITESPACE) for _, text in texts]
    # No object then goes from line to line, as nothing may stand between } and { but the end of one.
    if not all(line.startswith(b"{") and line.endswith(b"}") for line in lines):
        return None
    rows = list(range(len(lines)))
    content = b"\n".join(lines)
    if _has_odd_numbers(content):
        rows = [row for row in rows if not _has_odd_numbers(lines[row])]
        content = b"\n".join(lines[row] for row in rows)
    if not rows or not is_utf8(content):
        return None
    batch = _parse(content, schema)
    # A line with two objects gives two rows.
    if batch is None or batch.num_rows != len(rows) or _is_odd_inside(batch.column(column)):
        return None
    strokes = batch.column(column)
    undrawn = {row for row, *_ in Rows(strokes).problems() if strokes[row].is_valid}
    if undrawn:
        batch = batch.filter(pa.array([row not in undrawn for row in range(len(rows))]))
        rows = [row for index, row in enumerate(rows) if index not in undrawn]
    return batch, sorted(set(range(len(lines))).difference(rows))


def _parse(content: bytes, schema: pa.Schema) -> pa.RecordBatch | None:
    try:
        table = pa.json.read_json(
            pa.BufferReader(content),
            pa.json.ReadOptions(use_threads=False, block_size=len(content) + 1),
            pa.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error"),
        )
    except (pa.ArrowException, ValueError):
        return None
    return table.combine_chunks().to_batches()[0] if table.schema == schema else None


def _has_odd_numbers(content: bytes) -> bool:
    # A pattern without a fixed beginning is slow to search for.
    may_have = b"NaN" in content or b"Inf" in content
    return bool((may_have and NO_NUMBERS.search(content)) or NEGATIVE_ZERO.search(content))


def _is_odd_inside(values: pa.Array) -> bool:
    """Whether anything in the values is null, or infinite: an integer that is too large for Python to make a float."""
    return any(inner.null_count or _is_odd_inside(inner) or _has_infinities(inner) for inner in _inside(values))


def _has_infinities(values: pa.Array) -> bool:
    return pa.types.is_floating(values.type) and not pc.all(pc.is_finite(values), min_count=0).as_py()


def _inside(values: pa.Array) -> list[pa.Array]:
    if pa.types.is_list(values.type):
        return [values.flatten()]
    return values.flatten() if pa.types.is_struct(values.type) else []
