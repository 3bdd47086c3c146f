"""What rows seem to say, in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from penpal_fast.errors import errors_about
from penpal_fast.first_points import without_first_points
from penpal_fast.jobs.opened import opened_sources
from penpal_fast.reading.reader import Reader
from penpal_fast.schema import check_text_column, texts_of
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.inputs import Inputs
from penpal_fast.sources.memory import batch_rows
from penpal_fast.sources.streams import open_sources

BATCH_ROWS = 256
"""Rows that are read at a time, so that the first ones come soon."""

Row = dict[str, Any]


def read_inputs(
    inputs: Inputs,
    reader: Reader,
    column: str,
    layout: str | None,
    text: str | None,
    memory_mb: int,
    limit: int | None,
    *,
    drop_first_point: bool,
) -> Iterator[list[Row]]:
    """Yield the readings of rows, in batches.

    Args:
        inputs: Files, folders, globs and addresses on the hub.
        reader: What reads the rows.
        column: Name of the strokes column.
        layout: Name of the strokes' layout; None for what the files seem to have.
        text: Name of the column of texts to compare the rows with; None for no match.
        memory_mb: Approximate memory for rows in progress, in megabytes.
        limit: Number of rows to read, from the first; None for all.
        drop_first_point: Whether rows are read as `without_first_points` returns them.

    Yields:
        For each row its number `row`, from 0 over all inputs, its `reading` and `readability`; with texts also
        `text_match` and `text`; and where there is a problem, `error`.
    """
    sources = open_sources(inputs, column, Options(layout=layout))
    opened = opened_sources(sources, column, layout)
    with errors_about(sources[0].file.name):
        if text is not None:
            check_text_column(sources[0].schema, text)
    first = 0
    for one in opened:
        size = min(batch_rows(memory_mb, one.source), BATCH_ROWS)
        names = one.strokes.coordinate_columns or [column]
        for batch in one.source.batches(size, columns=names if text is None else [*names, text]):
            left = len(batch.data) if limit is None else min(limit - first, len(batch.data))
            if left <= 0:
                return
            cut = one.converted(batch.cut(0, left))
            strokes = cut.data.column(column)
            strokes = without_first_points(strokes) if drop_first_point else strokes
            yield _read_rows(cut, strokes, reader, text, first)
            first += left


def _read_rows(batch: Batch, strokes: pa.Array, reader: Reader, text: str | None, first: int) -> list[Row]:
    texts = None if text is None else texts_of(batch.data.column(text))
    found = reader.outcome(strokes, texts)
    problems = {**(found.text_problems if texts is not None else {}), **found.problems, **batch.problems}
    rows: list[Row] = []
    for index, (reading, readability) in enumerate(zip(found.readings, found.readability.tolist(), strict=True)):
        bad = reading is None
        row: Row = {"row": first + index, "reading": reading, "readability": None if bad else readability}
        if texts is not None:
            match = float(found.match[index])
            row |= {"text_match": None if match != match else match, "text": texts[index]}
        rows.append(row if index not in problems else {**row, "error": problems[index]})
    return rows
