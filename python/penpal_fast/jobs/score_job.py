"""How files are scored: in parts, which become a file, or as a stream."""

from __future__ import annotations

import contextlib
import itertools
import logging
import operator
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast import _core
from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.columns import (
    added_columns,
    checked_schema,
    error_column,
    read_outcome,
    with_outcomes,
)
from penpal_fast.errors import PenpalError
from penpal_fast.files import (
    appears_whole,
    aside_path,
    parts_folder,
    parts_mode,
    reserved,
)
from penpal_fast.jobs.folder import JobFolder
from penpal_fast.jobs.identity import (
    BY_ANOTHER_JOB,
    BY_THIS_JOB,
    cannot_resume,
    described_job,
    is_output,
    noted_job,
    with_job,
)
from penpal_fast.jobs.outputs import Kind, StdoutFormat
from penpal_fast.jobs.part_files import AddedFile, CopiedFile, EncodedFile, PartFile, file_metadata
from penpal_fast.jobs.part_reading import part_rows
from penpal_fast.jobs.parts import Part, binary_metadata, group_rows, planned_parts
from penpal_fast.jobs.pipeline import Stopwatch, made_ahead
from penpal_fast.jobs.records import record_of, recorded, recorded_job
from penpal_fast.jobs.row_files import JSON_ROWS, RowsFile, json_lines_file, standard_output
from penpal_fast.jobs.scoring import scored
from penpal_fast.jobs.seal import Content, row_group_places, seal
from penpal_fast.jobs.summary import JobSummary
from penpal_fast.jobs.unscored import Unscored
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.progress import Progress
from penpal_fast.sources.batch import Batch, Source, unchanged
from penpal_fast.sources.converted import named_layouts
from penpal_fast.sources.parquet import ParquetSource

logger = logging.getLogger(__name__)


