"""What is asked of a filter: which rows of files are kept, by which scores, and where they go."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import check_added, prepare
from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS, ReaderChoice, default_checks, text_column_of
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.checks.thresholds import GOOD_SHARE, checked_top
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.jobs.best_of import check_group_column
from penpal_fast.jobs.filter_job import FilterJob
from penpal_fast.jobs.good_lines import FROM_GOOD_LINES, FoundThreshold, GoodLines, check_share, from_good_lines
from penpal_fast.jobs.json_rows import check_names
from penpal_fast.jobs.judged_rows import Rules
from penpal_fast.jobs.outputs import FILES, NO_FOLDER, Kind, StdoutFormat, check_stdout, output_kind
from penpal_fast.jobs.plain_columns import plain_schema
from penpal_fast.jobs.row_files import has_lines
from penpal_fast.jobs.scoring import strokes_for
from penpal_fast.jobs.selection import Selection
from penpal_fast.jobs.thresholds import (
    Thresholds,
    check_origin,
    check_rescored,
    check_text,
    has_scores,
    threshold_number,
    wanted_thresholds,
)
from penpal_fast.layouts.coordinate_columns import has_strokes
from penpal_fast.progress import Progress, Reports
from penpal_fast.schema import check_text_column
from penpal_fast.sources.apart import check_apart
from penpal_fast.sources.batch import Source
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, check_memory
from penpal_fast.sources.streams import open_sources


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
            What it raises ends the job.

    Raises:
        PenpalError: A file cannot be read or written, the files have different columns, no row of a file can be scored,
            a threshold has no scores, the inputs' `text_match` was made with another column than `text`, or the good
            lines are too few or have other scores.
    """
    check_memory(memory_mb)
    top = checked_top(top)
    kind = output_kind(output, NO_FOLDER)
    form = check_stdout(stdout_format, kind, resume=resume)
    targets = _checked_targets(output, keep_rejected)
    files = targets[kind is Kind.STREAM :]
    sources = open_sources(inputs, column, Options(layout=layout))
    schema = sources[0].schema
    is_guessed = text is None and text_threshold is not None and checks is None
    compared = text_column_of(schema) if is_guessed else text
    given = default_checks(
        checks,
        scorer=scorer,
        column=column,
        text=compared,
        reader=reader,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )
    check_added(given)
    asked = _Asked(threshold, text_threshold, thresholds, keep_good is not None, share, top)
    wanted = asked.thresholds_of(given[0], has_text=compared is not None)
    for target in files:
        check_apart(sources, inputs, target)
    # Rows without strokes cannot be scored, so that there is only one thing that their scores can be.
    trusted = (
        [quality_column] if quality_column is not None else [] if has_strokes(schema, column) else list(schema.names)
    )
    available = {check.name: check for check in given}
    check_rescored(rescore, [name for name in wanted if name in available])
    with errors_about(sources[0].file.name):
        missing = [available[name] for name in wanted if not has_scores(schema, name, available, rescore, trusted)]
    strokes = strokes_for(missing, sources, column, layout)
    with errors_about(sources[0].file.name):
        prepare(missing, strokes[0].schema(schema), replaced=_replaced(wanted, rescore))
        if best_of is not None:
            check_group_column(plain_schema(schema), best_of)
    kept = [name for name in wanted if name not in [check.name for check in missing]]
    _check_texts(sources, wanted, kept, text, text if checks is None else _compared_by(given))
    if drop_first_point:
        for name in kept:
            if name in available:
                check_origin(sources, available[name])
    found: dict[str, FoundThreshold] = {}
    if keep_good is not None:
        good = GoodLines(_good_sources(keep_good, column, layout, files), column, layout, available, memory_mb, trusted)
        names = [name for name, value in wanted.items() if value == FROM_GOOD_LINES]
        found = good.thresholds(names, asked.good_share, sources, [check.name for check in missing])
    limits = {
        name: found[name].threshold if name in found else threshold_number(name, value, available.get(name), sources)
        for name, value in wanted.items()
    }
    job = FilterJob(sources, strokes, missing, Rules(limits, best_of, top), column, trusted, memory_mb)
    if has_lines(kind, form) or any(output_kind(file, FILES) is Kind.JSON_LINES for file in files):
        with errors_about(sources[0].file.name):
            check_names(job.schema)
    with Reports(progress) as report:
        if kind is Kind.STREAM:
            selection = job.into_stream(form, files, report)
            selection.found = found
            return selection
        return job.into_files(files, report, resume=resume, found=found)


@dataclasses.dataclass(frozen=True)
class _Asked:
    """What the arguments of `filter_dataset` say of its thresholds; see there."""

    threshold: str | float | None
    text_threshold: str | float | None
    thresholds: Thresholds | None
    has_good_lines: bool
    share: float | None
    top: float | None

    @property
    def good_share(self) -> float:
        """The share of good lines to keep."""
        return GOOD_SHARE if self.share is None else self.share

    def thresholds_of(self, first: Check, *, has_text: bool) -> Thresholds:
        """Return the threshold of each check, some of which stand for what is found from good lines.

        Args:
            first: The check that `threshold` is for.
            has_text: Whether rows are compared with texts.

        Raises:
            PenpalError: Arguments contradict each other, or one is missing.
        """
        threshold, text_threshold = self.threshold, self.text_threshold
        if self.has_good_lines:
            threshold = from_good_lines(threshold, self.thresholds)
        elif self.share is not None:
            raise PenpalError("share is for keep_good, the lines to keep a share of; give both, or a threshold")
        elif self.top is not None and threshold is None and self.thresholds is None:
            threshold = 0.0
        check_share(self.good_share)
        if has_text and text_threshold is None and self.thresholds is None:
            text_threshold = FROM_GOOD_LINES if self.has_good_lines else DEFAULT_THRESHOLDS[TextCheck.name]
        return wanted_thresholds(first, threshold, text_threshold, self.thresholds)


def _check_texts(
    sources: list[Source], wanted: Thresholds, kept: list[str], text: str | None, compared: str | None
) -> None:
    """Make sure that matches are with the texts that the arguments name.

    Args:
        sources: The inputs.
        wanted: The thresholds.
        kept: The checks whose scores the inputs have.
        text: The column of texts that is named.
        compared: The column of texts of the check.

    Raises:
        PenpalError: They are not.
    """
    if text is not None:
        if TextCheck.name not in wanted:
            raise PenpalError(
                f"text names a column of texts, but thresholds has none for {TextCheck.name!r}; add it (0 keeps every "
                "row that has a match), or leave text out"
            )
        with errors_about(sources[0].file.name):
            check_text_column(sources[0].schema, text)
    if TextCheck.name in kept:
        check_text(sources, compared)


def _replaced(wanted: Thresholds, rescore: bool | Collection[str]) -> Collection[str]:
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
    if keep_rejected is not None:
        output_kind(keep_rejected, FILES)
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise PenpalError(f"{output}: kept and rejected rows cannot go into the same file; choose another name")
    return targets
