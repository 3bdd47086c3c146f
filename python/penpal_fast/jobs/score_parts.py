"""Rows with the scores that checks give them; the scores are kept on disk until the job is done."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import operator
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import added_columns, with_outcomes
from penpal_fast.errors import PenpalError
from penpal_fast.files import appears_whole
from penpal_fast.jobs.opened import OpenedSource
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.part_reading import part_rows
from penpal_fast.jobs.parts import GROUP_ROWS, Part, planned_parts
from penpal_fast.jobs.pipeline import Stopwatch, made_ahead
from penpal_fast.jobs.plain_columns import plain_rows
from penpal_fast.jobs.scoring import scored
from penpal_fast.sources.batch import Batch

logger = logging.getLogger(__name__)


class PartsFolder(Protocol):
    """Where the scores of parts are kept; see `JobFolder`."""

    @property
    def is_synced(self) -> bool:
        """Whether finished parts must survive a power failure."""

    def file(self, part: Part) -> Path:
        """Path of a finished part."""

    def has(self, part: Part) -> bool:
        """Whether a part is finished."""

    def note_written(self, part: Part) -> None:
        """Note that a part is finished."""


@dataclasses.dataclass(frozen=True)
class PassingFolder:
    """A folder that is gone when the job ends, so that nothing is noted."""

    path: Path
    is_synced = False

    def file(self, part: Part) -> Path:
        """Path of a finished part."""
        return self.path / part.file

    def has(self, part: Part) -> bool:
        """Whether a part is finished."""
        return self.file(part).exists()

    def note_written(self, part: Part) -> None:
        """Note nothing."""


@dataclasses.dataclass(frozen=True)
class ScoredRows:
    """Rows with their scores.

    Attributes:
        data: The rows.
        unread: What is wrong with rows that could not be read, by index.
        where: Name of the file.
        first: Number of the first row in the file.
    """

    data: pa.RecordBatch
    unread: dict[int, str]
    where: str
    first: int


class ScoreParts:
    """Reads rows, as often as it is asked, and runs checks on them once."""

    def __init__(
        self,
        opened: Sequence[OpenedSource],
        checks: Sequence[Check],
        schema: pa.Schema,
        memory_mb: int,
        folder: PartsFolder | None = None,
    ) -> None:
        """Take what to read, the checks to run, and the folder that keeps their scores.

        Args:
            opened: The files.
            checks: The checks; none if the rows have all scores.
            schema: The columns of rows with their scores.
            memory_mb: As for `score_dataset`.
            folder: Keeps the scores; None if the rows are read once.
        """
        self._opened = opened
        self._sources = [one.source for one in opened]
        self._checks = list(checks)
        self._schema = schema
        self._memory_mb = memory_mb
        self._folder = folder
        self._parts = planned_parts(self._sources)
        self._added = pa.schema([schema.field(name) for name in added_columns(checks)])
        self._finished: set[Part] = set()
        if folder and checks:
            self._finished = {part for part in self._parts if folder.has(part)}
            if self._finished:
                logger.info("%d of %d parts are scored already", len(self._finished), len(self._parts))

    @property
    def finished_rows(self) -> int:
        """Number of rows whose scores the folder has."""
        return sum(part.rows for part in self._finished)

    def batches(self, columns: Sequence[str] | None = None) -> Generator[ScoredRows, None, None]:
        """Yield all rows in order, with all columns or with these and those of the checks."""
        read = None if columns is None else self._read_columns(columns)
        rows = part_rows(self._parts, self._sources, self._memory_mb, Stopwatch(), columns=read)
        with made_ahead(rows, "reading") as ahead:
            for part, batches in itertools.groupby(ahead, key=operator.itemgetter(0)):
                yield from self._part(part, (batch for _, batch in batches), columns)

    def _read_columns(self, columns: Sequence[str]) -> list[str]:
        is_scored = not self._checks or len(self._finished) == len(self._parts)
        needed = [] if is_scored else [name for check in self._checks for name in check.reads]
        coordinates = [name for one in self._opened for name in one.strokes.coordinate_columns] if needed else []
        names = dict.fromkeys([*columns, *needed, *coordinates])
        # A file cannot be read without any column.
        return [name for name in names if name in self._sources[0].schema.names] or self._sources[0].schema.names[:1]

    def _part(
        self, part: Part, batches: Iterator[Batch], columns: Sequence[str] | None
    ) -> Generator[ScoredRows, None, None]:
        opened = self._opened[part.source]
        saved = self._saved(part) if part in self._finished else None
        pieces: list[pa.RecordBatch] = []
        row = 0
        for batch in batches:
            rows = plain_rows(batch.data)
            if self._checks:
                if saved is None:
                    outcomes = scored(self._checks, Batch(rows, batch.problems), opened)
                    # The checks' columns alone, in their order.
                    added = with_outcomes(rows.select([]), self._checks, outcomes, self._added)
                    pieces.append(added)
                else:
                    added = saved.slice(row, len(rows))
                rows = _with_columns(rows, added, self._schema if columns is None else None)
            yield ScoredRows(rows, batch.problems, opened.name, part.start + row)
            row += len(rows)
        if self._checks and saved is None and self._folder:
            self._save(part, pieces)

    def _save(self, part: Part, pieces: list[pa.RecordBatch]) -> None:
        assert self._folder  # noqa: S101 - `_part` made sure.
        target = self._folder.file(part)
        with (
            appears_whole(target, synced=self._folder.is_synced) as aside,
            EncodedFile(aside, self._added, GROUP_ROWS, str(target)) as file,
        ):
            for rows in pieces:
                file.add(rows)
        self._folder.note_written(part)
        self._finished.add(part)

    def _saved(self, part: Part) -> pa.RecordBatch:
        assert self._folder  # noqa: S101 - parts are finished in a folder only.
        path = self._folder.file(part)
        table = pq.read_table(path).select(self._added.names).cast(self._added)
        if len(table) != part.rows:
            raise PenpalError(f"{path}: it is damaged: it has {len(table)} rows, not {part.rows}; remove it")
        return pa.RecordBatch.from_arrays([column.combine_chunks() for column in table.columns], schema=self._added)


def _with_columns(rows: pa.RecordBatch, added: pa.RecordBatch, schema: pa.Schema | None) -> pa.RecordBatch:
    """Put columns at the end of rows, in place of those of the same names."""
    names = set(added.schema.names)
    kept = [index for index, name in enumerate(rows.schema.names) if name not in names]
    arrays = [*(rows.column(index) for index in kept), *added.columns]
    if schema is not None:
        return pa.RecordBatch.from_arrays(arrays, schema=schema)
    return pa.RecordBatch.from_arrays(arrays, [*(rows.schema.names[index] for index in kept), *added.schema.names])
