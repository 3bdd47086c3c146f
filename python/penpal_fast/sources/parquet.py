"""Parquet files as streams of record batches."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Collection, Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.errors import PenpalError
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.schema import with_texts
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.inputs import InputFile
from penpal_fast.sources.memory import MIN_BATCH_BYTES, average_row_bytes, held_bytes, usual_row_bytes
from penpal_fast.sources.parquet_footer import ParquetFooter
from penpal_fast.sources.stroke_decoder import TOO_MANY_ROWS, StrokeDecoder, joined

READ_BUFFER_BYTES = 1 << 20
"""Bytes of a column that are read at a time; otherwise PyArrow holds a whole column chunk in memory."""

DECODED_ROWS = 32
"""Maximum number of rows that are decoded at a time, because a few rows may be much larger than the average."""

HUGE_ROW_BYTES = 32 << 20
"""Average memory from which a row group's rows are huge: a row with as many points as can be scored takes half of
it."""


class ParquetSource:
    """A Parquet file.

    Attributes:
        file: The file.
        fingerprint: SHA-256 of its footer, which has the place, the size and usually the range of all column chunks.
        schema: The columns.
        rows: Number of rows.
        row_bytes: Approximate memory of a row in bytes: the average of the row group where rows are largest, of those
            that are neither huge nor among a few large ones, if there are others.
        group_rows: Number of rows of each row group.
        layout: The columns as they are stored.
        can_be_copied: Whether the encoded columns can be copied: the file is on this machine, and says where they
            begin.
    """

    begins_anywhere = True
    is_text = False
    is_ink = False
    has_strokes = True
    read_as: Sequence[str] = ()

    def __init__(self, file: InputFile) -> None:
        """Read the file's schema and the sizes of its row groups.

        Raises:
            PenpalError: The file is not a Parquet file.
        """
        self.file = file
        with self._problems("cannot read it as a Parquet file"):
            if not file.size:
                raise PenpalError("the file is empty")
            footer = self._footer()
            described = footer.described()
            self.schema: pa.Schema = described.schema_arrow
        self.layout: pq.ParquetSchema = described.schema
        self.fingerprint = hashlib.sha256(footer.tail).hexdigest()
        self.group_rows = [group.rows for group in footer.groups]
        self.rows = sum(self.group_rows)
        self.can_be_copied = file.path is not None and all(group.has_beginnings for group in footer.groups)
        runs = [(group.rows, group.size) for group in footer.groups]
        self._group_row_bytes = [average_row_bytes(*run) for run in runs]
        usual = [run for run, size in zip(runs, self._group_row_bytes, strict=True) if size < HUGE_ROW_BYTES]
        self.row_bytes = usual_row_bytes(usual or runs)

    def take_as_texts(self, names: Collection[str]) -> None:
        """Take columns for texts; see `Source`."""
        self.schema = with_texts(self.schema, names)

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """Yield runs of rows of like size: the first row, the row after the last, and `row_bytes` of these rows.

        A row group of huge rows is a run of its own. The others make runs without regard to their size.
        """
        start = stop = 0
        for group, rows in enumerate(self.group_rows):
            if self._is_huge(group):
                if stop > start:
                    yield start, stop, self.row_bytes
                yield stop, stop + rows, self._group_row_bytes[group]
                start = stop + rows
            stop += rows
        if stop > start:
            yield start, stop, self.row_bytes

    def _is_huge(self, group: int) -> bool:
        return self._group_row_bytes[group] > self.row_bytes

    def batches(self, rows: int, *, start: int = 0, columns: list[str] | None = None) -> Iterator[Batch]:
        """Yield batches of the rows from `start` on, in order, with fewer rows where they are large.

        Raises:
            PenpalError: The file is damaged.
        """
        starts = list(itertools.accumulate(self.group_rows, initial=0))
        groups = [index for index, end in enumerate(starts[1:]) if end > start]
        skipped = start - starts[groups[0]] if groups else 0
        most_bytes = max(MIN_BATCH_BYTES, rows * self.row_bytes)
        with self._opened("the Parquet file is damaged") as (opened, footer):
            strokes = StrokeDecoder(opened, footer, self.file.path, columns) if self.file.path else None
            for run in self._runs(groups, rows):
                step = min(rows, self._decoded_rows(footer, run, most_bytes))
                pieces = self._complete(self._decoded(opened, strokes, run, rows, most_bytes, step, columns), run)
                for data in _gathered(pieces, rows, most_bytes):
                    left = min(skipped, len(data))
                    skipped -= left
                    if left < len(data):
                        yield Batch(data.slice(left))

    def _decoded(
        self,
        opened: pq.ParquetFile,
        strokes: StrokeDecoder | None,
        run: list[int],
        rows: int,
        most_bytes: int,
        step: int,
        columns: list[str] | None,
    ) -> Iterator[pa.RecordBatch]:
        """Decode row groups, those of huge rows and whatever `strokes` does not know or finds damaged by PyArrow."""
        done = 0
        if strokes and all(self._group_row_bytes[group] < HUGE_ROW_BYTES for group in run):
            try:
                for piece in strokes.pieces(run, rows, most_bytes, step):
                    yield piece
                    done += len(piece)
            except (OSError, pa.ArrowException, PenpalError) as error:
                raise_if_from_handler(error)
                if TOO_MANY_ROWS in str(error):
                    raise  # PyArrow leaves them out.
                strokes.leave(str(error))
            else:
                return
        for piece in opened.iter_batches(batch_size=step, row_groups=run, columns=columns, use_threads=False):
            passed = min(done, len(piece))
            done -= passed
            if passed < len(piece):
                yield piece.slice(passed)

    def _complete(self, pieces: Iterator[pa.RecordBatch], run: list[int]) -> Iterator[pa.RecordBatch]:
        """Pass pieces on, and make sure at their end that they have all rows that the metadata promises.

        Raises:
            PenpalError: There are more or fewer.
        """
        rows = 0
        for piece in pieces:
            rows += len(piece)
            yield piece
        promised = sum(self.group_rows[group] for group in run)
        if rows != promised:
            which = f"row group {run[0]}" if len(run) == 1 else f"row groups {run[0]} to {run[-1]}"
            raise PenpalError(f"its metadata promises {promised} rows in {which}, but there are {rows}")

    def _runs(self, groups: list[int], rows: int) -> Iterator[list[int]]:
        """Group neighbouring row groups that are read together, as they are small."""
        run: list[int] = []
        run_rows = 0
        for group in groups:
            if run and (self._is_huge(group) or self._is_huge(run[-1])):
                yield run
                run, run_rows = [], 0
            run.append(group)
            run_rows += self.group_rows[group]
            # PyArrow keeps the buffers of a file on the hub until the next call, so its row groups are read one by one.
            if run_rows >= rows or not self.file.path:
                yield run
                run, run_rows = [], 0
        if run:
            yield run

    def _decoded_rows(self, footer: ParquetFooter, run: list[int], most_bytes: int) -> int:
        """Number of rows to decode at a time. The pages of a file on this machine are checked first."""
        largest = max((self._group_row_bytes[group] for group in run if self._is_huge(group)), default=1)
        if self.file.path:
            largest = max(largest, *(footer.check_pages(self.file.path, group) for group in run))
        return max(1, min(DECODED_ROWS, most_bytes // largest))

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
                pre_buffer=path is None,  # The columns of a row group on the hub come in few large requests.
                buffer_size=READ_BUFFER_BYTES if path else 0,
                page_checksum_verification=True,
            )
            yield stack.enter_context(opened), footer

    @contextlib.contextmanager
    def _problems(self, problem: str) -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException, UnicodeDecodeError, PenpalError) as error:
            raise_if_from_handler(error)
            raise PenpalError(f"{self.file.name}: {problem}: {error}") from error


def _gathered(pieces: Iterator[pa.RecordBatch], rows: int, most_bytes: int) -> Iterator[pa.RecordBatch]:
    """Join neighbouring pieces up to a number of rows and of bytes."""
    waiting: list[pa.RecordBatch] = []
    waiting_rows = waiting_bytes = 0
    for piece in pieces:
        size = held_bytes(piece)
        if waiting and (waiting_rows + len(piece) > rows or waiting_bytes + size > most_bytes):
            yield joined(waiting)
            waiting, waiting_rows, waiting_bytes = [], 0, 0
        waiting.append(piece)
        waiting_rows += len(piece)
        waiting_bytes += size
    if waiting:
        yield joined(waiting)
