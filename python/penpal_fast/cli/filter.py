"""The command `penpal-fast filter`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.checks.thresholds import BROKEN_BELOW, THRESHOLDS, threshold_of
from penpal_fast.cli import options
from penpal_fast.cli.console import progress_bar, readable_errors, say, say_json, stopped_by_sigterm
from penpal_fast.errors import PenpalError
from penpal_fast.jobs.filter import Selection, filter_dataset
from penpal_fast.sources.memory import MEMORY_MB
from penpal_fast.sources.names import PARQUET_SUFFIXES

NAMES = ", ".join(f"{name} ({number})" for name, number in THRESHOLDS.items())


def _threshold(text: str) -> float:
    try:
        return threshold_of(text)
    except PenpalError as error:
        raise typer.BadParameter(str(error)) from error


def _parquet(path: Path | None) -> Path | None:
    if path is not None and not path.name.lower().endswith(PARQUET_SUFFIXES):
        raise typer.BadParameter(f"{path}: the output is a Parquet file; its name must end with {PARQUET_SUFFIXES[0]}")
    return path


def filter_rows(
    inputs: options.Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            callback=_parquet,
            help="Parquet file for the kept rows; an existing file is replaced.",
        ),
    ],
    threshold: Annotated[
        float,
        typer.Option(
            parser=_threshold,
            metavar="NUMBER|NAME",
            help=f"Keep rows with at least this score: 0 to 1, {NAMES}. Clean generated rows score about a third: "
            f"{BROKEN_BELOW} drops broken rows, balanced keeps rows that could be real.",
        ),
    ] = "balanced",  # type: ignore[assignment]
    keep_rejected: Annotated[
        Path | None,
        typer.Option(callback=_parquet, help="Parquet file for all other rows; an existing file is replaced."),
    ] = None,
    column: options.Column = "strokes",
    rescore: Annotated[
        bool,
        typer.Option("--rescore", help="Score again even if there is a column `quality`; --model implies this."),
    ] = False,
    model: options.Model = None,
    backend: options.BackendOption = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    memory: options.Memory = MEMORY_MB,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Keep rows that score at or above a threshold. Inputs without a column `quality` are scored first.

    The exit codes are the same as for `score`.
    """
    with readable_errors(), stopped_by_sigterm(), options.logged(verbose=False):
        with progress_bar("filtering", shown=not quiet) as progress:
            selection = filter_dataset(
                inputs,
                output,
                threshold=threshold,
                keep_rejected=keep_rejected,
                checks=options.checks_of(model, column, backend, threads, batch_size),
                column=column,
                rescore=rescore or model is not None,
                memory_mb=memory,
                progress=progress,
            )
        if json:
            say_json({**selection.as_dict(), "threshold": threshold, "output": str(output)})
        elif not quiet:
            print_selection(selection)
            say(f"wrote {output}{f' and {keep_rejected}' if keep_rejected else ''}")
        options.end_if_strict(selection.bad, strict=strict)


def print_selection(selection: Selection) -> None:
    """Print the counts and the reasons."""
    say(f"{selection.rows:,} rows, {selection.kept:,} kept, {selection.rows - selection.kept:,} rejected")
    for reason, count in selection.rejected.most_common():
        say(f"  {count:,} rejected: {reason}")