class ScoreJob:
    """One job: its sources, its checks, its parts and what it counted. It is done once, in one of four ways."""

    def __init__(
        self,
        sources: list[Source],
        strokes: list[StrokesColumn],
        checks: list[Check],
        column: str,
        memory_mb: int,
        progress: Progress,
    ) -> None:
        """Take what is scored; see `score_dataset`."""
        self._sources = sources
        self._strokes = strokes
        self._checks = checks
        self._column = column
        self._memory_mb = memory_mb
        self._progress = progress
        self._parts = planned_parts(sources)
        self._rows = sum(source.rows for source in sources)
        self._summary = JobSummary(checks)
        self._unscored = Unscored(sources, column)
        self._summary.layouts = named_layouts(strokes)
        self._stopwatch = Stopwatch()
        self._summary.seconds = self._stopwatch.seconds
        self._started = time.perf_counter()

    def _note_time(self) -> None:
        self._stopwatch.seconds["all"] = time.perf_counter() - self._started

    def into_file(self, target: Path, *, resume: bool) -> JobSummary:
        """Write one Parquet file."""
        if keys := binary_metadata(self._sources[0].schema):
            raise PenpalError(
                f"{self._sources[0].file.name}: the schema's metadata under {keys[0]!r} is not UTF-8, which a single "
                "Parquet file cannot hold; write to a folder, or remove it"
            )
        # What is copied is copied once, at the end.
        return self._into_single(target, Kind.PARQUET, resume, AddedFile, self._join)

    def _into_single(
        self,
        target: Path,
        kind: Kind,
        resume: bool,
        copied: type[AddedFile],
        join: Callable[[JobFolder, Path, Path], None],
    ) -> JobSummary:
        """Write parts, which `join` makes one file of, given their folder, where it is written, and its name."""
        folder = self._folder(parts_folder(target), is_single=True)
        with reserved(target):
            if resume and self._is_finished(target, folder, kind):
                return self._summary
            with folder.opened(resume=resume, mode=parts_mode(target)):
                self._fill(folder, copied)
                with self._stopwatch.measured("writing"), appears_whole(target, aside_path(folder.path)) as aside:
                    join(folder, aside, target)
                folder.remove()
        self._note_time()
        return self._summary

    def _join(self, folder: JobFolder, output: Path, _target: Path) -> None:
        """Make a sealed file of the parts, with the columns of the sources that are copied."""
        files = [folder.file(part) for part in self._parts]
        pieces = [
            (str(self._sources[part.source].file.path), *part.groups, str(file))
            for part, file in zip(self._parts, files, strict=True)
            if part.groups
        ]
        with contextlib.ExitStack() as opened:
            hashing = opened.enter_context(ThreadPoolExecutor(1, "penpal-hashing"))
            if pieces:
                opened.enter_context(unchanged(self._sources))
                content = hashing.submit(lambda: Content(_core.appended_places(pieces)))
                _core.append_columns(pieces, file_metadata(self._schema(folder)), str(output))
            else:
                content = hashing.submit(lambda: Content(row_group_places(files)))
                _core.concatenate([str(file) for file in files], str(output))
            seal(output, folder.job, content.result())

    def into_json_lines(self, target: Path, *, resume: bool) -> JobSummary:
        """Write one file of JSON lines."""
        return self._into_single(target, Kind.JSON_LINES, resume, CopiedFile, self._join_as_lines)

    def _join_as_lines(self, folder: JobFolder, output: Path, target: Path) -> None:
        """Write the rows of the parts as lines, and record which job did."""
        schema = checked_schema(self._sources[0].schema, self._checks)
        with (
            recorded(output, target, folder.job) as record,
            json_lines_file(output, target.name, schema) as file,
        ):
            record["summary"] = self._summary.as_note()
            for part in self._parts:
                rows = min(group_rows(self._sources[part.source], part.start, part.stop), JSON_ROWS)
                for batch in pq.ParquetFile(folder.file(part)).iter_batches(batch_size=rows):
                    file.add(batch)

    def into_stream(self, form: StdoutFormat) -> JobSummary:
        """Write to standard output, batch by batch, without parts."""
        schema = with_job(checked_schema(self._sources[0].schema, self._checks), None)
        rows = part_rows(self._parts, self._sources, self._memory_mb, self._stopwatch)
        with contextlib.ExitStack() as opened:
            opened.enter_context(unchanged(self._sources))
            read = opened.enter_context(made_ahead(rows, "reading"))
            checked = opened.enter_context(made_ahead(self._checked(read), "scoring"))
            file = opened.enter_context(standard_output(form, schema))
            for _, batch, outcomes in checked:
                self._add(file, batch, outcomes, schema)
        self._unscored.check()
        self._note_time()
        return self._summary

    def into_folder(self, path: Path, *, resume: bool) -> JobSummary:
        """Write a folder of parts with a manifest."""
        folder = self._folder(path)
        with folder.opened(resume=resume):
            self._fill(folder)
            self._note_time()
            folder.write_manifest(self._summary.as_dict())
        return self._summary

    def _folder(self, path: Path, *, is_single: bool = False) -> JobFolder:
        description = described_job(self._sources, self._checks, self._column, [one.name for one in self._strokes])
        return JobFolder(path, description, self._parts, is_single=is_single)

    def _is_finished(self, target: Path, folder: JobFolder, kind: Kind) -> bool:
        """Whether an earlier run already wrote the target; if so, count its rows."""
        was_counted = self._count_recorded if kind is Kind.JSON_LINES else self._count_sealed
        if was_counted(target, folder.job):
            self._summary.resumed_rows = self._summary.rows
            self._note_time()
            if folder.path.is_dir():
                folder.remove_rest()
            return True
        if target.exists() and not folder.path.exists():
            wrote = recorded_job(target) if kind is Kind.JSON_LINES else (noted_job(target) or [None])[0]
            raise cannot_resume(target, BY_THIS_JOB if wrote == folder.job else BY_ANOTHER_JOB)
        return False

    def _count_sealed(self, target: Path, job: str) -> bool:
        if not is_output(target, job):
            return False
        self._count(target, 0)
        return True

    def _count_recorded(self, target: Path, job: str) -> bool:
        try:
            self._summary.take_note(record_of(target, job)["summary"])
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return False
        return True

    def _schema(self, folder: JobFolder) -> pa.Schema:
        """Columns and metadata of the output."""
        schema = checked_schema(self._sources[0].schema, self._checks)
        return with_job(schema, folder.job, sealed=folder.is_single)

    def _fill(self, folder: JobFolder, copied: type[AddedFile] = CopiedFile) -> None:
        """Write the missing parts, and make sure that the sources do not change meanwhile.

        Parts that need not be encoded are written as `copied` says: without the columns of the sources, or with them.
        """
        with unchanged(self._sources):
            is_finished = {part: folder.has(part) for part in self._parts}
            finished = [part for part in self._parts if is_finished[part]]
            if finished:
                logger.info("%s: %d of %d parts are finished already", folder.path, len(finished), len(self._parts))
            for part in finished:
                self._count(folder.file(part), self._unscored.row(part.source, part.start))
            if finished:
                self._summary.resumed_rows = self._summary.rows
                self._progress(self._summary.rows, self._rows)
            self._write(folder, [part for part in self._parts if not is_finished[part]], copied)
        try:
            self._unscored.check()
        except PenpalError:
            folder.remove()
            raise

    def _write(self, folder: JobFolder, parts: list[Part], copied: type[AddedFile]) -> None:
        schema = self._schema(folder)
        rows = part_rows(parts, self._sources, self._memory_mb, self._stopwatch)
        with (
            ThreadPoolExecutor(1, "penpal-writing") as finishing,
            made_ahead(rows, "reading") as read,
            made_ahead(self._checked(read), "scoring") as checked,
        ):
            before: Future[None] | None = None
            for part, batches in itertools.groupby(checked, key=operator.itemgetter(0)):
                with contextlib.ExitStack() as opened:
                    file = self._opened_file(opened, folder, schema, part, copied)
                    for _, batch, outcomes in batches:
                        self._add(file, batch, outcomes, schema)
                    if before:
                        before.result()
                    # The next part is scored while the disk finishes this one.
                    before = finishing.submit(self._finish_part, opened.pop_all(), folder, part)
            if before:
                before.result()

    def _add(self, file: PartFile | RowsFile, batch: Batch, outcomes: Sequence[Outcome], schema: pa.Schema) -> None:
        """Write rows with what the checks found, and count them."""
        with self._stopwatch.measured("writing"):
            file.add(with_outcomes(batch.data, self._checks, outcomes, schema))
        self._summary.add_outcomes(outcomes)
        self._summary.first_problem = self._unscored.first_problem
        self._progress(self._summary.rows, self._rows)

    def _opened_file(
        self,
        opened: contextlib.ExitStack,
        folder: JobFolder,
        schema: pa.Schema,
        part: Part,
        copied: type[AddedFile],
    ) -> PartFile:
        source = self._sources[part.source]
        path = opened.enter_context(appears_whole(folder.file(part), synced=folder.is_synced))
        opened.enter_context(source.file.unchanged())
        if part.groups and isinstance(source, ParquetSource):
            added = list(added_columns(self._checks))
            return opened.enter_context(copied(path, schema, source, part.groups, added))
        return opened.enter_context(
            EncodedFile(path, schema, group_rows(source, part.start, part.stop), source.file.name)
        )

    def _finish_part(self, opened: contextlib.ExitStack, folder: JobFolder, part: Part) -> None:
        with self._stopwatch.measured("writing"):
            opened.close()
        folder.note_written(part)
        logger.info("%s: %d rows", folder.file(part), part.rows)

    def _checked(self, read: Iterator[tuple[Part, Batch]]) -> Generator[tuple[Part, Batch, list[Outcome]], None, None]:
        before, first = None, 0
        for part, batch in read:
            if part != before:
                before, first = part, self._unscored.row(part.source, part.start)
            with self._stopwatch.measured("scoring"):
                outcomes = scored(self._checks, batch, self._strokes[part.source], self._sources[part.source])
            self._unscored.add(first, outcomes, batch.data)
            first += len(batch.data)
            yield part, batch, outcomes

    def _count(self, path: Path, first: int) -> None:
        """Count the rows of a finished file, whose first row has this number in the job."""
        names = [name for check in self._checks for name in (check.name, error_column(check.name))]
        file = pq.ParquetFile(path)
        counted = 0
        for rows in file.iter_batches(columns=names):
            outcomes = [read_outcome(rows, check.name, str(path), 0) for check in self._checks]
            self._unscored.add(first + counted, outcomes)
            self._summary.add_outcomes(outcomes)
            self._summary.first_problem = self._unscored.first_problem
            counted += len(rows)
        if counted != file.metadata.num_rows:
            raise PenpalError(
                f"{path}: it is damaged: its metadata promises {file.metadata.num_rows} rows, but there are {counted}; "
                "remove it"
            )
