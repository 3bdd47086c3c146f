"""The command `penpal-fast render`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.errors import PenpalError
from penpal_fast.startup import ending_at_once


def render(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help=f"{options.ONE_INPUT} of them.")],
    row: Annotated[int, typer.Option(help="Number of the row, from 0.", min=0)],
    output: Annotated[Path, typer.Option("--output", "-o", callback=options.png_name, help="PNG file to write.")],
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: Annotated[bool, typer.Option("--drop-first-point", help=options.DROPPED_POINT)] = False,
) -> None:
    """Run `penpal-fast render`; see `COMMANDS` for the beginning of its help."""
    with ending_at_once():
        from penpal_fast.first_points import without_first_points
        from penpal_fast.look.outputs import check_output
        from penpal_fast.look.picture import picture_of, save_png
        from penpal_fast.rendering import render_strokes
        from penpal_fast.sources.one_row import one_row

    with readable_errors(), stopped_by_sigterm():
        check_output(output, source)
        found = one_row(source, row, column, layout=layout).column(column)
        strokes = (without_first_points(found) if drop_first_point else found)[0]
        try:
            canvas = render_strokes(strokes)
        except PenpalError as error:
            raise PenpalError(f"{source}, row {row}: {error.problem}") from error
        save_png(picture_of(canvas), output)
        say(f"wrote {output}")
