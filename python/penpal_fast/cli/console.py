"""What every command shares: the two consoles, readable errors, progress."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pyarrow as pa
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from penpal_fast.errors import PenpalError

out = Console()
err = Console(stderr=True)

Column = Annotated[str, typer.Option(help="Name of the column with the strokes.")]
Model = Annotated[str | None, typer.Option(help="Folder or Hugging Face id of another model than the bundled one.")]


@contextlib.contextmanager
def readable_errors() -> Iterator[None]:
    """Turn errors that a user can act on into one message and the exit code 1."""
    try:
        yield
    except (PenpalError, OSError, pa.ArrowException) as error:
        raise _failed(str(error)) from error
    except MemoryError as error:
        raise _failed(f"there is not enough memory: {error}; try a smaller --memory or --batch-size") from error
    except UnicodeError as error:
        raise _failed(f"a name or text is not UTF-8: {error}") from error
    except Terminated as error:
        err.print("stopped")
        raise typer.Exit(128 + signal.SIGTERM) from error
    except KeyboardInterrupt as error:
        err.print("stopped")
        raise typer.Exit(130) from error


def _failed(message: str) -> typer.Exit:
    err.print(Text.assemble(("error: ", "bold red"), _visible(message)), soft_wrap=True)
    return typer.Exit(1)


class Terminated(KeyboardInterrupt):
    """SIGTERM came, which schedulers send before they kill."""


@contextlib.contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a block as Ctrl-C does, so that what is done is kept."""

    def stop(_signal: int, _frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(text: str) -> None:
    """Print text as it is, whatever brackets it has."""
    out.print(_visible(text), markup=False, emoji=False, highlight=False, soft_wrap=True)


def _visible(text: str) -> str:
    """Escape what a terminal would obey: names of columns and tensors come from strangers."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def say_json(content: dict[str, Any]) -> None:
    """Print JSON on one line, for scripts."""
    typer.echo(json.dumps(content))


@contextlib.contextmanager
def progress_bar(what: str, *, shown: bool = True) -> Iterator[Callable[[int, int], None]]:
    """Show a bar with rows/s and the time left, on a terminal only."""
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not (shown and err.is_terminal), transient=True) as progress:
        task = progress.add_task(what, total=None, rate="")

        def report(done: int, total: int) -> None:
            speed = progress.tasks[0].speed or 0.0 if progress.tasks else 0.0
            progress.update(task, completed=done, total=total, rate=f"{speed:,.0f} rows/s")

        yield report
