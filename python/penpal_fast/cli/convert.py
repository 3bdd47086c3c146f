"""The command `penpal-fast convert`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import counted, readable_errors, say, say_json, stopped_by_sigterm, warn
from penpal_fast.cli.progress import progress_bar
from penpal_fast.sources.memory import MEMORY_MB
from penpal_fast.startup import ending_at_once


def convert(
    inputs: options.Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", callback=options.parquet_name, help="Parquet file to write; an existing one is replaced."
        ),
    ],
    column: options.Column = "strokes",
    layout: options.Layout = None,
    each_path: Annotated[
        bool, typer.Option("--each-path", help="Make a row of each path of an SVG file, not of the whole drawing.")
    ] = False,
    drop_first_point: Annotated[bool, typer.Option("--drop-first-point", help=options.DROPPED_POINT)] = False,
    memory: options.Memory = MEMORY_MB,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run `penpal-fast convert`; see `COMMANDS` for the beginning of its help.

    Rows that cannot be drawn have null strokes, and stand in `strokes_json` as they were; the first is named. If there
    are no others, nothing is written.
    """
    with ending_at_once():
        from penpal_fast.jobs.convert import convert_dataset

    with readable_errors("--memory"), stopped_by_sigterm(), options.logged(verbose=False):
        with progress_bar("converting", shown=not quiet) as progress:
            done = convert_dataset(
                inputs,
                output,
                column=column,
                each_path=each_path,
                layout=layout,
                drop_first_point=drop_first_point,
                memory_mb=memory,
                progress=progress,
            )
        if json:
            say_json({**dataclasses.asdict(done), "output": str(output)})
        elif not quiet:
            for found in done.layouts:
                say(f"read as {found}")
            say(f"wrote {counted(done.rows, 'row')} to {output}")
        if done.bad and not json:
            warn(f"{done.bad:,} of {done.rows:,} rows cannot be drawn; the first: {done.first_problem}")
        options.end_if_strict(done.bad, strict=strict)
