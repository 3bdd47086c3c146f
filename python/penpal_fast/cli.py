"""The command `penpal-fast`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from penpal_fast import __version__
from penpal_fast.bulk.sources import open_source
from penpal_fast.bulk.summary import THRESHOLDS, Summary
from penpal_fast.errors import PenpalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from penpal_fast.scoring import Backend

app = typer.Typer(
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
out = Console()
err = Console(stderr=True)


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Scores rows of pen strokes by handwriting quality, from 0 (corrupted) to 1 (legible, human-looking)."""
    if version:
        _say(__version__)
        raise typer.Exit


Column = Annotated[str, typer.Option(help="Name of the column with the strokes.")]


@app.command()
def score(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="INPUT...", help="Parquet files (.parquet, .pq) or JSON lines (.jsonl, .ndjson, or with .gz)."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write; replaced if it is there.")],
    column: Column = "strokes",
    model: Annotated[
        str | None, typer.Option(help="Folder or Hugging Face id of another model than the bundled one.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Rows that go through MLX at a time; by default what suits the device.")
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Engine: mlx, native (in Rust), or auto for MLX on a GPU and else native.")
    ] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads; by default one for each processor.")] = None,
) -> None:
    """Score every row: all columns are kept, `quality` and `quality_error` are added or replaced."""
    with _readable_errors():
        from penpal_fast.bulk.job import score_files
        from penpal_fast.scoring import Scorer

        scorer = Scorer(model, backend=cast("Backend", backend), threads=threads, batch_size=batch_size)
        with _progress() as progress:
            summary = score_files(inputs, output, scorer=scorer, column=column, progress=progress)
        _print_summary(summary)
        _say(f"wrote {output}")


@app.command()
def render(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="Parquet file or JSON lines.")],
    row: Annotated[int, typer.Option(help="Number of the row, from 0.", min=0)],
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG file to write.")],
    column: Column = "strokes",
) -> None:
    """Draw one row as the network sees it, but black on white; the network gets ink as 1 on 0."""
    with _readable_errors():
        from penpal_fast.picture import save_png
        from penpal_fast.rendering import render_strokes

        if output.suffix.lower() != ".png":
            raise PenpalError(f"{output}: the picture is a PNG file; its name must end with .png")
        strokes = _read_strokes(source, row, column)
        try:
            canvas = render_strokes(strokes)
        except PenpalError as error:
            raise PenpalError(f"{source}, row {row}: {str(error).removeprefix('row 0: ')}") from error
        save_png(canvas, output)
        _say(f"wrote {output}")


def _read_strokes(path: Path, row: int, column: str) -> object:
    """Read the strokes of one row."""
    source = open_source(path, column)
    if row >= source.rows:
        raise PenpalError(f"{path}: there is no row {row}; it has {source.rows} rows, counted from 0")
    start = 0
    for batch in source.batches(512):
        if row < start + len(batch.data):
            if problem := batch.problems.get(row - start):
                raise PenpalError(f"{path}, row {row}: {problem}")
            return batch.data.column(column)[row - start]
        start += len(batch.data)
    raise PenpalError(f"{path}: it ended before row {row}")


@contextlib.contextmanager
def _readable_errors() -> Iterator[None]:
    """Turn errors that a user can act on into one message and the exit code 1."""
    try:
        yield
    except (PenpalError, OSError) as error:
        err.print(Text.assemble(("error: ", "bold red"), str(error)), soft_wrap=True)
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        err.print("stopped; no output was written")
        raise typer.Exit(130) from error


def _say(text: str) -> None:
    """Print text as it is, whatever brackets it has."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show a bar with rows/s and the time left, on a terminal only."""
    columns = (
        TextColumn("scoring"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task("scoring", total=None, rate="")

        def report(done: int, total: int) -> None:
            speed = progress.tasks[0].speed or 0.0 if progress.tasks else 0.0
            progress.update(task, completed=done, total=total, rate=f"{speed:,.0f} rows/s")

        yield report


def _print_summary(summary: Summary) -> None:
    _say(f"{summary.rows:,} rows, {summary.scored:,} scored, {summary.bad:,} bad")
    for reason, count in summary.reasons.most_common():
        _say(f"  {count:,} bad: {reason}")
    if not summary.scored:
        return
    _say("quality: " + ", ".join(f"{name} {value:.3f}" for name, value in summary.quantiles().items()))
    for name, share in summary.kept().items():
        _say(f"  {share:6.1%} at or above {THRESHOLDS[name]} ({name})")


def main() -> None:
    """Run the command line."""
    app()
