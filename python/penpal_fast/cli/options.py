"""Options that several commands share, and what they do."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from penpal_fast.cli.console import warn, wrong_value
from penpal_fast.cli.plain_values import is_utf8
from penpal_fast.engines.settings import Backend
from penpal_fast.sources.suffixes import PARQUET_SUFFIXES
from penpal_fast.startup import ending_at_once

if TYPE_CHECKING:
    from penpal_fast.checks.check import Check
    from penpal_fast.checks.quality import Scorer
    from penpal_fast.jobs.outputs import Kind
    from penpal_fast.reading.reader import Reader

SOME_ROWS_BAD = 3
"""Exit code of --strict if there are bad rows."""

ONE_INPUT = "File of rows or of ink (Parquet, JSON lines, InkML, SVG, ...: see docs/data.md), or a folder or glob"

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUT",
        help="Files of rows or of ink (Parquet, JSON lines, InkML, SVG, ...: see docs/data.md), folders or globs of "
        "them, addresses (hf://datasets/OWNER/NAME/..., https://, s3://), or - for standard input.",
    ),
]
Column = Annotated[str, typer.Option(help="Name of the strokes column.")]
Model = Annotated[str | None, typer.Option(help="Folder or Hugging Face id of a model, instead of the bundled one.")]
ReaderOption = Annotated[
    str | None,
    typer.Option("--reader", help="Folder or Hugging Face id of a reader, instead of the bundled one."),
]

DROPPED_POINT = (
    "Leave out the first stroke of each row where it is a single point, as in paths of SVG that begin with a lone "
    "(0, 0)."
)

DropFirstPoint = Annotated[
    bool, typer.Option("--drop-first-point", help=f"{DROPPED_POINT} The strokes in an output stay as they are.")
]


def _known_layout(name: str | None) -> str | None:
    if name is None:
        return None
    from penpal_fast.layouts.known import check_layout

    with wrong_value():
        check_layout(name)
    return name


Layout = Annotated[
    str | None,
    typer.Option(
        callback=_known_layout,
        help="How strokes are nested, such as columns or offsets (see docs/data.md); by default this is told from the "
        "types and the first rows.",
    ),
]

Text = Annotated[
    str | None, typer.Option(help="Name of the column of texts that rows should say; by default none are compared.")
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
        help="Engine: mlx, native (in Rust), or auto, which takes MLX if there is a GPU and native if not.",
    ),
]
Threads = Annotated[int | None, typer.Option(help="Number of threads; by default one per processor.", min=1)]
BatchSize = Annotated[int | None, typer.Option(help="Rows per MLX batch; the default depends on the device.", min=1)]
Resume = Annotated[bool, typer.Option("--resume", help="Resume an interrupted job, or start a new one.")]
Memory = Annotated[int, typer.Option(help="Approximate memory for rows in progress, in megabytes.", min=1)]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with code 3 if there are bad rows.")]
Json = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors and warnings.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Log each finished part.")]


QualityColumn = Annotated[
    str | None, typer.Option(metavar="NAME", help="Name of the column of scores, in place of `quality`.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="arrow|jsonl", help="With -o -: Arrow IPC stream, the default, or JSON lines."),
]


def parquet_name(path: Path | None) -> Path | None:
    """Make sure that an output is named as a Parquet file."""
    return _named(path, "a Parquet", PARQUET_SUFFIXES)


def html_name(path: Path | None) -> Path | None:
    """Make sure that an output is named as an HTML file."""
    return _named(path, "an HTML", (".html", ".htm"))


def png_name(path: Path | None) -> Path | None:
    """Make sure that an output is named as a PNG file."""
    return _named(path, "a PNG", (".png",))


def _named(path: Path | None, kind: str, suffixes: tuple[str, ...]) -> Path | None:
    if path is not None and not path.name.lower().endswith(suffixes):
        raise typer.BadParameter(f"{path}: the output is {kind} file; its name must end with {suffixes[0]}")
    return path


def file_name(path: Path | None) -> Path | None:
    """Make sure that an output is named as a file that can be written, or is standard output."""
    from penpal_fast.jobs.outputs import NO_FOLDER

    return _known_name(path, NO_FOLDER)


def second_file_name(path: Path | None) -> Path | None:
    """Make sure that an output beside the first is named as a file that can be written."""
    from penpal_fast.jobs.outputs import FILES

    return _known_name(path, FILES)


def file_or_folder_name(path: Path | None) -> Path | None:
    """Make sure that an output is named as a file that can be written, as a folder, or is standard output."""
    from penpal_fast.jobs.outputs import ANY_KIND

    return _known_name(path, ANY_KIND)


def _known_name(path: Path | None, kinds: Collection[Kind]) -> Path | None:
    from penpal_fast.jobs.outputs import output_kind

    # What no file can be called is an error of the job.
    if path is not None and is_utf8(str(path)):
        with wrong_value():
            output_kind(path, kinds)
    return path


def is_stdout(output: Path | None) -> bool:
    """Whether an output is standard output, so that all else that is printed goes to stderr."""
    from penpal_fast.jobs.outputs import STANDARD_OUTPUT

    return output is not None and str(output) in STANDARD_OUTPUT


def written(output: Path) -> str:
    """Say what was written."""
    from penpal_fast.jobs.outputs import ANY_KIND, Kind, output_kind

    kind = output_kind(output, ANY_KIND)
    if kind is Kind.STREAM:
        return "wrote to standard output"
    return f"wrote folder {output}" if kind is Kind.FOLDER else f"wrote {output}"


def checks_of(
    model: str | None,
    column: str,
    backend: str = "auto",
    threads: int | None = None,
    batch_size: int | None = None,
    *,
    text: str | None = None,
    reading: bool = False,
    reader: str | None = None,
    drop_first_point: bool = False,
    quality_column: str | None = None,
) -> list[Check]:
    """Make the checks that the options ask for, with the quality check first."""
    with ending_at_once():
        from penpal_fast.checks.defaults import default_checks

    scorer = scorer_of(model, backend, threads, batch_size)
    loaded = reader_of(reader, backend, threads, batch_size) if text is not None or reading else reader
    return default_checks(
        scorer=scorer,
        column=column,
        text=text,
        reading=reading,
        reader=loaded,
        drop_first_point=drop_first_point,
        quality_column=quality_column,
    )


def scorer_of(model: str | None, backend: str, threads: int | None, batch_size: int | None) -> Scorer:
    """Load the model that the options name."""
    with ending_at_once():
        from penpal_fast.checks.quality import Scorer

    return Scorer(model, backend=cast("Backend", backend), threads=threads, batch_size=batch_size)


def reader_of(reader: str | None, backend: str, threads: int | None, batch_size: int | None) -> Reader:
    """Load the reader that the options name."""
    with ending_at_once():
        from penpal_fast.reading.reader import Reader

    return Reader(reader, backend=cast("Backend", backend), threads=threads, batch_size=batch_size)


class _ConsoleHandler(logging.Handler):
    """Prints above the progress bar, if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a log record."""
        warn(self.format(record))


@contextlib.contextmanager
def logged(*, verbose: bool) -> Iterator[None]:
    """Print the package's log to stderr: warnings, and with `verbose` also what it does."""
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
    """With --strict, exit with `SOME_ROWS_BAD` if there are bad rows."""
    if strict and bad_rows:
        raise typer.Exit(SOME_ROWS_BAD)
