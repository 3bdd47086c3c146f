"""Columns of strokes of a Parquet file, decoded in Rust: PyArrow takes three times as long for these."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast._core import StrokeReader
from penpal_fast.errors import PenpalError
from penpal_fast.sources.memory import held_bytes
from penpal_fast.sources.parquet_footer import ParquetFooter

logger = logging.getLogger(__name__)

OTHERS = 16
"""How much larger other columns of strokes may be than the first one before they are left to PyArrow."""

Level = tuple[Any, Any]
"""Offsets of a list or None, and the null bitmap or None."""

TOO_MANY_ROWS = "it has more rows than the footer says"
"""What `StrokeReader` says of a column that goes on after the last row of its row group."""


class StrokeDecoder:
    """Reads row groups, with their columns of strokes decoded in Rust and the others by PyArrow.

    It knows only what is usual. Whatever else a file has, also by damage, raises an error, and is left to PyArrow.
    """

    def __init__(self, opened: pq.ParquetFile, footer: ParquetFooter, path: Path, columns: list[str] | None) -> None:
        """Take a file of this machine, and the names of the columns to read; None for all."""
        self._opened = opened
        self._footer = footer
        self._path = path
        self._state = _state(path)
        schema = opened.schema_arrow
        self._fields = {index: field for index, field in enumerate(schema) if columns is None or field.name in columns}
        ordered = [schema.field(name) for name in columns or [] if schema.names.count(name) == 1]
        self._schema = pa.schema(list(self._fields.values()) if columns is None else ordered, metadata=schema.metadata)
        self._kinds = {
            index: self._fields[index].type
            for index, levels in footer.stroke_columns()
            if index in self._fields and _depth(self._fields[index].type) == levels
        }
        # PyArrow takes a name for all columns that have it, and those with a dot for parts of columns.
        has_clear_names = len(set(schema.names)) == len(schema) and not any("." in name for name in schema.names)
        if not has_clear_names or (columns is not None and len(self._fields) != len(columns)):
            self._kinds = {}

    def __bool__(self) -> bool:
        """Whether there are columns that are read faster here."""
        return bool(self._kinds)

    def leave(self, reason: str) -> None:
        """Read no more here, because of something that is not known or damaged."""
        logger.info("%s: PyArrow decodes its strokes: %s", self._path, reason)
        self._kinds = {}

    def pieces(self, groups: Sequence[int], rows: int, most_bytes: int, step: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of row groups in pieces of at most `rows` rows and about `most_bytes` each of strokes and of
        other columns.

        Args:
            groups: The row groups.
            rows: Maximum number of rows of a piece.
            most_bytes: Approximate maximum memory.
            step: Number of rows of other columns that are decoded at a time.

        Raises:
            OSError: The file cannot be read.
            PenpalError, pyarrow.ArrowException: The file is damaged or stored in a way that is not known here.
        """
        others = [field.name for index, field in self._fields.items() if index not in self._kinds]
        beside = _Beside(iter(()))
        if others:
            beside = _Beside(
                self._opened.iter_batches(batch_size=step, row_groups=list(groups), columns=others, use_threads=False)
            )
        for group in groups:
            for strokes in self._strokes(group, rows, most_bytes):
                count = len(next(iter(strokes.values())))
                start = 0
                while start < count:
                    piece = beside.taken(count - start, most_bytes) if others else {}
                    stop = start + len(next(iter(piece.values()))) if others else count
                    columns = {name: array.slice(start, stop - start) for name, array in strokes.items()} | piece
                    yield pa.record_batch([columns[name] for name in self._schema.names], schema=self._schema)
                    start = stop
        if beside.left() is not None:
            raise _uneven()

    def _strokes(self, group: int, rows: int, most_bytes: int) -> Iterator[dict[str, pa.Array]]:
        """Yield the rows of the columns of strokes, by name."""
        readers = {index: self._footer.strokes(self._path, group, index, _decompressed) for index in self._kinds}
        # PyArrow has had the file open from the beginning, and both must read the same rows.
        if _state(self._path) != self._state:
            raise PenpalError("the file has changed")
        while True:
            strokes: dict[str, pa.Array] = {}
            count = None
            for index, reader in readers.items():
                # A second column has as many rows, but may have more points.
                most = most_bytes if count is None else OTHERS * most_bytes
                array = _read(reader, self._kinds[index], rows if count is None else count, most)
                if count not in (None, len(array)):
                    raise _uneven()
                count = len(array)
                strokes[self._fields[index].name] = array
            if not count:
                return
            yield strokes


