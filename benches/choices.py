"""Short trainings that differ in one choice each: line width, shortcut, optimizer, learning rate, seed.

    python benches/choices.py --real REAL.parquet --clean CLEAN.parquet --corrupted CORRUPTED.parquet

Each is the first stage of the bundled recipe from random weights, shortened. The lines are those that
`penpal-fast train` leaves in its work folder. Measured on held-out forms.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from penpal_fast.training.examples import Sources
from penpal_fast.training.loop import train
from penpal_fast.training.measurement import Validation
from penpal_fast.training.recipe import BUNDLED, Recipe

FIGURES = {
    "auc_real_corrupted": "real / corrupted",
    "auc_short_corrupted": "short / corrupted",
    "auc_clean_corrupted": "clean / corrupted",
    "auc_real_clean": "real / clean",
    "real_kept": "real kept",
    "junk_dropped": "junk dropped",
}


def first_stage(recipe: Recipe, **changes: object) -> Recipe:
    """Return a recipe of the first stage only, with another optimization."""
    stage = recipe.stages[0]
    plan = dataclasses.replace(stage.optimization, **changes)  # type: ignore[arg-type]
    return dataclasses.replace(recipe, stages=(dataclasses.replace(stage, optimization=plan),))


def variants(recipe: Recipe) -> Iterator[tuple[str, Recipe]]:
    """Yield the recipe as it is and with one choice changed at a time."""

    def network(**changes: object) -> Recipe:
        return dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, **changes))  # type: ignore[arg-type]

    learning_rate = recipe.stages[0].optimization.learning_rate
    yield "as bundled", recipe
    yield "other chances", first_stage(recipe, seed=2)
    yield "line width 1.0", network(line_width=1.0)
    yield "line width 2.0", network(line_width=2.0)
    yield "identity shortcuts", network(shortcut="identity")
    yield "Muon", first_stage(recipe, optimizer="muon")
    yield "half the learning rate", first_stage(recipe, learning_rate=learning_rate / 2)
    yield "twice the learning rate", first_stage(recipe, learning_rate=learning_rate * 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--clean", type=Path, nargs="+", required=True)
    parser.add_argument("--corrupted", type=Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=int, default=38_400)
    parser.add_argument("--only", default="", help="choices whose name has this text")
    options = parser.parse_args()
    bundled = Recipe.from_file(BUNDLED)
    sources = Sources.read(options.real, options.clean, options.corrupted, bundled.source_prefix)
    table = Table("", *FIGURES.values())
    console = Console(width=130)
    # In a short training, the average of the weights must follow sooner.
    shortened = first_stage(bundled, pictures=options.pictures, average_decay=0.99)
    for name, recipe in variants(shortened):
        if options.only not in name:
            continue
        measure = Validation(sources, recipe).measure
        with tempfile.TemporaryDirectory() as folder:
            figures = measure(train(sources, recipe, Path(folder), start=None, measure=measure))
        console.print(name, {figure: figures[figure] for figure in FIGURES})
        table.add_row(name, *(f"{figures[figure]:.3f}" for figure in FIGURES))
    console.print(table)


if __name__ == "__main__":
    main()
