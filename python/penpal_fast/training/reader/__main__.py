"""Train a reader: `python -m penpal_fast.training.reader --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.errors import PenpalError
from penpal_fast.training.reader.recipe import BUNDLED, ReaderRecipe
from penpal_fast.training.reader.run import Inputs, train_reader


def main(
    real: Annotated[Path, typer.Option(help="Parquet file of real lines: `strokes`, `text`, `file` or `source`.")],
    generator: Annotated[Path, typer.Option(help="Weights of the generator that makes lines.")],
    clean: Annotated[Path, typer.Option(help="Parquet file of clean generated lines to calibrate and measure with.")],
    corrupted: Annotated[Path, typer.Option(help="Parquet file of corrupted generated lines to measure with.")],
    work: Annotated[Path, typer.Option(help="Folder for the made lines and the checkpoint.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the reader.")],
    recipe: Annotated[Path, typer.Option(help="JSON file with all settings.")] = BUNDLED,
    processes: Annotated[int, typer.Option(help="Processes that make lines, threads that train on a CPU.", min=1)] = 2,
    device: Annotated[str, typer.Option(help="What trains, as PyTorch names it: cpu, cuda.")] = "cpu",
) -> None:
    """Make lines, train, calibrate and measure a reader. The same command resumes a killed run."""
    try:
        inputs = Inputs(real, generator, clean, corrupted)
        train_reader(
            ReaderRecipe.from_file(recipe), inputs, work, output, processes=processes, device=device, say=typer.echo
        )
    except PenpalError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


if __name__ == "__main__":
    typer.run(main)
