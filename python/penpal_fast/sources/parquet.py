"""Parquet files as streams of record batches."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.parquet_footer import ParquetFooter

READ_BUFFER_BYTES = 1 << 20
"""Size of the pieces in which a column of a row group is read; without it a whole column chunk is held in memory."""

DECODED_ROWS = 32
"""Most rows that are decoded at a time, as a few may be much larger than most."""

LEAST_BATCH_BYTES = 1 << 20
"""Batches are not cut below this."""


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
        with self._problems("cannot read it as a Parquet file"):
            footer = self._footer()
            described = footer.described()
            self.schema: pa.Schema = described.schema_arrow
        self.layout: pq.ParquetSchema = described.schema
        self.fingerprint = hashlib.sha256(footer.tail).hexdigest() if file.path else ""
        self.group_rows = [group.rows for group in footer.groups]
        self.rows = sum(self.group_rows)
        self.can_be_copied = file.path is not None and all(group.has_beginnings for group in footer.groups)
        self.row_bytes = max((group.size // max(1, group.rows) for group in footer.groups), default=0) or 1

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield the rows from `start` on in order, at most so many at a time, fewer where they are larger than most.

        Raises:
            PenpalError: The file turns out to be damaged.
        """
        starts = list(itertools.accumulate(self.group_rows, initial=0))
        groups = [index for index, end in enumerate(starts[1:]) if end > start]
        skipped = start - starts[groups[0]] if groups else 0
        most_bytes = max(LEAST_BATCH_BYTES, rows * self.row_bytes)
        with self._opened("the Parquet file is damaged") as (opened, footer):
            for run in self._runs(groups, rows):
                step = min(rows, self._decoded_rows(footer, run, most_bytes))
                pieces = opened.iter_batches(batch_size=step, row_groups=run, columns=columns, use_threads=False)
                for data in _gathered(pieces, rows, most_bytes):
                    left = min(skipped, len(data))
                    skipped -= left
                    if left < len(data):
                        yield Batch(data.slice(left))

    def _runs(self, groups: list[int], rows: int) -> Iterator[list[int]]:
        """Group small row groups that are read together."""
        run: list[int] = []
        run_rows = 0
        for group in groups:
            run.append(group)
            run_rows += self.group_rows[group]
            # What is buffered of a file on the hub is held until the next call, so these go one by one.
            if run_rows >= rows or not self.file.path:
                yield run
                run, run_rows = [], 0
        if run:
            yield run

    def _decoded_rows(self, footer: ParquetFooter, run: list[int], most_bytes: int) -> int:
        """Rows that may be decoded at a time; of a file on this machine the pages are checked first."""
        if not self.file.path:
            return DECODED_ROWS
        text_bytes = max(footer.check_pages(self.file.path, group) for group in run)
        return max(1, min(DECODED_ROWS, most_bytes // max(1, text_bytes)))

    def _footer(self) -> ParquetFooter:
        with self.file.open(in_order=False) as file:
            return ParquetFooter(file)

    @contextlib.contextmanager
    def _opened(self, problem: str) -> Iterator[tuple[pq.ParquetFile, ParquetFooter]]:
        path = self.file.path
        with self._problems(problem), contextlib.ExitStack() as stack:
            footer = self._footer()
            source = path or stack.enter_context(self.file.open(in_order=False))
            opened = pq.ParquetFile(
                source,
                metadata=footer.described().metadata,
                pre_buffer=path is None,  # From the hub, a row group's columns come in few large requests.
                buffer_size=READ_BUFFER_BYTES if path else 0,
                page_checksum_verification=True,
            )
            yield stack.enter_context(opened), footer

    @contextlib.contextmanager
    def _problems(self, problem: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException, UnicodeDecodeError, PenpalError) as error:
            raise PenpalError(f"{self.file.name}: {problem}: {error}") from error


def _gathered(pieces: Iterator[pa.RecordBatch], rows: int, most_bytes: int) -> Iterator[pa.RecordBatch]:
    """Put pieces together as long as they have at most so many rows and take at most so much memory."""
    waiting: list[pa.RecordBatch] = []
    waiting_rows = waiting_bytes = 0
    for piece in pieces:
        size = piece.nbytes
        if waiting and (waiting_rows + len(piece) > rows or waiting_bytes + size > most_bytes):
            yield _joined(waiting)
            waiting, waiting_rows, waiting_bytes = [], 0, 0
        waiting.append(piece)
        waiting_rows += len(piece)
        waiting_bytes += size
    if waiting:
        yield _joined(waiting)


def _joined(pieces: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pieces[0] if len(pieces) == 1 else pa.Table.from_batches(pieces).combine_chunks().to_batches()[0]
