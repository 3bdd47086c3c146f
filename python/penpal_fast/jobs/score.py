"""Scoring files into one Parquet file, or into a folder of them."""

from __future__ import annotations

import contextlib
import itertools
import logging
import operator
import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pyarrow as pa
import pyarrow.parquet as pq

from penpal_fast import __version__, _core
from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.columns import added_columns, checked_schema, error_column, read_outcome, with_outcomes
from penpal_fast.checks.defaults import default_checks
from penpal_fast.checks.quality import Scorer
from penpal_fast.errors import PenpalError
from penpal_fast.files import check_name, checked_target, replaced_atomically
from penpal_fast.jobs.checking import check_batch, prepare_for
from penpal_fast.jobs.folder import JobFolder, job_of, with_job
from penpal_fast.jobs.part_files import CopiedFile, EncodedFile, PartFile
from penpal_fast.jobs.parts import Part, binary_metadata, can_be_copied, group_rows, planned_parts
from penpal_fast.jobs.pipeline import Stopwatch, made_ahead
from penpal_fast.jobs.summary import JobSummary
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.names import PARQUET_SUFFIXES
from penpal_fast.sources.parquet import ParquetSource
from penpal_fast.sources.streams import check_apart, open_sources

Progress = Callable[[int, int], None]

logger = logging.getLogger(__name__)

FORMAT = 5
"""Raised when the same job would give another output than before."""


def score_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    scorer: Scorer | None = None,
    column: str = "strokes",
    checks: Sequence[Check] | None = None,
    resume: bool = False,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
) -> JobSummary:
    """Score files into a Parquet file or a folder of them, reading, scoring and writing at the same time.

    All columns, the order of the rows and the schema's metadata are kept; the columns of the checks, by default
    `quality` and `quality_error`, are added or replaced. A bad row has a null score. Memory grows with the number of
    files, not of rows.

    The work is done in parts, which are kept if it is interrupted: in the output folder, or in a folder beside the
    output file until all are there. With `resume` the same call then does only what is missing, and the output is what
    it would have been.

    Args:
        inputs: Parquet files, JSON lines (also with .gz), folders and globs of them, or addresses of such on the
            Hugging Face hub (`hf://datasets/OWNER/NAME/...`), all with the same columns.
        output: A name that ends with .parquet or .pq for one file, which is replaced if it is there and appears when it
            is whole; any other for a folder of parts with a manifest.
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        checks: Checks to make in place of the quality check.
        resume: Go on with what an interrupted call left, if anything.
        memory_mb: What the rows that are read ahead may take, in megabytes, estimated from their average size. The
            program, decoding and the row group that is encoded come on top.
        progress: Called with the rows done and the rows in all.

    Returns:
        Counts, bad rows by reason, quantiles.

    Raises:
        PenpalError: A file cannot be read or written or changes meanwhile, the files have different columns, or what is
            to be resumed was begun with another input, model, version or setting.
    """
    check_name(output)
    if memory_mb < 1:
        raise PenpalError(f"memory_mb must be at least 1, got {memory_mb}")
    checks = default_checks(checks, scorer=scorer, column=column)
    sources = open_sources(inputs, column)
    prepare_for(checks, sources[0])
    job = _Job(sources, checks, column, memory_mb, progress or (lambda _done, _total: None))
    target = Path(output)
    check_apart(sources, inputs, target)
    try:
        if target.name.lower().endswith(PARQUET_SUFFIXES):
            return job.into_file(checked_target(target), resume=resume)
        return job.into_folder(Path(os.path.realpath(target)), resume=resume)
    except (OSError, pa.ArrowException) as error:
        raise PenpalError(f"{target}: cannot write it: {error}") from error


