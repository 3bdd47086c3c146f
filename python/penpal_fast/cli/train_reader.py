"""The command `penpal-fast train-reader`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.startup import ending_at_once


def train_reader(
    real: Annotated[Path, typer.Option(help="Parquet file of real rows: `strokes`, `text`, and `file` or `source`.")],
    generator: Annotated[Path, typer.Option(help="Weights of the generator that makes lines.")],
    clean: Annotated[Path, typer.Option(help="Clean synthetic rows with `text`, to calibrate and measure with.")],
    corrupted: Annotated[Path, typer.Option(help="Corrupted synthetic rows with `text`, to measure with.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the reader.")],
    work: Annotated[Path, typer.Option(help="Folder for the lines that are made and the checkpoint.")],
    recipe: Annotated[
        Path | None,
        typer.Argument(
            metavar="RECIPE",
            help="JSON file with a recipe, whose missing fields have their defaults; by default the bundled one.",
        ),
    ] = None,
    start: Annotated[str | None, typer.Option(help="Folder or Hugging Face id of a reader to start from.")] = None,
    processes: Annotated[int, typer.Option(help="Processes that make lines, and threads that train.", min=1)] = 2,
    device: Annotated[str, typer.Option(help="What trains, as PyTorch names it: cpu, cuda.")] = "cpu",
) -> None:
    """Run `penpal-fast train-reader`; see `COMMANDS` for the beginning of its help."""
    with readable_errors(), ending_at_once():
        from penpal_fast.evaluation.reader_card import reader_tables
        from penpal_fast.training.reader.recipe import BUNDLED, ReaderRecipe
        from penpal_fast.training.reader.run import Inputs, train_reader

    with readable_errors(), stopped_by_sigterm():
        inputs = Inputs(real, generator, clean, corrupted, start)
        figures = train_reader(
            ReaderRecipe.from_file(recipe or BUNDLED),
            inputs,
            work,
            output,
            processes=processes,
            device=device,
            say=say,
        )
        say(reader_tables(figures))
        say(f"wrote {output}")
