"""The job that keeps the rows of files whose scores are high enough."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.checks.check import Check, count_reasons, outcomes_of
from penpal_fast.checks.columns import checked_schema, error_column, is_score, prepare, read_outcome, with_outcomes
from penpal_fast.checks.defaults import default_checks, known_scores
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.thresholds import threshold_of
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.files import check_name, checked_target, replaced_atomically
from penpal_fast.jobs.identity import with_job
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.sources.batch import Source
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows, check_memory
from penpal_fast.sources.names import PARQUET_SUFFIXES
from penpal_fast.sources.streams import check_apart, open_sources

BELOW = "below the threshold"
DEFAULT_THRESHOLD = "balanced"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which rows of a batch are kept.

    Attributes:
        kept: Whether each row is kept, [N].
        problems: What is wrong with each row that lacks a score, by its index.
        below: Number of rows with scores below a threshold, by reason.
    """

    kept: NDArray[np.bool_]
    problems: dict[int, str]
    below: Counter[str]


@dataclasses.dataclass
class Selection:
    """What a filter did.

    Attributes:
        rows: Number of rows.
        kept: Number of kept rows.
        bad: Number of bad rows, which lack a score.
        rejected: Number of rejected rows by reason, bad rows included.
    """

    rows: int = 0
    kept: int = 0
    bad: int = 0
    rejected: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count the rows of a batch."""
        self.rows += len(verdict.kept)
        self.kept += int(verdict.kept.sum())
        self.bad += len(verdict.problems)
        self.rejected.update(verdict.below)
        count_reasons(self.rejected, verdict.problems.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the selection as JSON."""
        return {"rows": self.rows, "kept": self.kept, "rejected": dict(self.rejected.most_common()), "bad": self.bad}


