"""The command `penpal-fast read`."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import counted, readable_errors, say, say_lines, stopped_by_sigterm, visible
from penpal_fast.cli.progress import progress_bar
from penpal_fast.errors import UsageError
from penpal_fast.sources.memory import MEMORY_MB
from penpal_fast.startup import ending_at_once

if TYPE_CHECKING:
    from penpal_fast.jobs.outputs import StdoutFormat
    from penpal_fast.jobs.readings import Row


def read(
    inputs: options.Inputs,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            callback=options.file_or_folder_name,
            help="Output as of `score`, with all columns and the readings, instead of printing them.",
        ),
    ] = None,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    text: options.Text = None,
    limit: Annotated[int | None, typer.Option(help="Print only the first rows, this many.", min=0)] = None,
    resume: options.Resume = False,
    stdout_format: options.Format = None,
    reader: options.ReaderOption = None,
    backend: options.BackendOption = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    memory: options.Memory = MEMORY_MB,
    json: Annotated[bool, typer.Option("--json", help="Print each row as a JSON object.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Run `penpal-fast read`; see `COMMANDS` for the beginning of its help.

    With --text, also the match, from 0 to 1, and the text. A bad row has its problem in brackets. With --output, a file
    is written as by `score --reading`, without `quality`.
    """
    with ending_at_once():
        from penpal_fast.checks.defaults import reader_checks
        from penpal_fast.jobs.readings import read_inputs
        from penpal_fast.jobs.score import score_dataset

    with readable_errors("--memory", "--batch-size"), stopped_by_sigterm(), options.logged(verbose=False):
        _check_usage(output, limit=limit, json=json, resume=resume, stdout_format=stdout_format)
        loaded = options.reader_of(reader, backend, threads, batch_size)
        if output is None:
            rows = read_inputs(inputs, loaded, column, layout, text, memory, limit, drop_first_point=drop_first_point)
            _print_rows(rows, as_json=json)
            return
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
                stdout_format=cast("StdoutFormat | None", stdout_format),
                memory_mb=memory,
                progress=progress,
            )
        if not quiet:
            say(
                f"{options.written(output)}: {counted(summary.rows, 'row')}, {summary.bad:,} bad",
                aside=options.is_stdout(output),
            )


def _check_usage(
    output: Path | None, *, limit: int | None, json: bool, resume: bool, stdout_format: str | None
) -> None:
    """Make sure that the options are for what is asked for: to print rows, or to write them."""
    if output is not None:
        if limit is not None or json:
            raise UsageError("--limit and --json are for printing; leave them out, or leave --output out")
    elif resume:
        raise UsageError("--resume is for --output; add it, or leave --resume out")
    elif stdout_format is not None:
        raise UsageError("--format is for -o -; add it, or leave --format out")


def _print_rows(batches: Iterator[list[Row]], *, as_json: bool) -> None:
    line = json_text.dumps if as_json else _line
    for rows in batches:
        say_lines(map(line, rows))


def _line(row: Row) -> str:
    """Put a row on a line, with tabs between its values."""
    reading = f"[{row['error']}]" if row["reading"] is None else row["reading"]
    values = [str(row["row"]), reading]
    if "text" in row:
        match = row["text_match"]
        values += ["" if match is None else f"{match:.2f}", row["text"] or ""]
    return "\t".join(visible(value).replace("\n", "\\n") for value in values)
