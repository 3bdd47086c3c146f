"""Files of any known format as one Parquet file in the layout of the penpal data set."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from penpal_fast import kernels as pc
from penpal_fast._core import Rows
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.files import appears_whole, checked_target, reserved
from penpal_fast.first_points import without_first_points
from penpal_fast.interrupts import raise_if_from_handler
from penpal_fast.jobs.identity import with_job
from penpal_fast.jobs.json_rows import json_of
from penpal_fast.jobs.opened import OpenedSource, opened_sources
from penpal_fast.jobs.outputs import Kind, output_kind
from penpal_fast.jobs.part_files import EncodedFile
from penpal_fast.jobs.parts import group_rows
from penpal_fast.layouts.coordinate_columns import coordinate_columns_of
from penpal_fast.progress import Progress, Reports
from penpal_fast.schema import HUGGING_FACE, check_one_column, nulls_as_strokes, strokes_type
from penpal_fast.sources.apart import check_apart
from penpal_fast.sources.batch import Batch, unchanged, unread_column
from penpal_fast.sources.converted import named_layouts
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import MEMORY_MB, check_memory
from penpal_fast.sources.streams import open_sources

STROKES = "strokes"

UNREAD = unread_column(STROKES)

ORIGIN = {"source_file": pa.string(), "source_row": pa.int64()}
"""Columns that say where a row comes from; rows that were converted before keep theirs."""


@dataclasses.dataclass
class ConvertSummary:
    """What was written.

    Attributes:
        rows: Number of rows.
        bad: Number of rows that cannot be drawn; their strokes are null, and in `strokes_json` as they were.
        first_problem: Where the first of them is, and what is wrong with it.
        layouts: What the strokes were converted from, if their layout is not direct.
    """

    rows: int = 0
    bad: int = 0
    first_problem: str | None = None
    layouts: list[str] = dataclasses.field(default_factory=list)


def convert_dataset(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    column: str = STROKES,
    each_path: bool = False,
    layout: str | None = None,
    drop_first_point: bool = False,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
) -> ConvertSummary:
    """Write rows of any known format as one Parquet file.

    Its columns are `strokes` (words of strokes, float64; only x and y of a point are kept), the other columns of the
    inputs, `source_file` and `source_row`, from 0. If some rows cannot be drawn, `strokes_json` has them as they were.

    Args:
        inputs: Files, folders, globs and hub addresses, as `score_dataset` takes them; all with the same columns.
        output: Parquet file to write; an existing one is replaced.
        column: Name of the strokes column in the inputs.
        each_path: Whether each path of an SVG file is a row; else the whole drawing is one.
        layout: Name of the layout of the strokes, such as "offsets", if it should not be told from the type and the
            first rows; see docs/data.md.
        drop_first_point: Write the strokes as `without_first_points` returns them.
        memory_mb: Approximate limit on the memory of the rows that are read at a time, in megabytes.
        progress: Called with the number of finished rows and of all rows. What it raises ends the job.

    Raises:
        PenpalError: A file cannot be read or written, the files have different columns, or no row can be drawn.
    """
    check_memory(memory_mb)
    output_kind(output, [Kind.PARQUET])
    target = checked_target(Path(output))
    sources = open_sources(inputs, column, Options(each_path, layout))
    check_apart(sources, inputs, target)
    opened = opened_sources(sources, column, layout)
    with errors_about(sources[0].file.name):
        schema = _schema(sources[0].schema, column)
    settings = _Settings(opened, column, memory_mb, drop_first_point)
    with Reports(progress) as report:
        try:
            return _convert(settings, target, schema, report)
        except _UnreadError:
            return _convert(settings, target, schema.append(pa.field(UNREAD, pa.string())), report)


@dataclasses.dataclass(frozen=True)
class _Settings:
    """What is read, and how."""

    opened: list[OpenedSource]
    column: str
    memory_mb: int
    drop_first_point: bool


class _UnreadError(Exception):
    """A row cannot be drawn, and there is no column for what it was."""


def _convert(settings: _Settings, target: Path, schema: pa.Schema, progress: Progress) -> ConvertSummary:
    """Write the file.

    Raises:
        _UnreadError: A row cannot be drawn, and the schema has no column for what it was.
    """
    sources = [one.source for one in settings.opened]
    done = ConvertSummary(layouts=named_layouts([one.strokes for one in settings.opened]))
    total = sum(source.rows for source in sources)
    try:
        with reserved(target) as aside, appears_whole(target, aside):
            rows = min(map(group_rows, sources))
            with EncodedFile(aside, with_job(schema, None), rows, str(target), may_be_huge=True) as file:
                for batch in _converted(settings, schema, done):
                    file.add(batch)
                    progress(done.rows, total)
            if done.bad and done.bad == done.rows:
                raise PenpalError(f"no row can be drawn, so nothing was written; the first: {done.first_problem}")
    except (OSError, pa.ArrowException) as error:
        raise_if_from_handler(error)
        raise PenpalError(f"{target}: cannot write it: {error}") from error
    return done


def _schema(found: pa.Schema, column: str) -> pa.Schema:
    """The columns of the output.

    Raises:
        PenpalError: The strokes are missing, or another column has their name in the output.
    """
    coordinates = coordinate_columns_of(found, column)
    if not coordinates:
        check_one_column(found, column)
    others = [field for field in found if field.name not in (column, *coordinates)]
    if any(field.name == STROKES for field in others):
        raise PenpalError(
            f"the column {column!r} would be written as {STROKES!r}, but there is another column {STROKES!r}; rename it"
        )
    added = [pa.field(name, kind) for name, kind in ORIGIN.items() if name not in found.names]
    metadata = {key: value for key, value in (found.metadata or {}).items() if key != HUGGING_FACE}
    return pa.schema([pa.field(STROKES, strokes_type(pa.float64())), *others, *added], metadata)


def _unread(strokes: pa.Array, problems: Mapping[int, str]) -> pa.Array:
    """The JSON of rows with problems, unless they are null."""
    texts: list[str | None] = [None] * len(strokes)
    for row in problems:
        texts[row] = json_of(strokes, row)
    return pa.array(texts, pa.string())


def _joined(given: pa.Array, unread: pa.Array, first: int, problems: Mapping[int, str]) -> pa.Array:
    """Put the JSON of rows that cannot be drawn into a column of the input with the name that this has in the output.

    Args:
        given: The input's column.
        unread: The JSON of rows that cannot be drawn.
        first: Number of the first row, for errors.
        problems: Why they cannot be drawn.

    Raises:
        PenpalError: The column holds something else where JSON would go.
    """
    holds_json = given.type == pa.string()
    lost = np.asarray(unread.is_valid()) & (np.asarray(given.is_valid()) | (not holds_json))
    if lost.any():
        row = int(lost.argmax())
        raise PenpalError(
            f"row {first + row}: its strokes cannot be drawn ({problems[row]}), and the column that would keep them, "
            f"{UNREAD!r}, is taken; rename that column"
        )
    return pc.coalesce(given, unread) if holds_json else given


def _converted(settings: _Settings, schema: pa.Schema, done: ConvertSummary) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the output, and count them."""
    with unchanged(one.source for one in settings.opened):
        for one in settings.opened:
            first = 0
            for given in one.batches(settings.memory_mb):
                rows = _output_rows(settings, one, given, first, schema, done)
                first += len(rows)
                done.rows += len(rows)
                yield rows


