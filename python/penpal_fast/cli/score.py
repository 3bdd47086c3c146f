"""The command `penpal-fast score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli.console import Column, Model, progress_bar, readable_errors, say, say_json, stopped_by_sigterm
from penpal_fast.cli.options import (
    BackendOption,
    BatchSize,
    Inputs,
    Json,
    Memory,
    Quiet,
    Strict,
    Threads,
    Verbose,
    checks_of,
    end_if_strict,
    logged,
)
from penpal_fast.jobs.score import score_dataset
from penpal_fast.jobs.summary import JobSummary
from penpal_fast.sources.memory import MEMORY_MB


def score(
    inputs: Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="File to write if the name ends with .parquet or .pq, replaced if it is there; else folder of parts.",
        ),
    ],
    column: Column = "strokes",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what an interrupted run left, if anything.")
    ] = False,
    model: Model = None,
    backend: BackendOption = "auto",
    threads: Threads = None,
    batch_size: BatchSize = None,
    memory: Memory = MEMORY_MB,
    strict: Strict = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Score every row: all columns are kept, `quality` and `quality_error` are added or replaced.

    Ends with 0 if the output was written, 1 if not, 2 on wrong usage, 3 if --strict was given and rows were bad,
    130 on Ctrl-C and 143 on SIGTERM.
    """
    with readable_errors(), stopped_by_sigterm(), logged(verbose=verbose):
        with progress_bar("scoring", shown=not quiet) as progress:
            summary = score_dataset(
                inputs,
                output,
                checks=checks_of(model, column, backend, threads, batch_size),
                column=column,
                resume=resume,
                memory_mb=memory,
                progress=progress,
            )
        if json:
            say_json({**summary.as_dict(), "output": str(output)})
        elif not quiet:
            print_summary(summary)
            say(f"wrote {output}")
        end_if_strict(summary.bad, strict=strict)


def print_summary(summary: JobSummary) -> None:
    """Print counts, reasons, quantiles and the shares kept, of each check."""
    for name, one in summary.checks.items():
        say(f"{one.rows:,} rows, {one.scored:,} scored, {one.bad:,} bad")
        for reason, count in one.reasons.most_common():
            say(f"  {count:,} bad: {reason}")
        if one.scored:
            say(f"{name}: " + ", ".join(f"{quantile} {value:.3f}" for quantile, value in one.quantiles().items()))
        for threshold, share in one.kept().items():
            say(f"  {share:6.1%} at or above {one.thresholds[threshold]} ({threshold})")
