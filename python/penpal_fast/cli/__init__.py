"""The command `penpal-fast`: each of its commands is a module."""

from __future__ import annotations

from typing import Annotated

import typer

from penpal_fast.cli.console import say
from penpal_fast.cli.convert import convert
from penpal_fast.cli.evaluate import evaluate
from penpal_fast.cli.explain import explain
from penpal_fast.cli.filter import filter_rows
from penpal_fast.cli.read import read
from penpal_fast.cli.render import render
from penpal_fast.cli.report import report
from penpal_fast.cli.score import score
from penpal_fast.cli.serve import serve
from penpal_fast.cli.sheet import sheet
from penpal_fast.cli.synthesize import synthesize
from penpal_fast.cli.train import train
from penpal_fast.cli.train_reader import train_reader

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def main_options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Score rows of pen strokes by handwriting quality, from 0 (corrupted) to 1 (legible, human-looking)."""
    if version:
        from penpal_fast import __version__

        say(__version__)
        raise typer.Exit


app.command()(score)
app.command("filter")(filter_rows)
app.command()(read)
app.command()(convert)
app.command()(render)
app.command()(synthesize)
app.command()(train)
app.command("train-reader")(train_reader)
app.command()(evaluate)
app.command()(report)
app.command()(sheet)
app.command()(explain)
app.command()(serve)
