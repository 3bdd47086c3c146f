"""Reading the rows of a filter, running the checks whose scores are missing, and writing what is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import checked_schema, is_ours, is_score
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.errors import PenpalError
from penpal_fast.files import appears_whole, checked_target, parts_folder, parts_mode, reserved
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.jobs.folder import JobFolder
from penpal_fast.jobs.good_lines import FoundThreshold
from penpal_fast.jobs.identity import BY_ANOTHER_JOB, cannot_resume, described_job, is_output, job_id, with_job
from penpal_fast.jobs.judged_rows import JudgedRows, Rules
from penpal_fast.jobs.outputs import FILES, Kind, StdoutFormat, output_kind
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows, has_huge_rows, planned_parts
from penpal_fast.jobs.plain_columns import plain_schema
from penpal_fast.jobs.records import record_of, recorded
from penpal_fast.jobs.row_files import RowsFile, json_lines_file, standard_output
from penpal_fast.jobs.score_parts import PartsFolder, PassingFolder, ScoreParts
from penpal_fast.jobs.seal import seal
from penpal_fast.jobs.selection import SELECTION_KEY, Selection, noted_selection, read_selection
from penpal_fast.jobs.unscored import NoScoresError, Unscored
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.progress import Progress
from penpal_fast.sources.batch import Source, unchanged
from penpal_fast.sources.converted import named_layouts


class FilterJob:
    """Reads rows, runs the checks whose scores are missing, and selects."""

    def __init__(
        self,
        sources: list[Source],
        strokes: list[StrokesColumn],
        checks: list[Check],
        rules: Rules,
        column: str,
        trusted: Collection[str],
        memory_mb: int,
    ) -> None:
        """Take how strokes are read, the checks to run, and what is demanded of rows."""
        self._sources = sources
        self._strokes = strokes
        self._checks = checks
        self._rules = rules
        self._memory_mb = memory_mb
        schema = plain_schema(sources[0].schema)
        is_matched = is_score(schema, TextCheck.name) and (TextCheck.name in trusted or is_ours(schema, TextCheck.name))
        texts = [TextCheck.name] if is_matched else []
        self._ranked_by = list(dict.fromkeys([*rules.thresholds, *texts]))
        self.schema = checked_schema(schema, checks) if checks else schema
        self._described = described_job(sources, checks, column, [one.name for one in strokes])
        self._total = sum(source.rows for source in sources)
        # Files that have scores were checked when they were scored.
        self._unscored = Unscored(sources, column) if checks else None

    def into_files(
        self, targets: list[Path], progress: Progress, *, resume: bool, found: Mapping[str, FoundThreshold]
    ) -> Selection:
        """Write the kept rows to the first target, and the others to the second if there is one."""
        jobs = [self._job(place) for place in range(len(targets))]
        settings = {**self._described["settings"], "job": "scores of a filter"}
        parts = planned_parts(self._sources)
        folder = JobFolder(parts_folder(targets[0]), {**self._described, "settings": settings}, parts, is_single=True)
        try:
            if resume and (finished := _finished(targets, jobs, folder)):
                return finished
            selection = self._written(targets, jobs, folder, progress, found)
            if self._checks:
                folder.remove_rest()
        except (OSError, pa.ArrowException) as error:
            raise_if_from_handler(error)
            names = " and ".join(map(str, targets))
            raise PenpalError(f"{names}: cannot write {'them' if len(targets) > 1 else 'it'}: {error}") from error
        return selection

    def into_stream(self, form: StdoutFormat, rejected: list[Path], progress: Progress) -> Selection:
        """Write the kept rows to standard output, and the others to a file if one is given."""
        try:
            with contextlib.ExitStack() as stack:
                folder = None
                if self._checks and self._rules.passes > 1:
                    folder = PassingFolder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penpal-"))))
                schema = with_job(self.schema, None)
                others = [self._opened_file(stack, target, schema) for target in rejected]
                file = stack.enter_context(standard_output(form, schema))
                return self._selected([file, *others], folder, progress)
        except BrokenPipeError:
            raise  # Whoever read standard output has enough.
        except (OSError, pa.ArrowException) as error:
            raise_if_from_handler(error)
            raise PenpalError(f"standard output: cannot write to it: {error}") from error

    def _job(self, place: int) -> str:
        """Return what identifies an output: the kept rows at place 0, or the others."""
        rules = {**dataclasses.asdict(self._rules), "place": place}
        return job_id({**self._described, "filter": rules})

    def _written(
        self,
        targets: list[Path],
        jobs: list[str],
        folder: JobFolder,
        progress: Progress,
        found: Mapping[str, FoundThreshold],
    ) -> Selection:
        records: list[dict[str, Any]] = []
        with contextlib.ExitStack() as stack:
            # Sealed when they are complete, in the reverse order.
            files = [
                self._opened_file(stack, target, with_job(self.schema, job, sealed=True), job, records)
                for target, job in zip(targets, jobs, strict=True)
            ]
            if self._checks:
                # Scores that an interrupted run left are good for any thresholds.
                with folder.opened(resume=True, mode=parts_mode(targets[0]), again="run it again to go on"):
                    selection = self._selected(files, folder, progress)
            else:
                selection = self._selected(files, None, progress)
            selection.found = found
            for file in files:
                if isinstance(file, EncodedFile):
                    file.note(SELECTION_KEY, json.dumps(selection.as_note()))
            for record in records:
                record["selection"] = selection.as_note()
        return selection

    def _opened_file(
        self,
        stack: contextlib.ExitStack,
        target: Path,
        schema: pa.Schema,
        job: str | None = None,
        records: list[dict[str, Any]] | None = None,
    ) -> RowsFile:
        file = checked_target(target)
        aside = stack.enter_context(reserved(file))
        stack.enter_context(appears_whole(file, aside))
        if output_kind(target, FILES) is Kind.JSON_LINES:
            if job is not None and records is not None:
                records.append(stack.enter_context(recorded(aside, file, job)))
            return stack.enter_context(json_lines_file(aside, target.name, schema))
        rows = min(group_rows(source) for source in self._sources)
        may_be_huge = any(has_huge_rows(source) for source in self._sources)
        if job is not None:
            stack.enter_context(_sealed(aside, job))
        return stack.enter_context(EncodedFile(aside, schema, rows, str(target), may_be_huge=may_be_huge))

    def _selected(self, files: list[RowsFile], folder: PartsFolder | None, progress: Progress) -> Selection:
        """Read all rows, and add them to the first file if they are kept, or else to the second."""
        selection = Selection(thresholds=self._rules.thresholds, layouts=named_layouts(self._strokes))
        rows = ScoreParts(self._sources, self._strokes, self._checks, self.schema, self._memory_mb, folder)
        selection.resumed_rows = rows.finished_rows
        judged = JudgedRows(
            rows, self._rules, self._ranked_by, self.schema.names, self._unscored, self._total, progress
        )
        with unchanged(self._sources), contextlib.closing(judged.batches()) as batches:
            try:
                for some in batches:
                    for file, mask in zip(files, (some.verdict.kept, ~some.verdict.kept), strict=False):
                        file.add(some.data.filter(pa.array(mask)))
                    selection.add(some.verdict)
            except NoScoresError:
                if isinstance(folder, JobFolder):
                    folder.remove()
                raise
        selection.groups = judged.groups
        return selection


@contextlib.contextmanager
def _sealed(path: Path, job: str) -> Iterator[None]:
    """Seal a Parquet file that is complete at the end of the block."""
    yield
    seal(path, job)


def _finished(targets: list[Path], jobs: list[str], folder: JobFolder) -> Selection | None:
    """Return what an earlier run of the same job selected, if it wrote all outputs.

    Raises:
        PenpalError: An output exists that another job wrote, and this job was not begun.
    """
    files = [checked_target(target) for target in targets]
    found = [_selection(target, file, job) for target, file, job in zip(targets, files, jobs, strict=True)]
    if (first := found[0]) and all(found):
        if folder.path.is_dir():
            folder.remove_rest()
        return dataclasses.replace(first, resumed_rows=first.rows)
    if not folder.path.exists():
        for file, selection in zip(files, found, strict=True):
            if selection is None and file.exists():
                raise cannot_resume(file, f"{BY_ANOTHER_JOB}, or was changed since")
    return None


def _selection(target: Path, file: Path, job: str) -> Selection | None:
    """Return what an earlier run of a job selected, if it wrote this whole file; `target` is the name that is given."""
    if output_kind(target, FILES) is Kind.JSON_LINES:
        return read_selection(record_of(file, job).get("selection"))
    return noted_selection(file) if is_output(file, job) else None
