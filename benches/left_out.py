"""Junk of kinds that nobody trained on: short trainings that leave some kinds out, measured on these.

    python benches/left_out.py --real REAL.parquet --clean CLEAN.parquet... --corrupted CORRUPTED.parquet...

Each kind is left out once; so that there are few trainings, several kinds that look unlike each other are left out of
each. Each training is the first two stages of the bundled recipe, shortened. The lines are those that
`penpal-fast train` leaves in its work folder. The threshold is that of 0.3 after calibration: it keeps 95 % of the
clean held-out lines.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from penpal_fast._core import Rows
from penpal_fast.engines.native import NativeEngine
from penpal_fast.evaluation.figures import kept, threshold_that_keeps
from penpal_fast.evaluation.sets import spoilt
from penpal_fast.handwriting.junk import DRAWN, KINDS, SPOILT
from penpal_fast.handwriting.lines import garbled_lines
from penpal_fast.training.examples import Sources
from penpal_fast.training.loop import train
from penpal_fast.training.measurement import Validation
from penpal_fast.training.recipe import BUNDLED, Recipe


def folds(count: int) -> list[list[str]]:
    """Deal the kinds out, drawn and spoilt ones alike."""
    return [[*list(DRAWN)[fold::count], *list(SPOILT)[fold::count]] for fold in range(count)]


def shortened(recipe: Recipe, pictures: int, left_out: list[str]) -> Recipe:
    """Return the first two stages of a recipe, a quarter and three quarters of the pictures, without kinds of junk."""
    stages = []
    for stage, share in zip(recipe.stages[:2], (0.25, 0.75), strict=True):
        weights = {**stage.changes.junk_weights, **dict.fromkeys(left_out, 0.0)}
        stages.append(
            dataclasses.replace(
                stage,
                changes=dataclasses.replace(stage.changes, junk_weights=weights),
                optimization=dataclasses.replace(
                    stage.optimization, pictures=int(pictures * share), average_decay=0.995, checkpoint_steps=1000
                ),
            )
        )
    return dataclasses.replace(recipe, stages=tuple(stages))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--clean", type=Path, nargs="+", required=True)
    parser.add_argument("--corrupted", type=Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=int, default=128_000, help="of each training")
    parser.add_argument("--folds", type=int, default=6)
    parser.add_argument("--rows", type=int, default=500, help="rows of each kind that are measured")
    parser.add_argument("--work", type=Path, help="folder that keeps finished trainings")
    parser.add_argument("--output", type=Path, help="JSON file for the shares")
    options = parser.parse_args()

    recipe = Recipe.from_file(BUNDLED)
    sources = Sources.read(options.real, options.clean, options.corrupted, recipe.source_prefix)
    random, garbled = np.random.default_rng(0), garbled_lines(sources.corrupted.validation)
    rows = {
        kind: Rows([spoilt(make, sources.real.validation, garbled, random)[0] for _ in range(options.rows)])
        for kind, make in KINDS.items()
    }
    clean = Rows([line.strokes() for line in sources.clean.validation])
    console, below = Console(width=100), {}
    with tempfile.TemporaryDirectory() as temporary:
        for number, kinds in enumerate(folds(options.folds)):
            folder = (options.work or Path(temporary)) / f"fold{number}"
            folder.mkdir(parents=True, exist_ok=True)
            short = shortened(recipe, options.pictures, kinds)
            model = train(sources, short, folder, start=None, measure=Validation(sources, short).measure)
            engine = NativeEngine(model.config, model.tensors(), threads=0)
            threshold = threshold_that_keeps(engine.logits(clean)[0], 0.95)
            below.update({kind: 1 - kept(engine.logits(rows[kind])[0], threshold) for kind in kinds})
            console.print({kind: f"{below[kind]:.1%}" for kind in kinds})
    table = Table("junk that was left out", "below 0.3")
    for kind in KINDS:
        table.add_row(kind.replace("_", " "), f"{below[kind]:.1%}")
    console.print(table)
    if options.output:
        options.output.write_text(json.dumps({kind: round(below[kind], 4) for kind in KINDS}, indent=2) + "\n")


if __name__ == "__main__":
    main()
