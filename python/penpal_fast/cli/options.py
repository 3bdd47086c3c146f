"""Options that commands share, and what they do."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import Annotated, cast, get_args

import typer

from penpal_fast.checks.check import Check
from penpal_fast.checks.defaults import default_checks
from penpal_fast.checks.quality import Backend, Scorer
from penpal_fast.cli.console import err

SOME_ROWS_BAD = 3
"""Exit code with --strict."""

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT...",
        help="Parquet files (.parquet, .pq), JSON lines (.jsonl, .ndjson, or with .gz), folders or globs of them, "
        "or hf://datasets/OWNER/NAME/... on the Hugging Face hub.",
    ),
]


def _known_backend(name: str) -> str:
    if name not in get_args(Backend):
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(get_args(Backend))}")
    return name


BackendOption = Annotated[
    str,
    typer.Option(
        "--backend",
        callback=_known_backend,
        help="Engine: mlx, native (in Rust), or auto for MLX on a GPU and else native.",
    ),
]
Threads = Annotated[int | None, typer.Option(help="Threads; by default one for each processor.", min=1)]
BatchSize = Annotated[
    int | None, typer.Option(help="Rows that go through MLX at a time; by default what suits the device.", min=1)
]
Memory = Annotated[int, typer.Option(help="Megabytes that the rows on their way may take, about.", min=1)]
Strict = Annotated[bool, typer.Option("--strict", help="End with 3 if there were bad rows.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors and warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log each part that is done.")]


def checks_of(
    model: str | None,
    column: str,
    backend: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
) -> list[Check]:
    """Make the checks that the options ask for."""
    scorer = Scorer(model, backend=cast("Backend", backend), threads=threads, batch_size=batch_size)
    return default_checks(scorer=scorer, column=column)


class _ConsoleHandler(logging.Handler):
    """Prints above the progress bar, where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        err.print(self.format(record), markup=False, emoji=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def logged(*, verbose: bool) -> Iterator[None]:
    """Show the library's log on the error console: warnings, or with `verbose` what it does as well."""
    logger = logging.getLogger("penpal_fast")
    handler = _ConsoleHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO if verbose else logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def end_if_strict(bad_rows: int, *, strict: bool) -> None:
    """With --strict, end with another exit code if there were bad rows."""
    if strict and bad_rows:
        raise typer.Exit(SOME_ROWS_BAD)
