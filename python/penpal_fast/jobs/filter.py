"""Keeping the rows of files that score high enough."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from penpal_fast.checks.quality import Scorer, with_scores
from penpal_fast.checks.summary import threshold_of
from penpal_fast.errors import PenpalError
from penpal_fast.files import check_name, checked_target, replaced_atomically
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows
from penpal_fast.jobs.pipeline import made_ahead
from penpal_fast.jobs.scored import scored
from penpal_fast.schema import output_schema
from penpal_fast.sources.batch import Batch, Source
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.names import PARQUET_SUFFIXES
from penpal_fast.sources.scored_file import check_scores
from penpal_fast.sources.streams import check_apart, check_strokes, open_sources

BELOW = "below the threshold"


@dataclasses.dataclass
class Selection:
    """What a filter did.

    Attributes:
        rows: Number of rows.
        kept: Number of rows that were kept.
        rejected: Rows that were not, by reason.
    """

    rows: int = 0
    kept: int = 0
    rejected: Counter[str] = dataclasses.field(default_factory=Counter)

    @property
    def bad(self) -> int:
        """Number of rows that have no score."""
        return self.rows - self.kept - self.rejected[BELOW]

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        return {"rows": self.rows, "kept": self.kept, "rejected": dict(self.rejected.most_common()), "bad": self.bad}


def filter_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    threshold: str | float = "balanced",
    keep_rejected: str | os.PathLike[str] | None = None,
    scorer: Scorer | None = None,
    column: str = "strokes",
    rescore: bool = False,
    memory_mb: int = MEMORY_MB,
    progress: Callable[[int, int], None] | None = None,
) -> Selection:
    """Write the rows that score at or above a threshold to a Parquet file, with all their columns and in their order.

    Inputs that have a column `quality` are taken to be scored; others are scored, which adds the columns `quality` and
    `quality_error`. The files appear when they are whole.

    Args:
        inputs: As in `score_dataset`.
        output: Parquet file for the rows that are kept; replaced if it is there.
        threshold: Number from 0 to 1, or "lenient", "balanced" or "strict".
        keep_rejected: Parquet file for the other rows, bad ones included.
        scorer: Scores the rows; None for `Scorer()`.
        column: Name of the strokes column.
        rescore: Score rows that have a column `quality` too.
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
    sources = open_sources(inputs, column)
    for target in targets:
        check_apart(sources, inputs, target)
    scores_exist = not rescore and "quality" in sources[0].schema.names
    if scores_exist:
        _check_quality(sources[0])
    else:
        check_strokes(sources, column)
        scorer = scorer or Scorer()
    rows = _Filter(sources, column, None if scores_exist else scorer, threshold_of(threshold), memory_mb)
    return rows.write(targets, progress or (lambda _done, _total: None))


def _check_quality(source: Source) -> None:
    for name in ("quality", "quality_error"):
        if source.schema.names.count(name) > 1:
            raise PenpalError(f"{source.file.name}: there is more than one column {name!r}; leave one of them")
    kind = source.schema.field("quality").type
    if not pa.types.is_floating(kind):
        raise PenpalError(
            f"{source.file.name}: the column 'quality' is of type {kind}, not of scores; score anew with --rescore"
        )


class _Filter:
    """Reads, scores where need be, and selects."""

    def __init__(
        self, sources: list[Source], column: str, scorer: Scorer | None, threshold: float, memory_mb: int
    ) -> None:
        self._sources = sources
        self._column = column
        self._scorer = scorer
        self._threshold = threshold
        self._memory_mb = memory_mb
        self._schema = sources[0].schema if scorer is None else output_schema(sources[0].schema)

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
                for data, kept, problems in stack.enter_context(made_ahead(self._selected(), "scoring")):
                    for file, mask in zip(files, (kept, pc.invert(kept)), strict=False):
                        file.add_rows(data.filter(mask))
                    _count(selection, data, kept, problems)
                    progress(selection.rows, total)
        except (OSError, pa.ArrowException) as error:
            names = " and ".join(map(str, targets))
            raise PenpalError(f"{names}: cannot write {'them' if len(targets) > 1 else 'it'}: {error}") from error
        return selection

    def _selected(self) -> Generator[tuple[pa.RecordBatch, pa.Array, dict[int, str]], None, None]:
        """Yield rows, with whether each is kept and what was wrong with those that could not be read."""
        with made_ahead(self._scored(), "reading") as batches:
            for batch in batches:
                yield batch.data, _at_least(batch.data.column("quality"), self._threshold), batch.problems

    def _scored(self) -> Generator[Batch, None, None]:
        for source in self._sources:
            first = 0
            for batch in source.batches(batch_rows(self._memory_mb, source)):
                if self._scorer is None:
                    check_scores(batch.data.column("quality"), source.file.name, first)
                    first += len(batch.data)
                    yield batch
                else:
                    scores = scored(batch, self._scorer, self._column, source)
                    yield Batch(with_scores(batch.data, scores), batch.problems)


def _at_least(quality: pa.Array, threshold: float) -> pa.Array:
    """Whether scores reach a threshold, which is rounded as they are: a float32 score of 0.3 reaches 0.3."""
    if quality.type == pa.float16():
        quality, threshold = quality.cast(pa.float32()), float(np.float16(threshold))
    return pc.fill_null(pc.greater_equal(quality, pa.scalar(threshold, quality.type)), False)


def _count(selection: Selection, data: pa.RecordBatch, kept: pa.Array, problems: dict[int, str]) -> None:
    selection.rows += len(data)
    selection.kept += kept.true_count
    quality = data.column("quality")
    bad = pc.is_null(quality, nan_is_null=True)
    selection.rejected[BELOW] += len(data) - kept.true_count - bad.true_count
    rows = pc.indices_nonzero(bad).to_pylist()
    errors = _errors(data)
    selection.rejected.update((problems.get(row) or errors[row] or "no score").partition(":")[0] for row in rows)


def _errors(data: pa.RecordBatch) -> list[str | None]:
    """Return what the rows' errors say, as far as a column of texts has them."""
    if "quality_error" in data.schema.names:
        column = data.column("quality_error")
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return cast("list[str | None]", column.to_pylist())
    return [None] * len(data)