def filter_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    threshold: str | float | None = None,
    thresholds: Mapping[str, str | float] | None = None,
    keep_rejected: str | os.PathLike[str] | None = None,
    scorer: Scorer | None = None,
    column: str = "strokes",
    checks: Sequence[Check] | None = None,
    rescore: bool = False,
    memory_mb: int = MEMORY_MB,
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Write the rows that score at or above a threshold to a Parquet file, with all their columns and in their order.

    Inputs that have a check's column, by default `quality`, are filtered by it. Other inputs are scored, which adds the
    check's columns. The output appears when it is complete.

    Args:
        inputs: As for `score_dataset`.
        output: Parquet file for the kept rows; overwritten if it exists.
        threshold: Threshold of the first check: a number from 0 to 1, or a name such as "lenient", "balanced" or
            "strict"; None for "balanced".
        thresholds: Thresholds of several checks by the check's name, in place of `threshold`. A row is kept if it
            reaches all of them. Each check must be among `checks`, or have its scores in the inputs.
        keep_rejected: Parquet file for the other rows, bad rows included.
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        checks: Checks in place of the quality check, for inputs that lack their scores.
        rescore: Run the checks even if the inputs have their scores.
        memory_mb: Approximate limit on the memory of the rows, in megabytes.
        progress: Called with the number of finished rows and of all rows.

    Raises:
        PenpalError: A file cannot be read or written, the files have different columns, or a threshold has no scores.
    """
    check_memory(memory_mb)
    targets = _checked_targets(output, keep_rejected)
    available = {check.name: check for check in default_checks(checks, scorer=scorer, column=column)}
    wanted = _wanted(next(iter(available.values())), threshold) if thresholds is None else thresholds
    if not wanted:
        raise PenpalError("thresholds is empty; give the threshold of at least one check")
    sources = open_sources(inputs, column)
    for target in targets:
        check_apart(sources, inputs, target)
    with errors_about(sources[0].file.name):
        missing = [
            available[name] for name in wanted if not _has_scores(sources[0].schema, name, available, rescore=rescore)
        ]
        prepare(missing, sources[0].schema)
    limits = {name: _limit(name, value, available.get(name), sources) for name, value in wanted.items()}
    return _Filter(sources, missing, limits, memory_mb).write(targets, progress or (lambda _done, _total: None))


def _checked_targets(output: str | os.PathLike[str], keep_rejected: str | os.PathLike[str] | None) -> list[Path]:
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    for target in targets:
        check_name(target)
        if not target.name.lower().endswith(PARQUET_SUFFIXES):
            raise PenpalError(f"{target}: the output is a Parquet file; its name must end with {PARQUET_SUFFIXES[0]}")
    if len({target.resolve() for target in targets}) < len(targets):
        raise PenpalError(f"{output}: kept and rejected rows cannot go into the same file; choose another name")
    return targets


def _wanted(check: Check, threshold: str | float | None) -> dict[str, str | float]:
    """Return the threshold of a check, or the default one."""
    if threshold is None and DEFAULT_THRESHOLD not in check.thresholds:
        choices = "".join(f" or {name!r} ({value})" for name, value in check.thresholds.items())
        raise PenpalError(f"give a threshold for the check {check.name!r}: threshold= a number from 0 to 1{choices}")
    return {check.name: DEFAULT_THRESHOLD if threshold is None else threshold}


def _has_scores(schema: pa.Schema, name: str, available: Mapping[str, Check], *, rescore: bool) -> bool:
    """Whether a schema has the scores of a check. If not, the check has to run."""
    if name in available and (rescore or name not in schema.names):
        return False
    if name not in schema.names:
        raise PenpalError(f"there is no score column {name!r}, and no check of this name to compute it")
    for column in (name, error_column(name)):
        if schema.names.count(column) > 1:
            raise PenpalError(f"there is more than one column {column!r}; keep one of them")
    if not is_score(schema, name):
        kind = schema.field(name).type
        advice = "score again with --rescore (rescore=True)" if name in available else "name a column of scores"
        raise PenpalError(f"the column {name!r} is of type {kind}, not of scores; {advice}")
    return True


def _limit(name: str, value: str | float, check: Check | None, sources: Sequence[Source]) -> float:
    """Turn a wanted threshold into a number, by the names that the check has, or else those in the inputs."""
    if check:
        with errors_about(f"the check {name!r}"):
            return threshold_of(value, check.thresholds)
    limits = {}
    for source in sources:
        named = next((score.thresholds for score in known_scores(source.schema) if score.name == name), {})
        with errors_about(f"{source.file.name}: the check {name!r}"):
            limits[source.file.name] = threshold_of(value, named)
    (first, limit), *others = limits.items()
    for file, other in others:
        if other != limit:
            raise PenpalError(
                f"the threshold {value!r} of {name!r} is {limit} in {first} and {other} in {file}; give a number"
            )
    return limit


class _Filter:
    """Reads rows, runs the checks whose scores are missing, and selects."""

    def __init__(
        self, sources: list[Source], checks: list[Check], thresholds: dict[str, float], memory_mb: int
    ) -> None:
        """Take the checks to run, and all thresholds by the name of the check."""
        self._sources = sources
        self._checks = checks
        self._thresholds = thresholds
        self._memory_mb = memory_mb
        schema = checked_schema(sources[0].schema, checks) if checks else sources[0].schema
        self._schema = with_job(schema, None)  # Only the output of `score_dataset` is recognised by its job.

    def write(self, targets: list[Path], progress: Callable[[int, int], None]) -> Selection:
        selection = Selection()
        total = sum(source.rows for source in self._sources)
        try:
            with contextlib.ExitStack() as stack:
                files = self._opened_files(stack, targets)
                for source in self._sources:
                    stack.enter_context(source.file.unchanged())
                for data, verdict in stack.enter_context(made_ahead(self._judged(), "scoring")):
                    for file, mask in zip(files, (verdict.kept, ~verdict.kept), strict=False):
                        file.add(data.filter(pa.array(mask)))
                    selection.add(verdict)
                    progress(selection.rows, total)
        except (OSError, pa.ArrowException) as error:
            names = " and ".join(map(str, targets))
            raise PenpalError(f"{names}: cannot write {'them' if len(targets) > 1 else 'it'}: {error}") from error
        return selection

    def _opened_files(self, stack: contextlib.ExitStack, targets: list[Path]) -> list[EncodedFile]:
        rows = min(group_rows(source) for source in self._sources)
        paths = [stack.enter_context(replaced_atomically(checked_target(target))) for target in targets]
        return [
            stack.enter_context(EncodedFile(path, self._schema, rows, str(target)))
            for path, target in zip(paths, targets, strict=True)
        ]

    def _judged(self) -> Generator[tuple[pa.RecordBatch, Verdict], None, None]:
        with made_ahead(self._scored(), "reading") as scored:
            for rows, unread, where, first in scored:
                yield rows, _verdict(rows, self._thresholds, unread, where, first)

    def _scored(self) -> Generator[tuple[pa.RecordBatch, dict[int, str], str, int], None, None]:
        """Yield rows with their scores, what is wrong with rows that could not be read, the file and the first row."""
        for source in self._sources:
            name, first = source.file.name, 0
            for batch in source.batches(batch_rows(self._memory_mb, source)):
                with errors_about(name):
                    outcomes = outcomes_of(self._checks, batch.data, batch.problems)
                rows = with_outcomes(batch.data, self._checks, outcomes, self._schema) if outcomes else batch.data
                yield rows, batch.problems, name, first
                first += len(rows)


def _verdict(
    rows: pa.RecordBatch, thresholds: Mapping[str, float], unread: Mapping[int, str], where: str, first: int
) -> Verdict:
    problems: dict[int, str] = {}
    for name in thresholds:
        problems = {**read_outcome(rows, name, where, first).problems, **problems}
    problems = {row: unread.get(row, problem) for row, problem in problems.items()}
    kept = np.ones(len(rows), dtype=bool)
    kept[list(problems)] = False
    below: Counter[str] = Counter()
    for name, threshold in thresholds.items():
        reaches = _at_least(rows.column(name), threshold)
        below[BELOW if len(thresholds) == 1 else f"{name} {BELOW}"] = int((kept & ~reaches).sum())
        kept &= reaches
    return Verdict(kept, problems, below)


def _at_least(scores: pa.Array, threshold: float) -> NDArray[np.bool_]:
    """Whether scores reach a threshold in their own precision: the float32 score 0.3 reaches 0.3."""
    values = scores.to_numpy(zero_copy_only=False)
    return np.asarray(values >= values.dtype.type(threshold), dtype=bool)
