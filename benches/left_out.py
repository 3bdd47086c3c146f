"""Junk of kinds that nobody trained on: short trainings that leave some kinds out, measured on these.

    python benches/left_out.py --real REAL.parquet --clean CLEAN.parquet... --corrupted CORRUPTED.parquet...

Each kind is left out once; so that there are few trainings, several kinds that look unlike each other are left out of
each. Each training is a short one from random weights, with the shares and changes of the recipe's last stage. The
lines are those that `penpal-fast train` leaves in its work folder. The threshold is that of 0.3 after calibration: it
keeps 95 % of the clean held-out lines. Each kind is also measured where it was trained on, in the other trainings, so
that a short training is compared with itself. `docs/write_model_cards.py` reads the file that `--output` names.
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
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.examples import Sources
from penpal_fast.training.loop import train
from penpal_fast.training.recipe import BUNDLED, Optimization, Recipe


def folds(count: int) -> list[list[str]]:
    """Deal the kinds out, drawn and spoilt ones alike."""
    return [[*list(DRAWN)[fold::count], *list(SPOILT)[fold::count]] for fold in range(count)]


def shortened(recipe: Recipe, pictures: int, left_out: list[str]) -> Recipe:
    """Return a recipe of one stage with so many pictures, like the last of another recipe but without kinds of junk."""
    stage = recipe.stages[-1]
    weights = {**stage.changes.junk_weights, **dict.fromkeys(left_out, 0.0)}
    changes = dataclasses.replace(stage.changes, junk_weights=weights)
    optimization = Optimization(pictures=pictures, average_decay=0.998, checkpoint_steps=pictures, seed=1)
    return dataclasses.replace(recipe, stages=(dataclasses.replace(stage, changes=changes, optimization=optimization),))


def measured(model: QualityClassifier, clean: Rows, rows: dict[str, Rows]) -> dict[str, float]:
    """Return the share of each kind that is below the threshold of 0.3."""
    engine = NativeEngine(model.config, model.tensors(), threads=0)
    threshold = threshold_that_keeps(engine.logits(clean)[0], 0.95)
    return {kind: 1 - kept(engine.logits(of_kind)[0], threshold) for kind, of_kind in rows.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--clean", type=Path, nargs="+", required=True)
    parser.add_argument("--corrupted", type=Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=int, default=96_000, help="of each training")
    parser.add_argument("--folds", type=int, default=4)
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
    console = Console(width=100)
    left_out: dict[str, float] = {}
    trained_on: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as temporary:
        for number, kinds in enumerate(folds(options.folds)):
            folder = (options.work or Path(temporary)) / f"fold{number}"
            folder.mkdir(parents=True, exist_ok=True)
            short = shortened(recipe, options.pictures, kinds)
            model = train(sources, short, folder, start=None, measure=lambda _model: {})
            below = measured(model, clean, rows)
            left_out.update({kind: below[kind] for kind in kinds})
            for kind in set(KINDS) - set(kinds):
                trained_on[kind].append(below[kind])
            console.print({kind: f"{below[kind]:.1%}" for kind in kinds})
    shares = {
        kind: {"left_out": round(left_out[kind], 4), "trained_on": round(float(np.mean(trained_on[kind])), 4)}
        for kind in KINDS
    }
    table = Table("junk", "below 0.3 where left out", "where trained on")
    for kind, share in shares.items():
        table.add_row(kind.replace("_", " "), f"{share['left_out']:.1%}", f"{share['trained_on']:.1%}")
    console.print(table)
    if options.output:
        options.output.write_text(json.dumps({"pictures": options.pictures, "kinds": shares}, indent=2) + "\n")


if __name__ == "__main__":
    main()
