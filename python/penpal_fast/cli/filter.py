"""The command `penpal-fast filter`."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from penpal_fast.checks.thresholds import GOOD_SHARE, THRESHOLDS, checked_top, threshold_of
from penpal_fast.cli import options
from penpal_fast.cli.console import counted, readable_errors, say, say_json, stopped_by_sigterm, wrong_value
from penpal_fast.cli.numpy_threads import no_numpy_threads
from penpal_fast.cli.progress import progress_bar
from penpal_fast.sources.memory import MEMORY_MB
from penpal_fast.startup import ending_at_once

if TYPE_CHECKING:
    from penpal_fast.jobs.outputs import StdoutFormat
    from penpal_fast.jobs.selection import Selection

NAMES = ", ".join(f"{name} ({number})" for name, number in THRESHOLDS.items())


def _threshold(text: str) -> float:
    with wrong_value():
        return threshold_of(text)


def _top(text: str) -> int | float:
    """Read a number of rows, or a share with a point."""
    try:
        top: int | float = int(text) if text.isdecimal() else float(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is neither a number of rows nor a share, such as 0.2") from error
    with wrong_value():
        checked_top(top)
    return top


def filter_rows(
    inputs: options.Inputs,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            callback=options.file_name,
            help="File for the kept rows: .parquet, or .jsonl, also with .gz or .zst; an existing one is replaced. - "
            "is standard output.",
        ),
    ],
    threshold: Annotated[
        float | None,
        typer.Option(
            parser=_threshold,
            metavar="NUMBER|NAME",
            help=f"Keep rows with at least this score: 0 to 1, {NAMES}. The default, lenient, drops broken rows and "
            "keeps 95 % of clean generated rows; above it, rows must look human too.",
        ),
    ] = None,
    keep_good: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File or folder of rows that are known to be good: the threshold is set to keep --share of them, in "
            "place of --threshold. With --text, so is that of the match unless --text-threshold is given.",
        ),
    ] = None,
    share: Annotated[
        float | None, typer.Option(help=f"Share of the good rows that each threshold keeps; {GOOD_SHARE} by default.")
    ] = None,
    text_threshold: Annotated[
        float | None,
        typer.Option(
            parser=_threshold,
            metavar="NUMBER|NAME",
            help="Of these rows, keep those whose ink says their text with at least this match: balanced keeps 95 % of "
            "clean generated rows. By default texts are not compared, or with --text by balanced.",
        ),
    ] = None,
    top: Annotated[
        str | None,
        typer.Option(
            parser=_top,
            metavar="SHARE|ROWS",
            help="Keep the rows with the highest scores: 0.2 is a fifth of those that have a score, 10000 that many. "
            "They must reach --threshold too if it is given.",
        ),
    ] = None,
    best_of: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Of the rows that share a value in this column, such as the prompt, and reach the thresholds, keep "
            "only the one with the highest product of quality and match.",
        ),
    ] = None,
    keep_rejected: Annotated[
        Path | None,
        typer.Option(callback=options.second_file_name, help="File for all other rows, named as --output."),
    ] = None,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    text: Annotated[
        str | None,
        typer.Option(
            help="Name of the column of texts; by default that of the inputs' `text_match`, or else `text` if needed."
        ),
    ] = None,
    quality_column: options.QualityColumn = None,
    rescore: Annotated[
        bool,
        typer.Option(
            "--rescore", help="Score again even if there are scores; --model and --reader imply this for theirs."
        ),
    ] = False,
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
) -> None:
    """Run `penpal-fast filter`; see `COMMANDS` for the beginning of its help.

    Inputs without these columns are scored first. --threshold 0 keeps every row that has a quality. --keep-good finds
    the thresholds from rows that are known to be good, and prints them.

    The exit codes are the same as for `score`.
    """
    with ending_at_once(), no_numpy_threads():
        from penpal_fast.checks.quality import QualityCheck
        from penpal_fast.checks.text_match import TextCheck
        from penpal_fast.jobs.filter import filter_dataset

    with readable_errors("--memory", "--batch-size"), stopped_by_sigterm(), options.logged(verbose=False):
        with progress_bar("filtering", shown=not quiet, passes=bool(top or best_of)) as progress:
            # Older scores of a model that is named do not count.
            named = ((quality_column or QualityCheck.name, model), (TextCheck.name, reader))
            compares = text is not None or text_threshold is not None
            selection = filter_dataset(
                inputs,
                output,
                threshold=threshold,
                text_threshold=text_threshold,
                keep_good=keep_good,
                share=share,
                top=cast("int | float | None", top),
                best_of=best_of,
                keep_rejected=keep_rejected,
                scorer=options.scorer_of(model, backend, threads, batch_size),
                column=column,
                layout=layout,
                text=text,
                reader=options.reader_of(reader, backend, threads, batch_size) if compares else reader,
                drop_first_point=drop_first_point,
                quality_column=quality_column,
                rescore=rescore or [name for name, given in named if given is not None],
                resume=resume,
                stdout_format=cast("StdoutFormat | None", stdout_format),
                memory_mb=memory,
                progress=progress,
            )
        aside = options.is_stdout(output)
        if json:
            limits = {
                "threshold": selection.thresholds[quality_column or QualityCheck.name],
                "text_threshold": selection.thresholds.get(TextCheck.name),
            }
            about_run = {"resumed_rows": selection.resumed_rows, "output": str(output)}
            say_json({**selection.as_dict(), **limits, **about_run}, aside=aside)
        elif not quiet:
            print_selection(selection, best_of, aside=aside)
            say(f"{options.written(output)}{f' and {keep_rejected}' if keep_rejected else ''}", aside=aside)
        options.end_if_strict(selection.bad, strict=strict)


def print_selection(selection: Selection, best_of: str | None, *, aside: bool) -> None:
    """Print the thresholds that were found, the counts and the reasons."""
    show = functools.partial(say, aside=aside)
    for layout in selection.layouts:
        show(f"read as {layout}")
    if selection.resumed_rows:
        show(f"resumed: an earlier run had finished {selection.resumed_rows:,} of {selection.rows:,} rows")
    for name, found in selection.found.items():
        show(f"{name}: the threshold {found.shown()} keeps {found.kept:.1%} of {found.rows:,} good rows")
    show(f"{counted(selection.rows, 'row')}, {selection.kept:,} kept, {selection.rows - selection.kept:,} rejected")
    for reason, count in (+selection.rejected).most_common():
        show(f"  {count:,} rejected: {reason}")
    if selection.first_problem:
        show(f"  the first row without a score: {selection.first_problem}")
    if selection.groups is not None:
        without = selection.groups - selection.kept
        show(f"{counted(selection.groups, 'group')} by {best_of}, {without:,} without a kept row")
