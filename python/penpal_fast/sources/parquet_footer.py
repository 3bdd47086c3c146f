"""The footers of Parquet files, checked before PyArrow acts on them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast._core import MAX_METADATA_BYTES, Footer, StrokeReader
from penpal_fast.errors import PenpalError

END_BYTES = 8
"""Length of the end of a file: the size of the metadata, and 4 bytes that name the format."""

FIRST_READ_BYTES = 64 << 10
"""Bytes that are read first; most footers are shorter."""

MAGIC = b"PAR1"
"""The first and the last bytes of a file."""


@dataclasses.dataclass(frozen=True)
class RowGroup:
    """A row group.

    Attributes:
        rows: Number of rows.
        size: Approximate memory of the rows in bytes.
        has_beginnings: Whether the metadata says where each column begins.
    """

    rows: int
    size: int
    has_beginnings: bool


class ParquetFooter:
    """The metadata of a Parquet file.

    Attributes:
        tail: The bytes from the metadata to the end of the file.
        groups: The row groups, in order.
    """

    def __init__(self, file: IO[bytes]) -> None:
        """Read the end of a file.

        Raises:
            OSError: The file cannot be read.
            PenpalError: It is not a Parquet file, or its metadata cannot be true.
        """
        size = file.seek(0, os.SEEK_END)
        self.tail = _tail(file, size)
        self._checked = Footer(self.tail[:-END_BYTES], size)
        _check_begin(file, self._checked.bytes_before_metadata())
        self.groups = [RowGroup(*group) for group in self._checked.row_groups()]

    def described(self) -> pq.ParquetFile:
        """Return the schema and metadata as PyArrow has them, without rows.

        Raises:
            pyarrow.ArrowException: PyArrow cannot read them.
            PenpalError: PyArrow reads other numbers from them.
        """
        described = pq.ParquetFile(pa.BufferReader(self.tail))
        if (described.metadata.num_row_groups, described.metadata.num_rows) != (
            len(self.groups),
            sum(group.rows for group in self.groups),
        ):
            raise PenpalError("its metadata contradicts itself about the number of rows")
        self._check_rows(described)
        return described

    def _check_rows(self, described: pq.ParquetFile) -> None:
        """Compare the rows of each group with the values of a column that has one for each row.

        PyArrow leaves out rows beyond those that the group promises.
        """
        schema, metadata = described.schema, described.metadata
        flat = (index for index in range(len(schema)) if not schema.column(index).max_repetition_level)
        if (index := next(flat, None)) is None:
            return
        for number, group in enumerate(self.groups):
            column = metadata.row_group(number).column(index)
            if column.num_values > group.rows:
                raise PenpalError(
                    f"its metadata promises {group.rows} rows in row group {number}, but the column "
                    f"{column.path_in_schema} has {column.num_values}"
                )

    def check_pages(self, path: Path, group: int) -> int:
        """Check the pages of a row group's columns without decoding them.

        Returns:
            Size in bytes of the longest text that the file stores once and the rows may repeat.

        Raises:
            OSError: The file cannot be read.
            PenpalError: Pages are missing or damaged; the error names row group and column.
        """
        return self._checked.check_pages(str(path), group)

    def stroke_columns(self) -> list[tuple[int, int]]:
        """Return the columns that may be strokes: the index of each, and its number of levels above x and y."""
        return self._checked.stroke_columns()

    def strokes(
        self, path: Path, group: int, column: int, decompress: Callable[[str, bytes, int], bytes]
    ) -> StrokeReader:
        """Begin to read a column of strokes of a row group.

        Args:
            path: The file.
            group: The row group.
            column: Index of the column.
            decompress: Takes the name of a codec, bytes and the size of the result, and returns that.

        Raises:
            OSError: The file cannot be read.
            PenpalError: The column is stored in a way that is not known here.
        """
        return self._checked.strokes(str(path), group, column, decompress)


def _tail(file: IO[bytes], size: int) -> bytes:
    begin = max(0, size - FIRST_READ_BYTES)
    file.seek(begin)
    end = file.read(size - begin)
    length = int.from_bytes(end[-END_BYTES:-4], "little") + END_BYTES
    if end[-4:] != MAGIC or len(end) != size - begin:
        raise PenpalError("its last bytes are not PAR1; it may have been cut off")
    if length > size:
        raise PenpalError("its metadata would be longer than the file")
    if length > MAX_METADATA_BYTES:
        raise PenpalError(
            f"its metadata has {length:,} bytes; at most {MAX_METADATA_BYTES:,} are read. Write fewer and larger row "
            "groups"
        )
    if length > len(end):
        file.seek(size - length)
        end = file.read(length - len(end)) + end
    return end[-length:]


def _check_begin(file: IO[bytes], begin: int) -> None:
    """Make sure that a file does not begin with something else; its metadata describes none of that.

    Where another file like it lies before it, the rows of the other lie where the metadata puts its own.

    Args:
        file: The file.
        begin: How many bytes would lie before the file. Few writers leave bytes before the metadata undescribed.
    """
    if not begin:
        return
    file.seek(begin)
    if file.read(len(MAGIC)) == MAGIC:
        raise PenpalError(
            f"{begin:,} bytes lie before its beginning, such as another Parquet file, whose rows would be taken for "
            "its own: give joined files one by one"
        )
