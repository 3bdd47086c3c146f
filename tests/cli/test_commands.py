"""Commands are listed before they are imported, and values that are plain are taken as they are."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from penpal_fast.cli import app, light_help
from penpal_fast.cli.commands import COMMANDS, Command, made


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_is_the_summary_and_the_rest_of_the_docstring(name):
    summary, *details = (made(name).help or "").split("\n\n")
    assert summary == COMMANDS[name].summary
    assert details == inspect.getdoc(made(name).callback).split("\n\n")[1:]


def test_every_module_of_a_command_is_listed():
    folder = Path(inspect.getfile(importlib.import_module("penpal_fast.cli"))).parent
    modules = {path.stem for path in folder.glob("*.py") if '"""The command `penpal-fast ' in path.read_text()}
    assert modules == {one.module for one in COMMANDS.values()}


def test_a_wrong_name_is_answered_with_the_nearest():
    result = CliRunner().invoke(app, ["filtre"])
    assert result.exit_code == 2
    assert "'filter'" in result.output


def seen_by(kind, default, arguments, command):
    """What a command gets for an option or argument, or its exit code and what it prints."""
    seen = []

    def work(value: kind = default, count: Annotated[int, typer.Option(min=1)] = 3) -> None:
        seen.append((value, count))

    work.__annotations__ = {"value": kind, "count": Annotated[int, typer.Option(min=1)], "return": None}
    one = typer.Typer(add_completion=False)
    one.command(cls=command)(work)
    result = CliRunner().invoke(one, arguments)
    return seen or (result.exit_code, result.output)


def checked(value: str | None) -> str | None:
    """A callback that changes what it gets."""
    return None if value is None else value.upper()


TEXT, PATH = Annotated[str | None, typer.Option()], Annotated[Path | None, typer.Option()]
CASES = [
    (TEXT, None, []),
    (TEXT, None, ["--value", "a b"]),
    (TEXT, None, ["--value", "größe"]),
    (TEXT, None, ["--value", ""]),
    (Annotated[str | None, typer.Option(callback=checked)], None, ["--value", "a"]),
    (Annotated[str, typer.Option(callback=checked)], "b", []),
    (PATH, None, []),
    (PATH, None, ["--value", "no/such"]),
    (PATH, None, ["--value", "-"]),
    (Annotated[Path, typer.Option()], ..., []),
    (Annotated[Path, typer.Option(exists=True)], ..., ["--value", "no/such"]),
    (Annotated[Path, typer.Option(file_okay=False)], ..., ["--value", sys.executable]),
    (Annotated[Path, typer.Option(resolve_path=True)], ..., ["--value", "."]),
    (Annotated[list[str], typer.Argument()], ..., []),
    (Annotated[list[str], typer.Argument()], ..., ["a", "b"]),
    (Annotated[list[Path] | None, typer.Option()], None, []),
    (Annotated[list[Path] | None, typer.Option()], None, ["--value", "a", "--value", "b"]),
    (Annotated[float, typer.Option(parser=float)], 1.0, ["--value", "2.5"]),
    (Annotated[bool, typer.Option()], False, ["--value"]),
    (TEXT, None, ["--count", "4"]),
    (TEXT, None, ["--count", "0"]),
    (TEXT, None, ["--count", "x"]),
]


@pytest.mark.parametrize(("kind", "default", "arguments"), CASES)
def test_values_are_those_of_typer(kind, default, arguments):
    expected = seen_by(kind, default, arguments, typer.core.TyperCommand)
    assert seen_by(kind, default, arguments, Command) == expected


def test_what_stands_for_an_unused_class_becomes_it(monkeypatch):
    for module in [*light_help.UNUSED, "typer.rich_utils"]:
        monkeypatch.delitem(sys.modules, module, raising=False)
    light_help.load()
    from typer import rich_utils

    assert "rich.markdown" not in sys.modules
    made_later = rich_utils.Markdown("*a*")
    assert type(made_later).__module__ == "rich.markdown"
    assert made_later.markup == "*a*"
    assert rich_utils.Traceback.from_exception.__self__.__module__ == "rich.traceback"
