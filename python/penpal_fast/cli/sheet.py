"""The command `penpal-fast sheet`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.cli.progress import progress_bar
from penpal_fast.startup import ending_at_once


def sheet(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help=f"{options.ONE_INPUT} of them; scored or not.")],
    output: Annotated[Path, typer.Option("--output", "-o", callback=options.png_name, help="PNG file to write.")],
    rows: Annotated[int, typer.Option(help="Rows to show, chosen evenly by rank.", min=1, max=600)] = 48,
    columns: Annotated[int, typer.Option(help="Rows side by side.", min=1, max=12)] = 3,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    model: options.Model = None,
) -> None:
    """Run `penpal-fast sheet`; see `COMMANDS` for the beginning of its help."""
    with ending_at_once():
        from penpal_fast.look.outputs import check_output
        from penpal_fast.look.picture import save_png
        from penpal_fast.look.sheet import band_counts, chosen_rows, drawn_sheet
        from penpal_fast.look.sheet_rows import SheetRows

    with readable_errors(), stopped_by_sigterm():
        check_output(output, source)
        with progress_bar("reading", passes=True) as progress:
            read = SheetRows(source, column, layout, progress, drop_first_point=drop_first_point)
            scores, thresholds = read.scores(
                lambda: options.checks_of(model, column, drop_first_point=drop_first_point)[0], again=model is not None
            )
            cells = read.cells(scores, chosen_rows(scores, rows))
        save_png(drawn_sheet(cells, band_counts(scores, thresholds), columns, thresholds), output)
        say(f"wrote {output}: {len(cells)} of {len(scores):,} rows")
