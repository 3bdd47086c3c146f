"""The command `penpal-fast score`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import counted, readable_errors, say, say_json, stopped_by_sigterm
from penpal_fast.cli.numpy_threads import no_numpy_threads
from penpal_fast.cli.progress import progress_bar
from penpal_fast.sources.memory import MEMORY_MB
from penpal_fast.startup import ending_at_once

if TYPE_CHECKING:
    from penpal_fast.jobs.outputs import StdoutFormat
    from penpal_fast.jobs.summary import JobSummary


def score(
    inputs: options.Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            callback=options.file_or_folder_name,
            help="File to write: .parquet, or .jsonl, also with .gz or .zst; an existing one is replaced. - is "
            "standard output. A name without an ending is a folder of parts.",
        ),
    ],
    column: options.Column = "strokes",
    layout: options.Layout = None,
    text: options.Text = None,
    reading: Annotated[
        bool, typer.Option("--reading", help="Also add what each row seems to say, and how surely.")
    ] = False,
    quality_column: options.QualityColumn = None,
    drop_first_point: options.DropFirstPoint = False,
    resume: options.Resume = False,
    stdout_format: options.Format = None,
    model: options.Model = None,
    reader: options.ReaderOption = None,
    backend: options.BackendOption = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    memory: options.Memory = MEMORY_MB,
    strict: options.Strict = False,
    json: options.Json = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Run `penpal-fast score`; see `COMMANDS` for the beginning of its help.

    --text adds `text_match`, whether the ink says the text, and `text_match_error`; --reading adds `reading` and
    `readability`. Without --text, no texts are compared.

    Exit codes: 0 if the output was written, 1 if not, 2 for wrong usage,
    3 for bad rows with --strict, 130 after Ctrl-C and 143 after SIGTERM.
    """
    with ending_at_once(), no_numpy_threads():
        from penpal_fast.jobs.score import score_dataset

    with readable_errors("--memory", "--batch-size"), stopped_by_sigterm(), options.logged(verbose=verbose):
        with progress_bar("scoring", shown=not quiet) as progress:
            summary = score_dataset(
                inputs,
                output,
                checks=options.checks_of(
                    model,
                    column,
                    backend,
                    threads,
                    batch_size,
                    text=text,
                    reading=reading,
                    reader=reader,
                    drop_first_point=drop_first_point,
                    quality_column=quality_column,
                ),
                column=column,
                layout=layout,
                resume=resume,
                stdout_format=cast("StdoutFormat | None", stdout_format),
                memory_mb=memory,
                progress=progress,
            )
        aside = options.is_stdout(output)
        if json:
            about_run = {"resumed_rows": summary.resumed_rows, "output": str(output)}
            say_json({**summary.as_dict(), **about_run}, aside=aside)
        elif not quiet:
            print_summary(summary, aside=aside)
            say(options.written(output), aside=aside)
        options.end_if_strict(sum(one.bad for one in summary.checks.values()), strict=strict)


def print_summary(summary: JobSummary, *, aside: bool) -> None:
    """Print the counts, reasons, quantiles and kept shares of each check."""
    show = functools.partial(say, aside=aside)
    for layout in summary.layouts:
        show(f"read as {layout}")
    if summary.resumed_rows:
        show(f"resumed: an earlier run had finished {summary.resumed_rows:,} of {summary.rows:,} rows")
    for name, one in summary.checks.items():
        about = f"{name}: " if len(summary.checks) > 1 else ""
        show(f"{about}{counted(one.rows, 'row')}, {one.scored:,} scored, {one.bad:,} bad")
        for reason, count in one.reasons.most_common():
            show(f"  {count:,} bad: {reason}")
        if one is summary and summary.first_problem:
            show(f"  the first: {summary.first_problem}")
        if one.scored:
            indent = "  " if about else f"{name}: "
            show(
                indent + ", ".join(f"{quantile} {value:.3f}" for quantile, value in one.quantiles().items()),
            )
        for threshold, share in one.kept().items():
            show(f"  {share:6.1%} at or above {one.thresholds[threshold]} ({threshold})")
