"""Keeping the rows of files that score high enough."""

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

from penpal_fast.checks.check import Check, Outcome
from penpal_fast.checks.columns import checked_schema, error_column, is_score, read_outcome, with_outcomes
from penpal_fast.checks.defaults import default_checks
from penpal_fast.checks.quality import Scorer
from penpal_fast.checks.thresholds import THRESHOLDS, threshold_of
from penpal_fast.errors import PenpalError
from penpal_fast.files import check_name, checked_target, replaced_atomically
from penpal_fast.jobs.checking import check_batch, prepare_for
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.sources.batch import Source
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.names import PARQUET_SUFFIXES
from penpal_fast.sources.streams import check_apart, open_sources

BELOW = "below the threshold"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Which rows of a batch are kept.

    Attributes:
        kept: Whether each row is kept, [N].
        bad: Number of rows without a score.
        reasons: Rows that are rejected, by reason.
    """

    kept: NDArray[np.bool_]
    bad: int
    reasons: Counter[str]


@dataclasses.dataclass
class Selection:
    """What a filter did.

    Attributes:
        rows: Number of rows.
        kept: Number of rows that were kept.
        bad: Number of rows that have no score.
        rejected: Rows that were not kept, by reason.
    """

    rows: int = 0
    kept: int = 0
    bad: int = 0
    rejected: Counter[str] = dataclasses.field(default_factory=Counter)

    def add(self, verdict: Verdict) -> None:
        """Count the rows of a batch."""
        self.rows += len(verdict.kept)
        self.kept += int(verdict.kept.sum())
        self.bad += verdict.bad
        self.rejected.update(verdict.reasons)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {"rows": self.rows, "kept": self.kept, "rejected": dict(self.rejected.most_common()), "bad": self.bad}


def filter_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    threshold: str | float = "balanced",
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

    Inputs that have a check's column, by default `quality`, are taken to be scored. Others are scored, which adds the
    check's columns. The files appear when they are whole.

    Args:
        inputs: As in `score_dataset`.
        output: Parquet file for the rows that are kept; replaced if it is there.
        threshold: Threshold of the first check: a number from 0 to 1, or a name such as "lenient", "balanced" or
            "strict".
        thresholds: Thresholds of several checks, by the check's name, in place of `threshold`; a row is kept if it
            reaches all. A check must be among `checks`, or have its scores in the inputs.
        keep_rejected: Parquet file for the other rows, bad ones included.
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        checks: Checks to make in place of the quality check, where the inputs lack their scores.
        rescore: Score rows that have scores too.
        memory_mb: What the rows on their way may take, about, in megabytes.
        progress: Called with the rows done and the rows in all.

    Raises:
        PenpalError: A file cannot be read or written, or the files have different columns.
    """
    targets = [Path(path) for path in (output, keep_rejected) if path is not None]
    for target in targets:
        check_name(target)
        if not target.name.lower().endswith(PARQUET_SUFFIXES):
            raise PenpalError(f"{target}: the output is a Parquet file; its name must end with {PARQUET_SUFFIXES[0]}")
    if len({target.resolve() for target in targets}) < len(targets):
        raise PenpalError(f"{output}: the rows that are kept and the others cannot go into the same file")
    made = {check.name: check for check in default_checks(checks, scorer=scorer, column=column)}
    sources = open_sources(inputs, column)
    for target in targets:
        check_apart(sources, inputs, target)
    wanted = thresholds if thresholds is not None else {next(iter(made)): threshold}
    missing = [name for name in wanted if rescore or name not in sources[0].schema.names]
    for name in wanted:
        if name in missing and name not in made:
            raise PenpalError(f"{sources[0].file.name}: there is no column {name!r} of scores, and no such check")
        if name not in missing:
            _check_scores(sources[0], name)
    missing_checks = [made[name] for name in missing]
    prepare_for(missing_checks, sources[0])
    limits = {
        name: threshold_of(value, made[name].thresholds if name in made else THRESHOLDS)
        for name, value in wanted.items()
    }
    rows = _Filter(sources, missing_checks, limits, memory_mb)
    return rows.write(targets, progress or (lambda _done, _total: None))


def _check_scores(source: Source, check: str) -> None:
    for name in (check, error_column(check)):
        if source.schema.names.count(name) > 1:
            raise PenpalError(f"{source.file.name}: there is more than one column {name!r}; leave one of them")
    if not is_score(source.schema, check):
        kind = source.schema.field(check).type
        raise PenpalError(
            f"{source.file.name}: the column {check!r} is of type {kind}, not of scores; score anew with --rescore"
        )


class _Filter:
    """Reads, scores where need be, and selects."""

    def __init__(
        self, sources: list[Source], checks: list[Check], thresholds: dict[str, float], memory_mb: int
    ) -> None:
        """Take the checks to make, and the thresholds of these and of the scores that the sources have."""
        self._sources = sources
        self._checks = checks
        self._thresholds = thresholds
        self._memory_mb = memory_mb
        self._schema = checked_schema(sources[0].schema, checks) if checks else sources[0].schema

    def write(self, targets: list[Path], progress: Callable[[int, int], None]) -> Selection:
        selection = Selection()
        total = sum(source.rows for source in self._sources)
        rows = min(group_rows(source) for source in self._sources)
        try:
            with contextlib.ExitStack() as stack:
                paths = [stack.enter_context(replaced_atomically(checked_target(target))) for target in targets]
                files = [
                    stack.enter_context(EncodedFile(path, self._schema, rows, str(target)))
                    for path, target in zip(paths, targets, strict=True)
                ]
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

    def _judged(self) -> Generator[tuple[pa.RecordBatch, Verdict], None, None]:
        with made_ahead(self._scored(), "reading") as scored:
            for rows, problems, where, first in scored:
                outcomes = {name: read_outcome(rows, name, where, first) for name in self._thresholds}
                yield rows, _verdict(rows, outcomes, self._thresholds, problems)

    def _scored(self) -> Generator[tuple[pa.RecordBatch, dict[int, str], str, int], None, None]:
        """Yield rows with their scores, what was wrong with those that could not be read, file and first row."""
        for source in self._sources:
            first = 0
            for batch in source.batches(batch_rows(self._memory_mb, source)):
                outcomes = check_batch(self._checks, batch, source)
                rows = with_outcomes(batch.data, self._checks, outcomes) if outcomes else batch.data
                yield rows, batch.problems, source.file.name, first
                first += len(rows)


def _verdict(
    rows: pa.RecordBatch, outcomes: dict[str, Outcome], thresholds: dict[str, float], unread: dict[int, str]
) -> Verdict:
    problems: dict[int, str] = {}
    for outcome in reversed(outcomes.values()):
        problems |= outcome.problems
    problems |= {row: text for row, text in unread.items() if row in problems}
    reasons = Counter(text.partition(":")[0] for text in problems.values())
    kept = np.ones(len(rows), dtype=bool)
    kept[list(problems)] = False
    for name, threshold in thresholds.items():
        reaches = _at_least(rows.column(name), threshold)
        reasons[BELOW if len(thresholds) == 1 else f"{name} {BELOW}"] += int((kept & ~reaches).sum())
        kept &= reaches
    return Verdict(kept, len(problems), reasons)


def _at_least(scores: pa.Array, threshold: float) -> NDArray[np.bool_]:
    """Whether scores reach a threshold, which is rounded as they are: a float32 score of 0.3 reaches 0.3."""
    values = scores.to_numpy(zero_copy_only=False)
    return np.asarray(values >= values.dtype.type(threshold), dtype=bool)
