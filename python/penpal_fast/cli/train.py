"""The command `penpal-fast train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.cli.progress import stage_bars
from penpal_fast.startup import ending_at_once


def train(
    real: Annotated[
        Path,
        typer.Option(
            help="Parquet file of real rows: columns `strokes`, `text`, and `source` or `file`, such as the form."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the model.")],
    work: Annotated[Path, typer.Option(help="Folder for the synthetic rows, the log and the checkpoint.")],
    recipe: Annotated[
        Path | None,
        typer.Argument(
            metavar="RECIPE",
            help="JSON file with a recipe, whose missing fields have their defaults; by default the bundled one.",
        ),
    ] = None,
    generator: Annotated[Path | None, typer.Option(help="Weights of the generator that makes synthetic rows.")] = None,
    clean: Annotated[list[Path] | None, typer.Option(help="More clean synthetic rows, with `source`.")] = None,
    corrupted: Annotated[list[Path] | None, typer.Option(help="More corrupted synthetic rows, with `source`.")] = None,
    start: Annotated[str | None, typer.Option(help="Folder or Hugging Face id of a model to start from.")] = None,
    _resume: Annotated[
        bool, typer.Option("--resume", help="Not needed: the same command resumes an interrupted run.")
    ] = False,
) -> None:
    """Run `penpal-fast train`; see `COMMANDS` for the beginning of its help."""
    with readable_errors(), ending_at_once():
        from penpal_fast.evaluation.markdown import table
        from penpal_fast.network.model import QualityClassifier
        from penpal_fast.training.recipe import BUNDLED, Recipe
        from penpal_fast.training.run import Inputs, run_recipe
        from penpal_fast.training.start import check_start

    with readable_errors(), stopped_by_sigterm(), options.logged(verbose=True):
        chosen = Recipe.from_file(recipe or BUNDLED)
        model = None
        if start is not None:
            check_start(start, output, chosen.source_prefix)
            model = QualityClassifier.from_pretrained(start)
        inputs = Inputs(real, generator, clean or (), corrupted or (), model)
        with stage_bars() as progress:
            figures = run_recipe(chosen, inputs, work, output, progress=progress)
        rows = [[name.replace("_", " "), f"{value:.3f}"] for name, value in figures.items()]
        say(table(["validation lines", ""], rows))
        say(f"wrote {output}")
