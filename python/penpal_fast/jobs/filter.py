"""What is asked of a filter: which rows of files are kept, by which scores, and where they go."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from penpal_fast.checks.check import Check
from penpal_fast.checks.columns import check_added
from penpal_fast.checks.defaults import DEFAULT_THRESHOLDS, ReaderChoice, default_checks, text_column_of
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.text_match import TextCheck
from penpal_fast.checks.thresholds import GOOD_SHARE, checked_top
from penpal_fast.errors import PenpalError, UsageError, errors_about
from penpal_fast.jobs.best_of import check_group_column
from penpal_fast.jobs.filter_job import FilterJob
from penpal_fast.jobs.filter_plan import FilterPlan, planned
from penpal_fast.jobs.good_lines import FROM_GOOD_LINES, FoundThreshold, GoodLines, check_no_thresholds, check_share
from penpal_fast.jobs.json_rows import check_names
from penpal_fast.jobs.judged_rows import Rules
from penpal_fast.jobs.outputs import FILES, NO_FOLDER, Kind, StdoutFormat, check_stdout, output_kind
from penpal_fast.jobs.plain_columns import plain_schema
from penpal_fast.jobs.row_files import has_lines
from penpal_fast.jobs.selection import Selection
from penpal_fast.jobs.thresholds import Thresholds, check_origin, check_text, threshold_number, wanted_thresholds
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
    outputs = _named_outputs(output, keep_rejected, stdout_format, resume=resume)
    asked = _Asked(threshold, text_threshold, thresholds, keep_good is not None, share, top)
    asked.check()
    sources = open_sources(inputs, column, Options(layout=layout))
    compared = text
    if text is None and text_threshold is not None and checks is None:
        compared = text_column_of(sources[0].schema)
    chosen = default_checks(
        checks,
        scorer=scorer,
        column=column,
        text=compared,
        reader=reader,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )
    check_added(chosen)
    wanted = asked.thresholds_of(chosen[0], has_text=compared is not None)
    outputs.check_apart(sources, inputs)
    plan = planned(
        sources,
        chosen,
        wanted,
        column=column,
        layout=layout,
        quality_column=quality_column,
        rescore=rescore,
        memory_mb=memory_mb,
    )
    _check_columns(plan, best_of, text)
    _check_given(plan, text if checks is None else _matched_column(chosen), drop_first_point=drop_first_point)
    found = {} if keep_good is None else _found_thresholds(plan, keep_good, asked.good_share, outputs)
    job = FilterJob(plan, Rules(_limits(plan, found), best_of, top), found)
    outputs.check_names(sources[0].file.name, job.schema)
    with Reports(progress) as report:
        if outputs.kind is Kind.STREAM:
            return job.into_stream(outputs.form, outputs.files, report)
        return job.into_files(outputs.files, report, resume=resume)


@dataclasses.dataclass(frozen=True)
class _Outputs:
    """Where the rows of a filter go.

    Attributes:
        kind: What the kept rows become.
        form: What is written to standard output, if they go there.
        files: The file of the kept rows, unless they go to standard output, and that of the other rows if they have
            one.
    """

    kind: Kind
    form: StdoutFormat
    files: list[Path]

    def check_apart(self, sources: Sequence[Source], inputs: Inputs) -> None:
        """Make sure that no file would replace some of the sources that were opened from `inputs`."""
        for file in self.files:
            check_apart(sources, inputs, file)

    def check_names(self, where: str, schema: pa.Schema) -> None:
        """Make sure that columns have the names that the outputs need; errors name the file `where`."""
        if has_lines(self.kind, self.form) or any(output_kind(file, FILES) is Kind.JSON_LINES for file in self.files):
            with errors_about(where):
                check_names(schema)


def _named_outputs(
    output: str | os.PathLike[str],
    keep_rejected: str | os.PathLike[str] | None,
    stdout_format: StdoutFormat | None,
    *,
    resume: bool,
) -> _Outputs:
    """Tell from their names what the outputs of a filter are.

    Raises:
        PenpalError: A name or the format does not fit, or both names are of the same file.
    """
    kind = output_kind(output, NO_FOLDER)
    form = check_stdout(stdout_format, kind, resume=resume)
    if keep_rejected is not None:
        output_kind(keep_rejected, FILES)
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise UsageError(f"{output}: kept and rejected rows cannot go into the same file; choose another name")
    return _Outputs(kind, form, targets[kind is Kind.STREAM :])


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

    def check(self) -> None:
        """Make sure that good lines, their share and thresholds go together.

        Raises:
            UsageError: They do not.
        """
        if self.has_good_lines:
            check_no_thresholds(self.threshold, self.thresholds)
        elif self.share is not None:
            raise UsageError("share is for keep_good, the lines to keep a share of; give both, or a threshold")
        check_share(self.good_share)

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
            threshold = FROM_GOOD_LINES
        elif self.top is not None and threshold is None and self.thresholds is None:
            threshold = 0.0
        if has_text and text_threshold is None and self.thresholds is None:
            text_threshold = FROM_GOOD_LINES if self.has_good_lines else DEFAULT_THRESHOLDS[TextCheck.name]
        return wanted_thresholds(first, threshold, text_threshold, self.thresholds)


def _check_columns(plan: FilterPlan, best_of: str | None, text: str | None) -> None:
    """Make sure that the inputs have the columns of groups and of texts that are named.

    Raises:
        PenpalError: They do not, or no threshold needs the texts.
    """
    schema, where = plan.sources[0].schema, plan.opened[0].name
    if best_of is not None:
        with errors_about(where):
            check_group_column(plain_schema(schema), best_of)
    if text is None:
        return
    if TextCheck.name not in plan.thresholds:
        raise PenpalError(
            f"text names a column of texts, but thresholds has none for {TextCheck.name!r}; add it (0 keeps every "
            "row that has a match), or leave text out"
        )
    with errors_about(where):
        check_text_column(schema, text)


def _check_given(plan: FilterPlan, text: str | None, *, drop_first_point: bool) -> None:
    """Make sure that the scores that the inputs have were made as the arguments say.

    Args:
        plan: The plan.
        text: The column of texts that matches are with; None for any.
        drop_first_point: Whether scores are of rows without their lone first points.

    Raises:
        PenpalError: They were not.
    """
    if TextCheck.name in plan.given:
        check_text(plan.sources, text)
    for name in plan.given:
        if drop_first_point and name in plan.available:
            check_origin(plan.sources, plan.available[name])


def _matched_column(checks: Sequence[Check]) -> str | None:
    """Name of the column of texts that checks compare rows with."""
    return next((check.text for check in checks if isinstance(check, TextCheck)), None)


def _found_thresholds(
    plan: FilterPlan, keep_good: Inputs, share: float, outputs: _Outputs
) -> dict[str, FoundThreshold]:
    """Find the thresholds that keep a share of lines that are known to be good, which no output may replace."""
    sources = open_sources(keep_good, plan.column, Options(layout=plan.layout))
    outputs.check_apart(sources, keep_good)
    names = [name for name, value in plan.thresholds.items() if value == FROM_GOOD_LINES]
    return GoodLines(sources, plan).thresholds(names, share)


def _limits(plan: FilterPlan, found: Mapping[str, FoundThreshold]) -> dict[str, float]:
    """Return the thresholds as numbers, of which some were found from good lines."""
    return {
        name: found[name].threshold
        if name in found
        else threshold_number(name, value, plan.available.get(name), plan.sources)
        for name, value in plan.thresholds.items()
    }