class _Beside:
    """Rows of the columns that PyArrow reads."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._left: pa.RecordBatch | None = None

    def taken(self, rows: int, most_bytes: int) -> dict[str, pa.Array]:
        """Return the next rows, at most this number and of not much more than this memory, by the columns' names.

        Raises:
            PenpalError: There are none.
        """
        pieces: list[pa.RecordBatch] = []
        size = 0
        while rows and size < most_bytes and (batch := self.left()) is not None:
            piece = batch.slice(0, rows)
            self._left = batch.slice(len(piece))
            pieces.append(piece)
            rows -= len(piece)
            size += held_bytes(piece)
        if not pieces:
            raise _uneven()
        taken = joined(pieces)
        return dict(zip(taken.schema.names, taken.columns, strict=True))

    def left(self) -> pa.RecordBatch | None:
        """Return rows that are left; None if there are none."""
        while self._left is None or not len(self._left):
            self._left = next(self._batches, None)
            if self._left is None:
                break
        return self._left


def joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Return rows in one piece."""
    return pieces[0] if len(pieces) == 1 else pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]


def _state(path: Path) -> tuple[int, int, int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _uneven() -> PenpalError:
    return PenpalError("its columns have different numbers of rows")


def _read(reader: StrokeReader, kind: pa.DataType, rows: int, most_bytes: int) -> pa.Array:
    point = _point(kind)
    count, levels, axes = reader.read(rows, max(1, most_bytes // (2 * point.field(0).type.byte_width)))
    return _array(kind, count, levels, axes)


def _decompressed(codec: str, data: bytes, size: int) -> bytes:
    found: bytes = pa.Codec(codec).decompress(data, size, asbytes=True)
    return found


def _array(kind: pa.DataType, length: int, levels: Sequence[Level], axes: Sequence[tuple[Any, Any]]) -> pa.Array:
    """Make an array of its levels, from the rows down, and the coordinates."""
    (offsets, valid), *inner = levels
    if not pa.types.is_struct(kind):
        ends = offsets.astype(np.int64) if pa.types.is_large_list(kind) else offsets
        items = _array(kind.value_type, int(offsets[-1]), inner, axes)
        return pa.Array.from_buffers(kind, length, [_buffer(valid), pa.py_buffer(ends)], children=[items])
    if inner:
        fields = [_array(kind.field(0).type, length, inner, axes)]
    else:
        fields = [
            pa.Array.from_buffers(kind.field(axis).type, length, [_buffer(nulls), pa.py_buffer(values)])
            for axis, (values, nulls) in enumerate(axes)
        ]
    return pa.Array.from_buffers(kind, length, [_buffer(valid)], children=fields)


def _buffer(bits: Any) -> pa.Buffer | None:
    return None if bits is None else pa.py_buffer(bits)


def _depth(kind: pa.DataType) -> int | None:
    """Number of levels above the coordinates; None if it is no list of points, or has other fields."""
    depth = 1
    while not _is_point(kind):
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = kind.value_type
        elif pa.types.is_struct(kind) and kind.num_fields == 1:
            kind = kind.field(0).type
        else:
            return None
        depth += 1
    return depth


def _point(kind: pa.DataType) -> pa.DataType:
    while not _is_point(kind):
        kind = kind.field(0).type if pa.types.is_struct(kind) else kind.value_type
    return kind


def _is_point(kind: pa.DataType) -> bool:
    if not pa.types.is_struct(kind) or kind.num_fields != 2:
        return False
    x, y = (kind.field(axis).type for axis in range(2))
    return x == y and (pa.types.is_float32(x) or pa.types.is_float64(x))
