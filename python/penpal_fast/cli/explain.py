"""The command `penpal-fast explain`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.errors import PenpalError, UsageError
from penpal_fast.startup import ending_at_once


def explain(
    source: Annotated[str, typer.Argument(metavar="INPUT", help=f"{options.ONE_INPUT} of them.")],
    row: Annotated[int, typer.Option(help="Number of the row, from 0.", min=0)],
    text: options.Text = None,
    says: Annotated[str | None, typer.Option(help="What the row should say, instead of a column.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", callback=options.html_name, help="HTML file to write, with the row drawn."),
    ] = None,
    column: options.Column = "strokes",
    layout: options.Layout = None,
    drop_first_point: options.DropFirstPoint = False,
    model: options.Model = None,
    reader: options.ReaderOption = None,
) -> None:
    """Run `penpal-fast explain`; see `COMMANDS` for the beginning of its help."""
    with ending_at_once():
        from penpal_fast.checks.quality import Scorer
        from penpal_fast.first_points import without_first_points
        from penpal_fast.look.explanation import explained, with_reading
        from penpal_fast.look.explanation_lines import effect_lines, misfit_lines, summary_lines
        from penpal_fast.look.explanation_page import write_page
        from penpal_fast.look.outputs import check_output
        from penpal_fast.look.row_reading import read_row
        from penpal_fast.reading.alphabet import NO_TEXT
        from penpal_fast.reading.reader import Reader
        from penpal_fast.schema import texts_of
        from penpal_fast.sources.one_row import one_row
        from penpal_fast.strokes import words_of

    with readable_errors(), stopped_by_sigterm():
        if text is not None and says is not None:
            raise UsageError("give --text or --says, not both")
        if output is not None:
            check_output(output, source)
        batch = one_row(source, row, column, text=text, layout=layout)
        if text is not None:
            says = texts_of(batch.column(text))[0]
        strokes = without_first_points(batch.column(column)) if drop_first_point else batch.column(column)
        try:
            words = words_of(strokes[0])
        except PenpalError as error:
            raise PenpalError(f"{source}, row {row}: {error.problem}") from error
        found = read_row(Reader(reader), words, says)
        if says is None and text is not None and found.problem is None:
            found = dataclasses.replace(found, text_problem=NO_TEXT)
        explanation = with_reading(explained(words, Scorer(model)), says, found)
        title = f"{source}, row {row}"
        summary = summary_lines(explanation, found)
        say(f"{title}: quality {explanation.score:.3f}")
        if explanation.note is not None:
            say(explanation.note)
        for line in [*summary, *effect_lines(explanation, len(words)), *misfit_lines(explanation)]:
            say(line)
        if output is not None:
            # The drawing's caption has the match.
            notes = summary if explanation.match is None else []
            write_page(explanation, output, title=title, words=len(words), notes=notes)
            say(f"wrote {output}; open it in a browser")
