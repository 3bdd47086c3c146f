"""The command `penpal-fast evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli.console import Model, readable_errors, say

Files = Annotated[list[Path], typer.Option(help="Parquet file in the penpal schema; may be given again.")]


def evaluate(
    real: Files,
    clean: Files,
    corrupted: Files,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for evaluation.json, evaluation.md and a picture of each set."),
    ] = None,
    model: Model = None,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Only lines of forms that recipes keep for validation (columns `file` or `source`); "
            "a file without such a column is taken whole.",
        ),
    ] = False,
) -> None:
    """Measure how a model tells real, clean synthetic and corrupted lines apart, and junk made from the real ones."""
    with readable_errors():
        from penpal_fast.checks.quality import Scorer
        from penpal_fast.evaluation.card import picture, tables
        from penpal_fast.evaluation.measure import measure
        from penpal_fast.evaluation.sets import read_set, scored_sets
        from penpal_fast.files import replaced_atomically

        sets = scored_sets(
            read_set(real, held_out=held_out),
            read_set(clean, held_out=held_out),
            read_set(corrupted, held_out=held_out),
            Scorer(model),
        )
        figures = measure(sets)
        text = tables(figures)
        say(text)
        if output is None:
            return
        output.mkdir(parents=True, exist_ok=True)
        with replaced_atomically(output / "evaluation.json") as aside:
            aside.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        with replaced_atomically(output / "evaluation.md") as aside:
            aside.write_text(text, encoding="utf-8")
        for name, one in sets.items():
            with replaced_atomically(output / f"{name}.png") as aside:
                picture(one).save(aside, format="png")
        say(f"wrote {output}")