def _output_rows(
    settings: _Settings, opened: OpenedSource, given: Batch, first: int, schema: pa.Schema, done: ConvertSummary
) -> pa.RecordBatch:
    """Return rows of a source, from `first` on, as they are written, and count those that cannot be drawn.

    Raises:
        _UnreadError: A row cannot be drawn, and the schema has no column for what it was.
    """
    batch, column = opened.converted(given), settings.column
    found = nulls_as_strokes(batch.data.column(column))
    drawn = Rows(without_first_points(found) if settings.drop_first_point else found)
    problems = {row: text for row, _, _, text in drawn.problems()} | batch.problems
    if problems and done.first_problem is None:
        row = min(problems)
        done.first_problem = f"{opened.name}, row {first + row}: {problems[row]}"
    done.bad += len(problems)
    count = len(batch.data)
    origin = {
        "source_file": pa.repeat(opened.name, count),
        "source_row": pa.array(range(first, first + count), pa.int64()),
    }
    strokes = (column, *opened.strokes.coordinate_columns)
    kept = [index for index, name in enumerate(batch.data.schema.names) if name not in strokes]
    names = [batch.data.schema.names[index] for index in kept]
    others = [batch.data.column(index) for index in kept]
    added = [values for name, values in origin.items() if name not in names]
    unread = _unread(opened.strokes.given(given.data), problems)
    if UNREAD in names:
        place = names.index(UNREAD)
        with errors_about(opened.name):
            others[place] = _joined(others[place], unread, first, problems)
    elif UNREAD in schema.names:
        added.append(unread)
    elif unread.null_count < count:
        raise _UnreadError
    return pa.record_batch([pa.array(drawn.to_penpal()), *others, *added], schema=schema)
