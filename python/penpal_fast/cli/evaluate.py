"""The command `penpal-fast evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import readable_errors, say, stopped_by_sigterm
from penpal_fast.errors import UsageError
from penpal_fast.startup import ending_at_once

Files = Annotated[list[Path], typer.Option(help="Parquet file in the penpal schema; can be repeated.")]


def evaluate(
    real: Files,
    clean: Files,
    corrupted: Files,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Folder for evaluation.json, evaluation.md, reader.md and a picture of each set.",
        ),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(help="Further file of generated rows, measured by itself under its name; can be repeated."),
    ] = None,
    model: options.Model = None,
    reader: options.ReaderOption = None,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Use only rows of sources that the model's recipe holds out for validation (column `source` or "
            "`file`); a file without such a column is used whole.",
        ),
    ] = False,
    source_prefix: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many of the first characters of a source decide whether it is held out, 0 for the whole source; "
            "by default what the model was trained with (training.json).",
        ),
    ] = None,
) -> None:
    """Run `penpal-fast evaluate`; see `COMMANDS` for the beginning of its help.

    The same for a reader: its errors, and how well match and readability tell right from wrong.
    """
    with readable_errors(), ending_at_once():
        from penpal_fast.checks.quality import Scorer
        from penpal_fast.evaluation.card import picture, tables
        from penpal_fast.evaluation.changed import by_name, measure_changes, measure_files, measure_outliers
        from penpal_fast.evaluation.held_out import prefix_of_models
        from penpal_fast.evaluation.measure import measure
        from penpal_fast.evaluation.read_sets import read_sets
        from penpal_fast.evaluation.reader_card import reader_tables
        from penpal_fast.evaluation.reader_measure import measure_reader
        from penpal_fast.evaluation.sets import held_out_lines, read_set, scored_sets
        from penpal_fast.files import made_folder, replaced_atomically
        from penpal_fast.handwriting.lines import decided_by
        from penpal_fast.look.picture import save_png
        from penpal_fast.reading.reader import Reader

    with readable_errors(), stopped_by_sigterm():
        if source_prefix is not None and not held_out:
            raise UsageError("--source-prefix is for --held-out; add it, or leave --source-prefix out")
        files = by_name(also or ())
        if output is not None:
            made_folder(output)  # What cannot be written is said before the work.
        measured, scorer = Reader(reader), Scorer(model)
        lines = {"real": read_set(real), "clean": read_set(clean), "corrupted": read_set(corrupted)}
        if held_out:
            prefix = prefix_of_models(model, reader) if source_prefix is None else source_prefix or None
            say(f"held out by {decided_by(prefix)}:")
            for name, all_lines in lines.items():
                lines[name] = held_out_lines(all_lines, prefix)
                say(f"  {name}: {len(lines[name]):,} of {len(all_lines):,} rows")
        sets = scored_sets(**lines, scorer=scorer)
        figures = {
            **measure(sets),
            "files": measure_files(files, scorer),
            "changes": measure_changes(sets, scorer),
            "outliers": measure_outliers(sets, scorer),
            "reader": measure_reader(read_sets(sets, measured), measured),
        }
        texts = {"evaluation.md": tables(figures), "reader.md": reader_tables(figures["reader"])}
        for text in texts.values():
            say(text)
        if output is None:
            return
        for name, content in {"evaluation.json": json.dumps(figures, indent=2) + "\n", **texts}.items():
            with replaced_atomically(output / name) as aside:
                aside.write_text(content, encoding="utf-8")
        for name, one in sets.items():
            save_png(picture(one), output / f"{name}.png")
        say(f"wrote {output}")
