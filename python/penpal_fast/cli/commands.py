"""The commands of `penpal-fast`: a list for its help, and the command that is called, whose module alone is imported.

Modules of all commands, and their options, would take longer than the rest of `penpal-fast --help`.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from penpal_fast.cli import light_help
from penpal_fast.cli.console import readable_errors, writing_to
from penpal_fast.cli.plain_values import quick


class Listed(NamedTuple):
    """A command before it is imported.

    Attributes:
        module: Its module in `penpal_fast.cli`.
        function: Its function there.
        summary: The first paragraph of its help; others are in the function's docstring.
    """

    module: str
    function: str
    summary: str


COMMANDS = {
    "score": Listed(
        "score",
        "score",
        "Score every row. The output has all columns of the input, and `quality`, `quality_error` and `quality_note`.",
    ),
    "filter": Listed(
        "filter",
        "filter_rows",
        "Keep rows that reach --threshold with `quality` and, if it is given, --text-threshold with `text_match`.",
    ),
    "read": Listed(
        "read",
        "read",
        "Print what the ink of each row seems to say: the row's number, from 0 over all inputs, a tab and the reading.",
    ),
    "convert": Listed(
        "convert",
        "convert",
        "Write rows of any known format as a Parquet file: strokes, text where there is one, source file and row.",
    ),
    "render": Listed(
        "render",
        "render",
        "Draw one row as the network sees it, but black on white; for the network, ink is 1 and the background 0.",
    ),
    "synthesize": Listed(
        "synthesize",
        "synthesize",
        "Make clean or corrupted handwriting. Each row has 1 to `--longest` neighbouring words of a text.",
    ),
    "train": Listed(
        "train",
        "train",
        "Train a model: make rows, train, calibrate and measure. The same command resumes an interrupted run.",
    ),
    "train-reader": Listed(
        "train_reader",
        "train_reader",
        "Train a reader: make lines, train, calibrate and evaluate. The same command resumes an interrupted run.",
    ),
    "evaluate": Listed(
        "evaluate",
        "evaluate",
        "Measure how well a model separates real, clean synthetic and corrupted rows, and junk made from real rows.",
    ),
    "report": Listed(
        "report",
        "report",
        "Write a page about scored files: what each threshold keeps, quantiles, bad rows, and rows to look at.",
    ),
    "sheet": Listed(
        "sheet",
        "sheet",
        "Draw one picture of rows sorted by score. A file without scores is scored first.",
    ),
    "explain": Listed(
        "explain",
        "explain",
        "Say what each word of a row does to its score, what the row reads, and which letters do not fit its text.",
    ),
    "serve": Listed(
        "serve",
        "serve",
        "Serve a page on this machine where you draw a row and see its score, and what it reads, as you draw.",
    ),
}
"""The commands by name, in the order of the help."""


class _Quick:
    """What groups and commands do to start soon."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments, which take plain values as they are."""
        parameters: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for one in parameters:
            quick(one)
        return parameters

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        light_help.load()
        with readable_errors(), writing_to("standard output"):
            super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Quick, TyperCommand):
    """A command with its options."""


class Commands(_Quick, TyperGroup):
    """A group that knows its commands by their names and summaries, and makes the one that is called."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """Make a group as Typer does, whose commands are `COMMANDS`."""
        super().__init__(*arguments, **settings)
        for name, listed in COMMANDS.items():
            self.add_command(TyperCommand(name, help=listed.summary, rich_markup_mode=self.rich_markup_mode))

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that arguments begin with, and make it with all its options."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else made(name), rest


def made(name: str) -> Any:
    """Import the module of a command, and make the command."""
    listed = COMMANDS[name]
    module = importlib.import_module(f"penpal_fast.cli.{listed.module}")
    one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    function = getattr(module, listed.function)
    _, *details = (inspect.getdoc(function) or "").split("\n\n")
    one.command(name, cls=Command, help="\n\n".join([listed.summary, *details]))(function)
    return typer.main.get_command(one)
