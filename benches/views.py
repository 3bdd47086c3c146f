"""What the mean of a network's logits over several views of a row tells apart, which is what a teacher says of it.

    python benches/views.py --real REAL.parquet --clean CLEAN.parquet --corrupted CORRUPTED.parquet

A view is the row with its slope, slant and width changed a little; the first is the row as it is. The real lines are of
forms that were not trained on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from penpal_fast import QualityClassifier
from penpal_fast.evaluation.figures import area_under_curve, kept, threshold_that_keeps
from penpal_fast.evaluation.sets import held_out_lines, read_set
from penpal_fast.handwriting.geometry import levelled
from penpal_fast.handwriting.lines import EARLIER_PREFIX
from penpal_fast.training.teacher import Teacher

VIEWS = (1, 2, 3, 5, 9, 17)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for name in ("real", "clean", "corrupted"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--model", default=None)
    options = parser.parse_args()

    model = QualityClassifier.from_pretrained(options.model)
    sets = {name: read_set([getattr(options, name)]) for name in ("real", "clean", "corrupted")}
    sets["real"] = held_out_lines(sets["real"], EARLIER_PREFIX)
    rows = {name: [levelled(line.strokes()) for line in lines] for name, lines in sets.items()}
    mild = np.array([line.severity == "mild" for line in sets["corrupted"]])

    table = Table("views", "real / corrupted", "real / clean", "clean / corrupted", "mild", "corrupted kept")
    for views in VIEWS:
        teacher = Teacher(model, views)
        found = {name: teacher.logits(some, np.random.default_rng(1)) for name, some in rows.items()}
        real, clean, corrupted = found.values()
        pairs = [(real, corrupted), (real, clean), (clean, corrupted)]
        areas = [area_under_curve(*pair) for pair in pairs]
        if mild.any():
            areas.append(area_under_curve(clean, corrupted[mild]))
        shown = [f"{area:.4f}" for area in areas] + ["-"] * (not mild.any())
        table.add_row(str(views), *shown, f"{kept(corrupted, threshold_that_keeps(clean, 0.95)):.1%}")
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
