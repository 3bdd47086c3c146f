"""Parquet files as streams of record batches."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.bulk.batch import Batch
from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from penpal_fast.bulk.inputs import InputFile

READ_BUFFER_BYTES = 1 << 20
"""Size of the pieces in which a column of a row group is read; without it a whole column chunk is held in memory."""

VALUE_BYTES = 8
"""A number with its share of the lists around it."""


class ParquetSource:
    """A Parquet file.

    Attributes:
        file: The file.
        fingerprint: SHA-256 of its footer, which has the place, the size and mostly the range of all column chunks;
            empty for a file on the hub, whose version is a hash already.
        schema: Its columns.
        rows: Number of its rows.
        row_bytes: What a row takes in memory, about; the average of the row group where rows are largest.
        group_rows: Rows of each row group.
        layout: Columns as they are stored.
        can_be_copied: Whether its encoded columns can be copied: it is on this machine, and says where they begin.
    """

    def __init__(self, file: InputFile) -> None:
        """Read the file's schema and the sizes of its row groups.

        Raises:
            PenpalError: It is not a Parquet file.
        """
        self.file = file
        with self._opened("cannot read it as a Parquet file") as opened:
            self.schema: pa.Schema = opened.schema_arrow
            self.layout: pq.ParquetSchema = opened.schema
            groups = [opened.metadata.row_group(index) for index in range(opened.num_row_groups)]
            self.rows: int = opened.metadata.num_rows
            self.fingerprint = _footer_hash(file.path) if file.path else ""
        self.group_rows = [group.num_rows for group in groups]
        self.can_be_copied = file.path is not None and all(_has_beginnings(group) for group in groups)
        self.row_bytes = max((_row_bytes(group) for group in groups), default=1)

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield the rows from `start` on in order, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        starts = list(itertools.accumulate(self.group_rows, initial=0))
        groups = [index for index, end in enumerate(starts[1:]) if end > start]
        skipped = start - starts[groups[0]] if groups else 0
        # What is buffered ahead of a row group is held until the next call, so these go one by one.
        runs = [groups] if self.file.path else [[group] for group in groups]
        with self._opened("the Parquet file is damaged") as opened:
            for run in runs:
                for data in opened.iter_batches(batch_size=rows, row_groups=run, columns=columns, use_threads=False):
                    left = min(skipped, len(data))
                    skipped -= left
                    if left < len(data):
                        yield Batch(data.slice(left))

    @contextlib.contextmanager
    def _opened(self, problem: str) -> Iterator[pq.ParquetFile]:
        path = self.file.path
        try:
            with contextlib.ExitStack() as stack:
                source = path or stack.enter_context(self.file.open(in_order=False))
                opened = pq.ParquetFile(
                    source,
                    pre_buffer=path is None,  # From the hub, a row group's columns come in few large requests.
                    buffer_size=READ_BUFFER_BYTES if path else 0,
                    page_checksum_verification=True,
                )
                yield stack.enter_context(opened)
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.file.name}: {problem}: {error}") from error


def _footer_hash(path: Path) -> str:
    """Hash the end of a Parquet file: its metadata, their length in 4 bytes, and 4 bytes that name the format."""
    with path.open("rb") as file:
        file.seek(-8, os.SEEK_END)
        length = int.from_bytes(file.read(4), "little")
        file.seek(-8 - length, os.SEEK_END)
        return hashlib.sha256(file.read()).hexdigest()


def _row_bytes(group: pq.RowGroupMetaData) -> int:
    columns = [group.column(index) for index in range(group.num_columns)]
    size = sum(max(column.total_uncompressed_size, VALUE_BYTES * column.num_values) for column in columns)
    return max(1, size // max(1, group.num_rows))


def _has_beginnings(group: pq.RowGroupMetaData) -> bool:
    """Whether it is known where the columns begin; some writers leave the place of a dictionary out."""
    columns = [group.column(index) for index in range(group.num_columns)]
    return all(not column.has_dictionary_page or column.dictionary_page_offset for column in columns)
