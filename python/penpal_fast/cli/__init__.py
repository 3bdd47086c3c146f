"""The command `penpal-fast`: each of its commands is a module, which is imported when the command is called."""

from __future__ import annotations

from typing import Annotated

import typer

from penpal_fast.cli.commands import Commands

app = typer.Typer(
    cls=Commands,
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
        from penpal_fast.cli.console import readable_errors, say

        with readable_errors():
            say(__version__)
        raise typer.Exit
