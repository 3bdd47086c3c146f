"""Parquet files as streams of record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.bulk.batch import Batch
from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READ_BUFFER_BYTES = 1 << 20
"""Size of the pieces in which a column of a row group is read; without it a whole column chunk is held in memory."""


class ParquetSource:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its schema.

        Raises:
            PenpalError: It is not a Parquet file.
        """
        self.path = path
        try:
            self._file = pq.ParquetFile(
                path, pre_buffer=False, buffer_size=READ_BUFFER_BYTES, page_checksum_verification=True
            )
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{path}: cannot read it as a Parquet file: {error}") from error
        self.schema: pa.Schema = self._file.schema_arrow
        self.rows: int = self._file.metadata.num_rows

    def batches(self, rows: int) -> Iterator[Batch]:
        """Yield the rows in order, at most so many at a time.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        try:
            for data in self._file.iter_batches(batch_size=rows):
                yield Batch(data)
        except (OSError, pa.ArrowException) as error:
            raise PenpalError(f"{self.path}: the Parquet file is damaged: {error}") from error
