"""The job that keeps the rows of files whose scores are high enough."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import tempfile
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import (
    check_added,
    checked_schema,
    error_column,
    is_ours,
    is_score,
    prepare,
    read_outcome,
)
from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS, ReaderChoice, default_checks, text_column_of
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.checks.thresholds import GOOD_SHARE, check_top
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.files import checked_target, parts_folder, parts_mode, replaced_atomically
from penpal_fast.interrupts import pass_on
from penpal_fast.jobs.best_of import BestRows, check_group_column
from penpal_fast.jobs.folder import JobFolder
from penpal_fast.jobs.good_lines import (
    FROM_GOOD_LINES,
    FoundThreshold,
    GoodLines,
    check_share,
    from_good_lines,
)
from penpal_fast.jobs.identity import described_job, is_output, job_id, with_job
from penpal_fast.jobs.json_rows import check_names
from penpal_fast.jobs.limits import (
    Limits,
    check_origin,
    check_rescored,
    check_text,
    has_scores,
    limit_of,
    wanted_limits,
)
from penpal_fast.jobs.outputs import Kind, StdoutFormat, check_stdout, kind_of
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows, has_huge_rows, planned_parts
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.jobs.plain_columns import plain_schema
from penpal_fast.jobs.records import record_of, recorded
from penpal_fast.jobs.row_files import RowsFile, has_lines, json_lines_file, standard_output
from penpal_fast.jobs.score_parts import PartsFolder, PassingFolder, ScoreParts
from penpal_fast.jobs.seal import seal
from penpal_fast.jobs.selection import SELECTION_KEY, Selection, Verdict, noted_selection, read_selection, verdict_on
from penpal_fast.jobs.strokes import strokes_for
from penpal_fast.jobs.top import TopRows, rows_of
from penpal_fast.jobs.unscored import NoScoresError, Unscored
from penpal_fast.layouts.column import StrokesColumn
from penpal_fast.layouts.parts import has_strokes
from penpal_fast.schema import check_text_column
from penpal_fast.sources.batch import Source
from penpal_fast.sources.drawn import named_layouts
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, check_memory
from penpal_fast.sources.streams import check_apart, open_sources

NOT_BEST = "not the best of its group"
NOT_TOP = "not among the top"

TINY = 1e-300
"""Less than any product of scores that are not 0."""

Progress = Callable[[int, int], None]

Judged = tuple[pa.RecordBatch, Verdict]


@dataclasses.dataclass(frozen=True)
class Rules:
    """What a filter demands of rows besides thresholds; see `filter_dataset`.

    Attributes:
        best_of: Column whose values rows share, of which the best is kept.
        top: Rows or share of rows with the highest scores that are kept.
    """

    best_of: str | None = None
    top: float | None = None


def filter_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    threshold: str | float | None = None,
    text_threshold: str | float | None = None,
    thresholds: Mapping[str, str | float] | None = None,
    keep_good: Inputs | None = None,
    share: float | None = None,
    top: float | None = None,
    best_of: str | None = None,
    keep_rejected: str | os.PathLike[str] | None = None,
    scorer: Scorer | None = None,
    column: str = "strokes",
    text: str | None = None,
    reader: ReaderChoice = None,
    drop_first_point: bool = False,
    layout: str | None = None,
    checks: Sequence[Check] | None = None,
    quality_column: str | None = None,
    rescore: bool | Collection[str] = False,
    resume: bool = False,
    stdout_format: StdoutFormat | None = None,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
) -> Selection:
    """Write the rows that reach all thresholds to a file, with all their columns and in their order.

    Inputs that have a check's column, by default `quality`, are filtered by it, if a check wrote it: the schema says
    so, or the column of its errors is beside it, or there are no strokes to score. Other inputs are scored, which adds
    the check's columns. The output appears when it is complete.

    The scores that checks give are kept in a folder beside the output until then. A run takes those that an interrupted
    one has left, also with other thresholds; it reads the inputs again, and its output is byte-identical.

    With `best_of`, only one row is kept of those that share a value and reach the thresholds: the one with the highest
    product of its scores, because ink that says another text is worth nothing however good it looks, and the other way
    round. The scores are those that have thresholds, and `text_match` if the inputs have it; a row without it counts as
    0. Of rows whose product is 0, the one with the highest sum is kept. The first of equal rows is kept. A row without
    a value, null or NaN, shares it with none. The inputs are read twice and scored once; memory grows with the number
    of values, not of rows.

    Args:
        inputs: As for `score_dataset`.
        output: File for the kept rows, overwritten if it exists: Parquet (.parquet, .pq) or JSON lines (.jsonl,
            .jsonl.gz); or "-" for standard output.
        threshold: Threshold of the first check: a number from 0 to 1, or a name such as "lenient", "balanced" or
            "strict"; None for the lenient one. With 0, all rows that have a score reach it.
        text_threshold: Threshold of `text_match`, beside that of the first check; None for "balanced" if `text` is
            given, and else for none.
        thresholds: Thresholds of several checks by the check's name, in place of these. A row is kept if it reaches
            all of them. Each check must be among `checks`, or have its scores in the inputs.
        keep_good: Files of lines that are known to be good, as for `inputs`, in place of `threshold`: the threshold of
            the first check is that which keeps a `share` of them, and so is that of `text_match` if `text` is given and
            `text_threshold` is not. At least 20 lines must have a score. Scores that they have are used if they come
            from the model of the inputs' scores; other lines are scored.
        share: Share of these lines that each threshold keeps, above 0 and up to 1; None for 0.95.
        top: Number of rows (an integer), or share of the rows that have their scores (a float up to 1, rounded), of
            those with the highest scores; of equal rows the first. With several thresholds, the product of their scores
            counts. They must reach the thresholds too, and without `threshold`, that of the first check is 0. The
            inputs are read three times and scored once.
        best_of: Name of a column of texts or numbers, such as the prompt, whose values rows share; None to keep all
            rows that reach the thresholds.
        keep_rejected: File for the other rows, bad rows included; named as `output`, but for "-".
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        text: Name of the column of texts. Inputs that lack `text_match` are compared with it; if they have one, it must
            have been made with this column. None for that of the inputs' `text_match`, or else "text" if there is a
            `text_threshold`.
        reader: A `Reader`, or what it takes, to compare rows with texts; None for the reader in this package.
        drop_first_point: Score rows as `without_first_points` returns them; the strokes column stays as it is. Scores
            that the inputs have must have been made so.
        layout: Name of the layout of the strokes, such as "offsets", if it should not be told from the type and the
            first rows; see docs/data.md.
        checks: Checks in place of those that `scorer`, `text` and `reader` ask for, for inputs that lack their scores.
        quality_column: Name of the column of the quality check, which is then taken for scores whoever wrote it; None
            for `quality`.
        rescore: Run the checks even if the inputs have their scores: all that have a threshold, or those of these
            names.
        resume: Leave outputs that this very job has finished as they are, and refuse to replace those of others.
        stdout_format: What to write to standard output, as for `score_dataset`.
        memory_mb: Approximate limit on the memory of the rows, in megabytes.
        progress: Called with the number of finished rows and of all rows; rows that are read again count again.

    Raises:
        PenpalError: A file cannot be read or written, the files have different columns, no row of a file can be scored,
            a threshold has no scores, the inputs' `text_match` was made with another column than `text`, or the good
            lines are too few or have other scores.
    """
    check_memory(memory_mb)
    check_top(top)
    kind = kind_of(output, folders=False)
    form = check_stdout(stdout_format, kind, resume=resume)
    targets = _checked_targets(output, keep_rejected)
    sources = open_sources(inputs, column, Options(layout=layout))
    schema = sources[0].schema
    named = text
    if text is None and text_threshold is not None and checks is None:
        text = text_column_of(schema)
    if keep_good is not None:
        threshold = from_good_lines(threshold, thresholds)
    elif share is not None:
        raise PenpalError("share is for keep_good, the lines to keep a share of; give both, or a threshold")
    elif top is not None and threshold is None and thresholds is None:
        threshold = 0.0
    check_share(GOOD_SHARE if share is None else share)
    if text is not None and text_threshold is None and thresholds is None:
        text_threshold = DEFAULT_THRESHOLDS[TextCheck.name] if keep_good is None else FROM_GOOD_LINES
    given = default_checks(
        checks,
        scorer=scorer,
        column=column,
        text=text,
        reader=reader,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )
    check_added(given)
    # Rows without strokes cannot be scored, so that there is only one thing that their scores can be.
    trusted = (
        [quality_column] if quality_column is not None else [] if has_strokes(schema, column) else list(schema.names)
    )
    available = {check.name: check for check in given}
    wanted = wanted_limits(given[0], threshold, text_threshold, thresholds)
    if named is not None and TextCheck.name not in wanted:
        raise PenpalError(
            f"text names a column of texts, but thresholds has none for {TextCheck.name!r}; add it (0 keeps every row "
            "that has a match), or leave text out"
        )
    check_rescored(rescore, [name for name in wanted if name in available])
    for target in targets[kind is Kind.STREAM :]:
        check_apart(sources, inputs, target)
    with errors_about(sources[0].file.name):
        missing = [available[name] for name in wanted if not has_scores(schema, name, available, rescore, trusted)]
    strokes = strokes_for(missing, sources, column, layout)
    with errors_about(sources[0].file.name):
        prepare(missing, strokes[0].schema(schema), replaced=_replaced(wanted, rescore))
        if named is not None:
            check_text_column(schema, named)
        if best_of is not None:
            check_group_column(plain_schema(schema), best_of)
    if TextCheck.name in wanted and TextCheck.name not in [check.name for check in missing]:
        check_text(sources, named if checks is None else _compared_by(given))
    if drop_first_point:
        for name in wanted:
            if name in available and available[name] not in missing:
                check_origin(sources, available[name])
    found: dict[str, FoundThreshold] = {}
    if keep_good is not None:
        good = _good_sources(keep_good, column, layout, targets[kind is Kind.STREAM :])
        lines = GoodLines(good, column, layout, available, memory_mb, trusted)
        names = [name for name, value in wanted.items() if value == FROM_GOOD_LINES]
        ran = [check.name for check in missing]
        found = lines.thresholds(names, GOOD_SHARE if share is None else share, sources, ran)
    limits = {
        name: found[name].threshold if name in found else limit_of(name, value, available.get(name), sources)
        for name, value in wanted.items()
    }
    job = _Filter(sources, strokes, missing, limits, Rules(best_of, top), column, trusted, memory_mb)
    files = [target for target in targets if kind is not Kind.STREAM or target != targets[0]]
    if has_lines(kind, form) or any(kind_of(file, folders=False) is Kind.JSON_LINES for file in files):
        with errors_about(sources[0].file.name):
            check_names(job.schema)
    report = progress or (lambda _done, _total: None)
    if kind is Kind.STREAM:
        selection = job.into_stream(form, files, report)
        selection.found = found
        return selection
    return job.into_files(files, report, resume=resume, found=found)


def _replaced(wanted: Limits, rescore: bool | Collection[str]) -> Collection[str]:
    """Names of the checks that a user wants to run again, whoever wrote the columns of their names."""
    return [] if rescore is False else list(wanted) if rescore is True else rescore


def _good_sources(keep_good: Inputs, column: str, layout: str | None, targets: list[Path]) -> list[Source]:
    """Open the good lines, and make sure that no output replaces them."""
    sources = open_sources(keep_good, column, Options(layout=layout))
    for target in targets:
        check_apart(sources, keep_good, target)
    return sources


def _compared_by(checks: list[Check]) -> str | None:
    return next((check.text for check in checks if isinstance(check, TextCheck)), None)


def _checked_targets(output: str | os.PathLike[str], keep_rejected: str | os.PathLike[str] | None) -> list[Path]:
    if keep_rejected is not None and kind_of(keep_rejected, folders=False) is Kind.STREAM:
        raise PenpalError("rejected rows cannot go to standard output; name a file")
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise PenpalError(f"{output}: kept and rejected rows cannot go into the same file; choose another name")
    return targets


class _Filter:
    """Reads rows, runs the checks whose scores are missing, and selects."""

    def __init__(
        self,
        sources: list[Source],
        strokes: list[StrokesColumn],
        checks: list[Check],
        thresholds: dict[str, float],
        rules: Rules,
        column: str,
        trusted: Collection[str],
        memory_mb: int,
    ) -> None:
        """Take how strokes are read, the checks to run, all thresholds by the name of the check, and the further
        rules.
        """
        self._sources = sources
        self._strokes = strokes
        self._checks = checks
        self._thresholds = thresholds
        self._rules = rules
        self._memory_mb = memory_mb
        schema = plain_schema(sources[0].schema)
        is_matched = is_score(schema, TextCheck.name) and (TextCheck.name in trusted or is_ours(schema, TextCheck.name))
        texts = [TextCheck.name] if is_matched else []
        self._ranked_by = list(dict.fromkeys([*thresholds, *texts]))
        self.schema = checked_schema(schema, checks) if checks else schema
        self._described = described_job(sources, checks, column, [one.name for one in strokes])
        self._passes = 1 + (rules.best_of is not None) + 2 * (rules.top is not None)
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
            pass_on(error)
            names = " and ".join(map(str, targets))
            raise PenpalError(f"{names}: cannot write {'them' if len(targets) > 1 else 'it'}: {error}") from error
        return selection

    def into_stream(self, form: StdoutFormat, rejected: list[Path], progress: Progress) -> Selection:
        """Write the kept rows to standard output, and the others to a file if one is given."""
        try:
            with contextlib.ExitStack() as stack:
                folder = None
                if self._checks and self._passes > 1:
                    folder = PassingFolder(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penpal-"))))
                schema = with_job(self.schema, None)
                others = [self._opened_file(stack, target, schema) for target in rejected]
                file = stack.enter_context(standard_output(form, schema))
                return self._selected([file, *others], folder, progress)
        except BrokenPipeError:
            raise  # Whoever read standard output has enough.
        except (OSError, pa.ArrowException) as error:
            pass_on(error)
            raise PenpalError(f"standard output: cannot write to it: {error}") from error

    def _job(self, place: int) -> str:
        """Return what identifies an output: the kept rows at place 0, or the others."""
        rules = {**dataclasses.asdict(self._rules), "thresholds": self._thresholds, "place": place}
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
        aside = stack.enter_context(replaced_atomically(file))
        if kind_of(target, folders=False) is Kind.JSON_LINES:
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
        selection = Selection(thresholds=self._thresholds, layouts=named_layouts(self._strokes))
        rows = ScoreParts(self._sources, self._strokes, self._checks, self.schema, self._memory_mb, folder)
        selection.resumed_rows = rows.finished_rows
        with contextlib.ExitStack() as unchanged:
            for source in self._sources:
                unchanged.enter_context(source.file.unchanged())
            try:
                best = self._best_rows(rows, progress)
                top = self._top_rows(rows, best, progress)
                selection.groups = best.groups if best else None
                before = (self._passes - 1) * self._total
                judged = self._judged(rows, best, top)
                for data, verdict in unchanged.enter_context(made_ahead(judged, "scoring")):
                    for file, mask in zip(files, (verdict.kept, ~verdict.kept), strict=False):
                        file.add(data.filter(pa.array(mask)))
                    selection.add(verdict)
                    progress(before + selection.rows, before + self._total)
            except NoScoresError:
                if isinstance(folder, JobFolder):
                    folder.remove()
                raise
        return selection

    def _judged(
        self,
        rows: ScoreParts,
        best: BestRows | None = None,
        top: TopRows | None = None,
        columns: list[str] | None = None,
    ) -> Generator[Judged, None, None]:
        """Yield rows in order with the verdict on them, by all rules that are given."""
        done = 0
        unscored, self._unscored = self._unscored, None  # Rows are counted when they are read for the first time.
        with contextlib.closing(rows.batches(columns)) as scored:
            for some in scored:
                verdict = verdict_on(some.data, self._thresholds, some.unread, some.where, some.first)
                if unscored:
                    names = [name for name in self._thresholds if name in some.data.schema.names]
                    found = [read_outcome(some.data, name, some.where, some.first) for name in names]
                    unscored.add(done, found, some.data)
                if best and self._rules.best_of is not None:
                    verdict = verdict.among(best.chosen(some.data.column(self._rules.best_of), done), NOT_BEST)
                if top:
                    ranks = self._ranks(some.data, list(self._thresholds), verdict, some.where, some.first)
                    verdict = verdict.among(top.chosen(ranks.astype(np.float32)), NOT_TOP)
                yield some.data, verdict
                done += len(some.data)
        if unscored:
            unscored.check()

    def _best_rows(self, rows: ScoreParts, progress: Progress) -> BestRows | None:
        """Find the best row of each group, if that is a rule."""
        if self._rules.best_of is None:
            return None
        best, done = BestRows(), 0
        for data, verdict in self._judged_ahead(rows):
            best.add(data.column(self._rules.best_of), self._ranks(data, self._ranked_by, verdict, "", 0))
            done += len(data)
            progress(done, self._passes * self._total)
        return best

    def _top_rows(self, rows: ScoreParts, best: BestRows | None, progress: Progress) -> TopRows | None:
        """Find the rows with the highest scores, if that is a rule."""
        if (top := self._rules.top) is None:
            return None
        done, scored = (best is not None) * self._total, 0

        def ranks() -> Iterator[NDArray[np.float32]]:
            nonlocal done, scored
            scored = 0
            for data, verdict in self._judged_ahead(rows, best):
                yield self._ranks(data, list(self._thresholds), verdict, "", 0).astype(np.float32)
                scored += len(data) - len(verdict.problems)
                done += len(data)
                progress(done, self._passes * self._total)

        return TopRows(ranks, lambda: rows_of(top, scored))

    def _judged_ahead(self, rows: ScoreParts, best: BestRows | None = None) -> Iterator[Judged]:
        """Yield rows with no more columns than the rules need."""
        errors = [error_column(name) for name in self._ranked_by]
        groups = [] if self._rules.best_of is None else [self._rules.best_of]
        needed = dict.fromkeys([*groups, *self._ranked_by, *errors])
        columns = [name for name in needed if name in self.schema.names]
        with made_ahead(self._judged(rows, best, columns=columns), "scoring") as judged:
            yield from judged

    def _ranks(
        self, rows: pa.RecordBatch, names: list[str], verdict: Verdict, where: str, first: int
    ) -> NDArray[np.float64]:
        """Multiply the scores of each row; a score that is missing counts as 0. Rows that are not kept have NaN.

        Where the product is 0, as without a text, it is a tiny share of the sum, so that rows differ there too. (Not
        among the top rows, whose ranks are compared in float32.)
        """
        scores = np.nan_to_num(np.array([read_outcome(rows, name, where, first).scores for name in names], np.float64))
        ranks = np.prod(scores, axis=0)
        ranks = np.where(ranks > 0, ranks, TINY * scores.sum(axis=0))
        return np.where(verdict.kept, ranks, np.nan)


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
                raise PenpalError(
                    f"{file}: cannot resume: this file exists already, and was written from another input or model, by "
                    "other versions or with other settings, or was changed since; remove it, or leave --resume out to "
                    "overwrite it"
                )
    return None


def _selection(target: Path, file: Path, job: str) -> Selection | None:
    """Return what an earlier run of a job selected, if it wrote this whole file; `target` is the name that is given."""
    if kind_of(target, folders=False) is Kind.JSON_LINES:
        return read_selection(record_of(file, job).get("selection"))
    return noted_selection(file) if is_output(file, job) else None
