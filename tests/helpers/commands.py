"""The command line, called within the process."""

from __future__ import annotations

from typer.testing import CliRunner

from penpal_fast.cli import app


def said(done):
    """What a command printed, on one line, without the frame around what is wrong usage."""
    return " ".join(done.output.replace("\u2502", " ").split())


def run(*arguments):
    """Run `penpal-fast` with these arguments."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])
