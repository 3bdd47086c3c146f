"""The command `penpal-fast report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.cli.progress import progress_bar
from penpal_fast.startup import ending_at_once


def report(
    inputs: Annotated[
        list[Path],
        typer.Argument(metavar="SCORED...", help="Files that `penpal-fast score` wrote; with --text, any rows."),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", callback=options.html_name, help="HTML file to write; an existing file is replaced."
        ),
    ],
    by: Annotated[
        str | None,
        typer.Option(help="Column to group rows by; by default the first of source, author, writer and style."),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Column of texts: files that lack scores or the text match are scored while they are read. "
            "By default the texts that a file was scored with."
        ),
    ] = None,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    model: options.Model = None,
    reader: options.ReaderOption = None,
) -> None:
    """Run `penpal-fast report`; see `COMMANDS` for the beginning of its help.

    If there are two scores, such as quality and text_match, a map shows them together.
    """
    with ending_at_once():
        from penpal_fast.look.report.writing import write_report
        from penpal_fast.schema import TEXT_COLUMN

    with readable_errors(), stopped_by_sigterm():
        compared = text if reader is None else text or TEXT_COLUMN
        checks = options.checks_of(model, column, text=compared, reader=reader)
        with progress_bar("reading") as progress:
            write_report(
                inputs,
                output,
                checks=checks,
                column=column,
                group_column=by,
                text=text,
                drop_first_point=drop_first_point,
                layout=layout,
                progress=progress,
            )
        say(f"wrote {output}: {output.stat().st_size / 1e6:.1f} MB; open it in a browser")
