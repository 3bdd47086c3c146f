"""The command `penpal-fast report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli.console import Column, Model, progress_bar, readable_errors, say
from penpal_fast.errors import PenpalError


def report(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="SCORED...", help="Files that `penpal-fast score` wrote, side by side.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="HTML file to write; replaced if it is there.")],
    by: Annotated[
        str | None,
        typer.Option(help="Column to group rows by; by default source, author, writer or style, where there is one."),
    ] = None,
    column: Column = "strokes",
    model: Model = None,
) -> None:
    """Write one page about scored files: what each threshold keeps, quantiles, bad rows, and lines to look at."""
    with readable_errors():
        from penpal_fast.cli.options import checks_of
        from penpal_fast.look.report.writing import write_report

        if output.suffix.lower() not in (".html", ".htm"):
            raise PenpalError(f"{output}: the report is a page; its name must end with .html")
        with progress_bar("reading") as progress:
            checks = checks_of(model, column)
            write_report(inputs, output, checks=checks, column=column, group_column=by, progress=progress)
        say(f"wrote {output}: {output.stat().st_size / 1e6:.1f} MB; open it in a browser")
