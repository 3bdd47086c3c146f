"""What every command prints: output and errors.

Rich takes long to load, so only errors and terminals load it.
"""

from __future__ import annotations

import contextlib
import functools
import json
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import typer

from penpal_fast.errors import PenpalError, UsageError

if TYPE_CHECKING:
    from rich.console import Console


@functools.cache
def err() -> Console:
    """Return what prints to stderr."""
    from rich.console import Console

    return Console(stderr=True)


class WrongUsage(typer.BadParameter):
    """What is wrong with arguments together. Typer prints it and exits with 2, as for a single one."""

    def format_message(self) -> str:
        """Say it without the words that a single value begins with."""
        return visible(self.message)


@contextlib.contextmanager
def wrong_value() -> Iterator[None]:
    """Let Typer say what is wrong with the value of an option, and exit with 2."""
    try:
        yield
    except PenpalError as error:
        raise typer.BadParameter(visible(str(error))) from error


@contextlib.contextmanager
def readable_errors(*smaller: str) -> Iterator[None]:
    """Turn errors that a user can act on into one message and an exit code.

    Args:
        smaller: Options of the command that need less memory if they are smaller.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # Whoever read the output has enough; Typer ends without a message.
    except UsageError as error:
        raise WrongUsage(str(error)) from error
    except _expected_errors() as error:
        raise _failed(str(error)) from error
    except MemoryError as error:
        what = f"out of memory: {error}" if str(error) else "out of memory"
        raise _failed(f"{what}; try a smaller {' or '.join(smaller)}" if smaller else what) from error
    except UnicodeError as error:
        raise _failed(f"a name or text is not UTF-8: {error}") from error
    except KeyboardInterrupt as error:
        raise _stopped(error) from error
    except RuntimeError as error:
        # Ctrl-C while a thread waits for a lock: Python complains that it does not have the lock.
        if not isinstance(error.__context__, KeyboardInterrupt):
            raise
        raise _stopped(error.__context__) from error


def _expected_errors() -> tuple[type[BaseException], ...]:
    """Errors whose message says enough; those of PyArrow only if it is loaded, as otherwise it has raised none."""
    pyarrow = sys.modules.get("pyarrow")
    return (PenpalError, OSError) if pyarrow is None else (PenpalError, OSError, pyarrow.ArrowException)


def _failed(message: str) -> typer.Exit:
    from rich.text import Text

    err().print(Text.assemble(("error: ", "bold red"), visible(message)), soft_wrap=True)
    return typer.Exit(1)


def _stopped(error: KeyboardInterrupt) -> typer.Exit:
    typer.echo(f"stopped: {error}" if str(error) else "stopped", err=True)
    return typer.Exit(128 + (signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT))


class Terminated(KeyboardInterrupt):
    """SIGTERM arrived; schedulers send it before they kill."""


@contextlib.contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end a block as Ctrl-C does, so that finished work is kept."""

    def stop(_signal: int, _frame: object) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(text: str, *, aside: bool = False) -> None:
    """Print text as it is; to stderr if it is aside from what is written to standard output."""
    _print(f"{visible(text)}\n", aside=aside)


def say_lines(lines: Iterable[str]) -> None:
    """Print lines to standard output as they are, all at once.

    Raises:
        PenpalError: It is closed, or cannot be written to.
    """
    if sys.stdout is None:
        raise PenpalError("standard output is closed; name a file with --output")
    _print("".join(f"{line}\n" for line in lines), aside=False)


def _print(text: str, *, aside: bool) -> None:
    with writing_to("stderr" if aside else "standard output"):
        typer.echo(text, err=aside, nl=False)


@contextlib.contextmanager
def writing_to(name: str) -> Iterator[None]:
    """Say where a block could not write."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise PenpalError(f"{name}: cannot write to it: {error.strerror or error}") from error


def counted(count: int, what: str) -> str:
    """Return a number and what it counts, in the plural unless it is 1."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def warn(text: str) -> None:
    """Print text to stderr as it is, above the progress bar if there is one; brackets are not markup."""
    if "rich.console" not in sys.modules:  # Then there is no bar.
        typer.echo(visible(text), err=True)
        return
    err().print(visible(text), markup=False, emoji=False, highlight=False, soft_wrap=True)


def visible(text: str) -> str:
    """Escape control characters: names of columns and tensors come from untrusted files."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def say_json(content: dict[str, Any], *, aside: bool = False) -> None:
    """Print JSON on one line; see `say`."""
    _print(f"{json.dumps(content)}\n", aside=aside)
