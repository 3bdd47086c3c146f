"""The command `penpal-fast read`."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer

from penpal_fast.checks.defaults import reader_checks
from penpal_fast.cli import options
from penpal_fast.cli.console import progress_bar, readable_errors, say, stopped_by_sigterm, visible
from penpal_fast.errors import PenpalError, errors_about
from penpal_fast.first_points import without_first_points
from penpal_fast.jobs.score import score_dataset
from penpal_fast.reading.reader import Reader
from penpal_fast.schema import check_text_column, texts_of
from penpal_fast.sources.batch import Batch
from penpal_fast.sources.drawn import drawn_batch, strokes_columns
from penpal_fast.sources.formats.format import Options
from penpal_fast.sources.memory import MEMORY_MB, batch_rows
from penpal_fast.sources.streams import open_sources

PRINTED_ROWS = 256
"""Rows that are read and printed at a time, so that the first ones come soon."""

Row = dict[str, Any]


def read(
    inputs: options.Inputs,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            callback=options.parquet_name,
            help="Parquet file to write, with all columns and the readings, instead of printing them.",
        ),
    ] = None,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    text: options.Text = None,
    limit: Annotated[int | None, typer.Option(help="Print only the first rows, this many.", min=0)] = None,
    resume: options.Resume = False,
    reader: options.ReaderOption = None,
    backend: options.BackendOption = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    memory: options.Memory = MEMORY_MB,
    json: Annotated[bool, typer.Option("--json", help="Print each row as a JSON object.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Print what the ink of each row seems to say: the row's number, from 0 over all inputs, a tab and the reading.

    With --text, also the match, from 0 to 1, and the text. A bad row has its problem in brackets. With --output, a file
    is written as by `score --reading`, without `quality`.
    """
    with readable_errors(), stopped_by_sigterm(), options.logged(verbose=False):
        loaded = options.reader_of(reader, backend, threads, batch_size)
        if output is None:
            if resume:
                raise PenpalError("--resume is for --output; add it, or leave --resume out")
            rows = _rows(inputs, loaded, column, layout, text, memory, limit, drop_first_point=drop_first_point)
            _print_rows(rows, as_json=json)
            return
        if limit is not None or json:
            raise PenpalError("--limit and --json are for printing; leave them out, or leave --output out")
        with progress_bar("reading", shown=not quiet) as progress:
            summary = score_dataset(
                inputs,
                output,
                checks=reader_checks(
                    text=text, reading=True, reader=loaded, column=column, drop_first_point=drop_first_point
                ),
                column=column,
                layout=layout,
                resume=resume,
                memory_mb=memory,
                progress=progress,
            )
        if not quiet:
            say(f"wrote {output}: {summary.rows:,} rows, {summary.bad:,} bad")


def _rows(
    inputs: list[str],
    reader: Reader,
    column: str,
    layout: str | None,
    text: str | None,
    memory: int,
    limit: int | None,
    *,
    drop_first_point: bool,
) -> Iterator[list[Row]]:
    """Yield what is printed of the rows, in batches."""
    sources = open_sources(inputs, column, Options(layout=layout))
    read = strokes_columns(sources, column, layout)
    columns = [column] if text is None else [column, text]
    with errors_about(sources[0].file.name):
        if text is not None:
            check_text_column(sources[0].schema, text)
    first = 0
    for source, found in zip(sources, read, strict=True):
        size = min(batch_rows(memory, source), PRINTED_ROWS)
        for batch in source.batches(size, columns=columns):
            left = len(batch.data) if limit is None else min(limit - first, len(batch.data))
            if left <= 0:
                return
            cut = drawn_batch(batch.cut(0, left), found)
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


def _print_rows(batches: Iterator[list[Row]], *, as_json: bool) -> None:
    line = json_text.dumps if as_json else _line
    for rows in batches:
        typer.echo("".join(f"{line(row)}\n" for row in rows), nl=False)


def _line(row: Row) -> str:
    """Put a row on a line, with tabs between its values."""
    reading = f"[{row['error']}]" if row["reading"] is None else row["reading"]
    values = [str(row["row"]), reading]
    if "text" in row:
        match = row["text_match"]
        values += ["" if match is None else f"{match:.2f}", row["text"] or ""]
    return "\t".join(visible(value).replace("\n", "\\n") for value in values)
