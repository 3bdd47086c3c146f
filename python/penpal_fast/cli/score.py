"""The command `penpal-fast score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from penpal_fast.bulk.summary import THRESHOLDS, Summary
from penpal_fast.cli.console import Column, progress_bar, readable_errors, say

if TYPE_CHECKING:
    from penpal_fast.scoring import Backend


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
    with readable_errors():
        from penpal_fast.bulk.job import score_files
        from penpal_fast.scoring import Scorer

        scorer = Scorer(model, backend=cast("Backend", backend), threads=threads, batch_size=batch_size)
        with progress_bar("scoring") as progress:
            summary = score_files(inputs, output, scorer=scorer, column=column, progress=progress)
        print_summary(summary)
        say(f"wrote {output}")


def print_summary(summary: Summary) -> None:
    """Print counts, reasons, quantiles and the shares kept."""
    say(f"{summary.rows:,} rows, {summary.scored:,} scored, {summary.bad:,} bad")
    for reason, count in summary.reasons.most_common():
        say(f"  {count:,} bad: {reason}")
    if not summary.scored:
        return
    say("quality: " + ", ".join(f"{name} {value:.3f}" for name, value in summary.quantiles().items()))
    for name, share in summary.kept().items():
        say(f"  {share:6.1%} at or above {THRESHOLDS[name]} ({name})")
