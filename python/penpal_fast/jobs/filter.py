"""The job that keeps the rows of files whose scores are high enough."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Check, outcomes_of
from penpal_fast.checks.columns import (
    added_columns,
    checked_schema,
    error_column,
    is_score,
    prepare,
    read_outcome,
    with_outcomes,
)
from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS, ReaderChoice, default_checks, known_scores
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.text_match import TextCheck, compared_text
from penpal_fast.checks.thresholds import GOOD_SHARE
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.files import check_name, checked_target, replaced_atomically
from penpal_fast.jobs.best_of import BestRows, check_group_column
from penpal_fast.jobs.good_lines import (
    FROM_GOOD_LINES,
    FoundThreshold,
    GoodLines,
    check_share,
    from_good_lines,
)
from penpal_fast.jobs.identity import with_job
from penpal_fast.jobs.kept_columns import KeptColumns, kept_columns
from penpal_fast.jobs.limits import (
    check_origin,
    check_rescored,
    check_text,
    has_scores,
    limit_of,
    wanted_limits,
)
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows, has_huge_rows
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.jobs.plain_columns import plain_rows, plain_schema
from penpal_fast.jobs.selection import Selection, Verdict, verdict_on
from penpal_fast.jobs.strokes import strokes_for
from penpal_fast.layouts.column import StrokesColumn
from penpal_fast.schema import TEXT_COLUMN, check_text_column
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.drawn import drawn_batch, named_layouts
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows, check_memory
from penpal_fast.sources.streams import check_apart, open_sources
from penpal_fast.sources.suffixes import PARQUET_SUFFIXES

NOT_BEST = "not the best of its group"

Progress = Callable[[int, int], None]

Judged = tuple[pa.RecordBatch, Verdict]


def filter_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    threshold: str | float | None = None,
    text_threshold: str | float | None = None,
    thresholds: Mapping[str, str | float] | None = None,
    keep_good: Inputs | None = None,
    share: float | None = None,
    best_of: str | None = None,
    keep_rejected: str | os.PathLike[str] | None = None,
    scorer: Scorer | None = None,
    column: str = "strokes",
    text: str | None = None,
    reader: ReaderChoice = None,
    drop_first_point: bool = False,
    layout: str | None = None,
    checks: Sequence[Check] | None = None,
    rescore: bool | Collection[str] = False,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
) -> Selection:
    """Write the rows that reach all thresholds to a Parquet file, with all their columns and in their order.

    Inputs that have a check's column, by default `quality`, are filtered by it. Other inputs are scored, which adds the
    check's columns. The output appears when it is complete.

    With `best_of`, only one row is kept of those that share a value and reach the thresholds: the one with the highest
    product of its scores, because ink that says another text is worth nothing however good it looks, and the other way
    round. The scores are those that have thresholds, and `text_match` if the inputs have it; a row without it counts as
    0. The first of equal rows is kept. A row without a value, null or NaN, shares it with none. The inputs are read
    twice and scored once; memory grows with the number of values, not of rows.

    Args:
        inputs: As for `score_dataset`.
        output: Parquet file for the kept rows; overwritten if it exists.
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
        best_of: Name of a column of texts or numbers, such as the prompt, whose values rows share; None to keep all
            rows that reach the thresholds.
        keep_rejected: Parquet file for the other rows, bad rows included.
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
        rescore: Run the checks even if the inputs have their scores: all that have a threshold, or those of these
            names.
        memory_mb: Approximate limit on the memory of the rows, in megabytes.
        progress: Called with the number of finished rows and of all rows; with `best_of`, each row counts twice.

    Raises:
        PenpalError: A file cannot be read or written, the files have different columns, a threshold has no scores, the
            inputs' `text_match` was made with another column than `text`, or the good lines are too few or have other
            scores.
    """
    check_memory(memory_mb)
    targets = _checked_targets(output, keep_rejected)
    sources = open_sources(inputs, column, Options(layout=layout))
    schema = sources[0].schema
    named = text
    if text is None and text_threshold is not None and checks is None:
        text = compared_text(known_scores(schema)) or TEXT_COLUMN
    if keep_good is not None:
        threshold = from_good_lines(threshold, thresholds)
    elif share is not None:
        raise PenpalError("share is for keep_good, the lines to keep a share of; give both, or a threshold")
    check_share(GOOD_SHARE if share is None else share)
    if text is not None and text_threshold is None and thresholds is None:
        text_threshold = DEFAULT_THRESHOLDS[TextCheck.name] if keep_good is None else FROM_GOOD_LINES
    given = default_checks(
        checks, scorer=scorer, column=column, text=text, reader=reader, drop_first_point=drop_first_point
    )
    available = {check.name: check for check in given}
    wanted = wanted_limits(given[0], threshold, text_threshold, thresholds)
    if named is not None and TextCheck.name not in wanted:
        raise PenpalError(
            f"text names a column of texts, but thresholds has none for {TextCheck.name!r}; add it (0 keeps every row "
            "that has a match), or leave text out"
        )
    check_rescored(rescore, [name for name in wanted if name in available])
    for target in targets:
        check_apart(sources, inputs, target)
    with errors_about(sources[0].file.name):
        missing = [available[name] for name in wanted if not has_scores(schema, name, available, rescore)]
    strokes = strokes_for(missing, sources, column, layout)
    with errors_about(sources[0].file.name):
        prepare(missing, strokes[0].schema(schema))
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
        good = _good_sources(keep_good, column, layout, targets)
        lines = GoodLines(good, column, layout, available, memory_mb)
        names = [name for name, value in wanted.items() if value == FROM_GOOD_LINES]
        ran = [check.name for check in missing]
        found = lines.thresholds(names, GOOD_SHARE if share is None else share, sources, ran)
    limits = {
        name: found[name].threshold if name in found else limit_of(name, value, available.get(name), sources)
        for name, value in wanted.items()
    }
    job = _Filter(sources, strokes, missing, limits, best_of, memory_mb)
    selection = job.write(targets, progress or (lambda _done, _total: None))
    selection.found = found
    return selection


def _good_sources(keep_good: Inputs, column: str, layout: str | None, targets: list[Path]) -> list[Source]:
    """Open the good lines, and make sure that no output replaces them."""
    sources = open_sources(keep_good, column, Options(layout=layout))
    for target in targets:
        check_apart(sources, keep_good, target)
    return sources


def _compared_by(checks: list[Check]) -> str | None:
    return next((check.text for check in checks if isinstance(check, TextCheck)), None)


def _checked_targets(output: str | os.PathLike[str], keep_rejected: str | os.PathLike[str] | None) -> list[Path]:
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    for target in targets:
        check_name(target)
        if not target.name.lower().endswith(PARQUET_SUFFIXES):
            raise PenpalError(f"{target}: the output is a Parquet file; its name must end with {PARQUET_SUFFIXES[0]}")
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
        best_of: str | None,
        memory_mb: int,
    ) -> None:
        """Take how strokes are read, the checks to run, all thresholds by the name of the check, and the column of
        shared values.
        """
        self._sources = sources
        self._strokes = strokes
        self._checks = checks
        self._thresholds = thresholds
        self._best_of = best_of
        self._memory_mb = memory_mb
        schema = plain_schema(sources[0].schema)
        texts = [TextCheck.name] if is_score(schema, TextCheck.name) else []
        self._ranked_by = list(dict.fromkeys([*thresholds, *texts]))
        checked = checked_schema(schema, checks) if checks else schema
        self._schema = with_job(checked, None)  # Only the output of `score_dataset` is recognised by its job.

    def write(self, targets: list[Path], progress: Progress) -> Selection:
        selection = Selection(thresholds=self._thresholds)
        selection.layouts = named_layouts(self._strokes)
        total = sum(source.rows for source in self._sources)
        try:
            with contextlib.ExitStack() as stack:
                files = self._opened_files(stack, targets)
                for source in self._sources:
                    stack.enter_context(source.file.unchanged())
                if self._best_of is None:
                    judged, before = self._judged(), 0
                else:
                    kept = stack.enter_context(self._kept_columns(targets[0]))
                    best = self._best_rows(self._best_of, kept, lambda done: progress(done, 2 * total))
                    judged, before = self._judged_again(self._best_of, kept, best), total
                    selection.groups = best.groups
                for data, verdict in stack.enter_context(made_ahead(judged, "scoring")):
                    for file, mask in zip(files, (verdict.kept, ~verdict.kept), strict=False):
                        file.add(data.filter(pa.array(mask)))
                    selection.add(verdict)
                    progress(before + selection.rows, before + total)
        except (OSError, pa.ArrowException) as error:
            names = " and ".join(map(str, targets))
            raise PenpalError(f"{names}: cannot write {'them' if len(targets) > 1 else 'it'}: {error}") from error
        return selection

    def _opened_files(self, stack: contextlib.ExitStack, targets: list[Path]) -> list[EncodedFile]:
        rows = min(group_rows(source) for source in self._sources)
        may_be_huge = any(has_huge_rows(source) for source in self._sources)
        paths = [stack.enter_context(replaced_atomically(checked_target(target))) for target in targets]
        return [
            stack.enter_context(EncodedFile(path, self._schema, rows, str(target), may_be_huge=may_be_huge))
            for path, target in zip(paths, targets, strict=True)
        ]

    def _judged(self) -> Generator[Judged, None, None]:
        with made_ahead(self._scored(), "reading") as scored:
            for rows, unread, where, first in scored:
                yield rows, verdict_on(rows, self._thresholds, unread, where, first)

    def _scored(
        self, columns: list[str] | None = None
    ) -> Generator[tuple[pa.RecordBatch, dict[int, str], str, int], None, None]:
        """Yield rows with their scores, what is wrong with rows that could not be read, the file and the first row."""
        for source, strokes in zip(self._sources, self._strokes, strict=True):
            name, first = source.file.name, 0
            for batch in source.batches(batch_rows(self._memory_mb, source), columns=columns):
                rows = plain_rows(batch.data)
                with errors_about(name):
                    drawn = drawn_batch(Batch(rows, batch.problems), strokes)
                    outcomes = outcomes_of(self._checks, drawn.data, drawn.problems)
                rows = with_outcomes(rows, self._checks, outcomes, self._schema) if outcomes else rows
                yield rows, batch.problems, name, first
                first += len(rows)

    def _kept_columns(self, target: Path) -> contextlib.AbstractContextManager[KeptColumns]:
        """Keep the scores that checks give beside the output, for the second reading."""
        return kept_columns(checked_target(target).parent, pa.schema(added_columns(self._checks)))

    def _best_rows(self, column: str, kept: KeptColumns, progress: Callable[[int], None]) -> BestRows:
        """Read the rows for the first time: score them, and find the best of each group."""
        best, done = BestRows(), 0
        # The second reading must have the same batches if it takes the scores of this one.
        columns = None if self._checks else self._columns_of_scores(column)
        with made_ahead(self._scored(columns), "scoring") as scored:
            for rows, unread, where, first in scored:
                verdict = verdict_on(rows, self._thresholds, unread, where, first)
                best.add(rows.column(column), np.where(verdict.kept, self._ranks(rows, where, first), np.nan))
                if self._checks:
                    kept.add(rows)
                done += len(rows)
                progress(done)
        return best

    def _columns_of_scores(self, column: str) -> list[str]:
        errors = [error_column(name) for name in self._ranked_by]
        return [name for name in dict.fromkeys([column, *self._ranked_by, *errors]) if name in self._schema.names]

    def _ranks(self, rows: pa.RecordBatch, where: str, first: int) -> NDArray[np.float64]:
        """Multiply the scores of each row; a score that is missing counts as 0."""
        scores = [read_outcome(rows, name, where, first).scores for name in self._ranked_by]
        return np.prod(np.nan_to_num(np.array(scores, np.float64)), axis=0)

    def _judged_again(self, column: str, kept: KeptColumns, best: BestRows) -> Generator[Judged, None, None]:
        """Read the rows for the second time, with the scores of the first."""
        done, scores = 0, kept.batches()
        for source in self._sources:
            first = 0
            for batch in source.batches(batch_rows(self._memory_mb, source)):
                rows = plain_rows(batch.data)
                rows = self._with_scores(rows, next(scores)) if self._checks else rows
                verdict = verdict_on(rows, self._thresholds, batch.problems, source.file.name, first)
                yield rows, verdict.among(best.chosen(rows.column(column), done), NOT_BEST)
                done += len(rows)
                first += len(rows)

    def _with_scores(self, rows: pa.RecordBatch, scores: pa.RecordBatch) -> pa.RecordBatch:
        added = set(scores.schema.names)
        kept = [rows.column(index) for index, name in enumerate(rows.schema.names) if name not in added]
        return pa.RecordBatch.from_arrays([*kept, *scores.columns], schema=self._schema)
