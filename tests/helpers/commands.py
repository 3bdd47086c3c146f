"""The command line, called within the process."""

from __future__ import annotations

from typer.testing import CliRunner

from penpal_fast.cli import app


def run(*arguments):
    """Run `penpal-fast` with these arguments."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