class _Job:
    """One job: what is read, in which parts, and what is done with them."""

    def __init__(
        self, sources: list[Source], checks: list[Check], column: str, memory_mb: int, progress: Progress
    ) -> None:
        self._sources = sources
        self._checks = checks
        self._column = column
        self._memory_mb = memory_mb
        self._progress = progress
        self._parts = planned_parts(sources)
        self._copied = can_be_copied(sources)
        self._rows = sum(source.rows for source in sources)
        self._summary = JobSummary(checks)
        self._stopwatch = Stopwatch()

    def into_file(self, target: Path, *, resume: bool) -> JobSummary:
        if keys := binary_metadata(self._sources[0].schema):
            raise PenpalError(
                f"{self._sources[0].file.name}: the schema's metadata under {keys[0]!r} are not UTF-8, which cannot be "
                "kept in a single file; write to a folder, or remove them"
            )
        folder = self._folder(target.with_name(f"{target.name}.parts"))
        if resume and self._is_done(target, folder):
            return self._summary
        with folder.opened(resume=resume):
            with self._unchanged():
                self._fill(folder)
            with self._stopwatch.measured("writing"), replaced_atomically(target, folder=folder.path) as aside:
                _core.concatenate([str(folder.file(part)) for part in self._parts], str(aside))
            folder.remove()
        return self._finish()

    def into_folder(self, path: Path, *, resume: bool) -> JobSummary:
        folder = self._folder(path)
        with folder.opened(resume=resume):
            with self._unchanged():
                self._fill(folder)
            folder.write_manifest(self._finish().as_dict())
        return self._summary

    @contextlib.contextmanager
    def _unchanged(self) -> Iterator[None]:
        """Make sure that all files are, after a block, those that were listed."""
        with contextlib.ExitStack() as stack:
            for source in self._sources:
                stack.enter_context(source.file.unchanged())
            yield

    def _finish(self) -> JobSummary:
        self._summary.seconds = self._stopwatch.seconds
        return self._summary

    def _folder(self, path: Path) -> JobFolder:
        description = {
            "format": FORMAT,
            "versions": {"penpal_fast": __version__, "pyarrow": pa.__version__},
            "settings": {"column": self._column},
            "checks": {check.name: check.identity for check in self._checks},
            "inputs": [
                {
                    "name": source.file.name,
                    "size": source.file.size,
                    "version": source.file.version,
                    "fingerprint": source.fingerprint,
                }
                for source in self._sources
            ],
        }
        return JobFolder(path, description, self._parts)

    def _is_done(self, target: Path, folder: JobFolder) -> bool:
        """Whether an earlier run wrote the target; what it did is counted then."""
        if target.exists() and job_of(target) == folder.job:
            self._count(target)
            if folder.path.is_dir():
                folder.remove_left()
            return True
        if target.exists() and not folder.path.exists():
            raise PenpalError(
                f"{target}: cannot resume: this file is there already, and was written from another input or model, "
                "by other versions or with other settings; remove it, or leave --resume out to replace it"
            )
        return False

    def _fill(self, folder: JobFolder) -> None:
        """Write all parts that are not there."""
        start = time.perf_counter()
        missing: list[Part] = []
        there: list[Part] = []
        for part in self._parts:
            (there if folder.has(part) else missing).append(part)
        if there:
            logger.info("%s: %d of %d parts are done already", folder.path, len(there), len(self._parts))
        for part in there:
            self._count(folder.file(part))
        self._write(folder, missing)
        self._stopwatch.seconds["all"] = time.perf_counter() - start

    def _write(self, folder: JobFolder, parts: list[Part]) -> None:
        schema = with_job(checked_schema(self._sources[0].schema, self._checks), folder.job)
        with (
            ThreadPoolExecutor(1, "penpal-writing") as finishing,
            made_ahead(self._read(parts), "reading") as read,
            made_ahead(self._check(read), "scoring") as checked,
        ):
            before: Future[None] | None = None
            for part, rows in itertools.groupby(checked, key=operator.itemgetter(0)):
                with contextlib.ExitStack() as opened:
                    aside = opened.enter_context(replaced_atomically(folder.file(part)))
                    opened.enter_context(self._sources[part.source].file.unchanged())
                    file = opened.enter_context(self._part_file(aside, schema, part))
                    for _, batch, outcomes in rows:
                        with self._stopwatch.measured("writing"):
                            file.add(with_outcomes(batch.data, self._checks, outcomes))
                        self._summary.add(outcomes)
                        self._progress(self._summary.rows, self._rows)
                    if before:
                        before.result()
                    # The disk takes its time, and meanwhile the next part is scored.
                    before = finishing.submit(self._finish_part, opened.pop_all(), folder, part)
            if before:
                before.result()

    def _finish_part(self, opened: contextlib.ExitStack, folder: JobFolder, part: Part) -> None:
        with self._stopwatch.measured("writing"):
            opened.close()
        folder.note_written(part)
        logger.info("%s: %d rows", folder.file(part), part.rows)

    def _part_file(self, path: Path, schema: pa.Schema, part: Part) -> PartFile:
        source = self._sources[part.source]
        if self._copied:
            return CopiedFile(path, schema, cast("ParquetSource", source), part, list(added_columns(self._checks)))
        return EncodedFile(path, schema, group_rows(source), source.file.name)

    def _read(self, parts: list[Part]) -> Generator[tuple[Part, Batch], None, None]:
        """Yield the rows of parts, no batch with rows of two."""
        for run in _runs(parts):
            source = self._sources[run[0].source]
            # Columns that are copied are decoded too: it shows whether they can be.
            batches = source.batches(batch_rows(self._memory_mb, source), start=run[0].start)
            yield from _cut(self._measured(batches), run, source)

    def _measured(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        while True:
            with self._stopwatch.measured("reading"):
                batch = next(batches, None)
            if batch is None:
                return
            yield batch

    def _check(self, read: Iterator[tuple[Part, Batch]]) -> Generator[tuple[Part, Batch, list[Outcome]], None, None]:
        for part, batch in read:
            with self._stopwatch.measured("scoring"):
                outcomes = check_batch(self._checks, batch, self._sources[part.source])
            yield part, batch, outcomes

    def _count(self, path: Path) -> None:
        """Count the rows of a file that is done."""
        names = [name for check in self._checks for name in (check.name, error_column(check.name))]
        for rows in pq.ParquetFile(path).iter_batches(columns=names):
            self._summary.add([read_outcome(rows, check.name, str(path), 0) for check in self._checks])
        self._progress(self._summary.rows, self._rows)


def _runs(parts: list[Part]) -> Iterator[list[Part]]:
    """Group parts that can be read in one go: parts of one source that follow one another."""
    run: list[Part] = []
    for part in parts:
        if run and (run[-1].source, run[-1].stop) != (part.source, part.start):
            yield run
            run = []
        run.append(part)
    if run:
        yield run


def _cut(batches: Iterator[Batch], run: list[Part], source: Source) -> Iterator[tuple[Part, Batch]]:
    """Cut the batches of a run at the ends of its parts."""
    if run[0].rows == 0:
        yield run[0], Batch(pa.RecordBatch.from_pylist([], source.schema))
        return
    coming = iter(run)
    part = next(coming)
    left = part.rows
    for batch in batches:
        start = 0
        while start < len(batch.data):
            stop = min(start + left, len(batch.data))
            yield part, batch.cut(start, stop)
            left -= stop - start
            start = stop
            if left == 0:
                following = next(coming, None)
                if following is None:
                    return
                part, left = following, following.rows
    raise PenpalError(f"{source.file.name}: it ended before row {part.stop}; was it changed meanwhile?")
