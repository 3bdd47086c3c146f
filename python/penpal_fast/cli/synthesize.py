"""The command `penpal-fast synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli.console import progress_bar, readable_errors, say


def synthesize(
    texts: Annotated[
        Path, typer.Argument(metavar="TEXTS", help="Text file, one line each, or Parquet file with a column `text`.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Parquet file to write; replaced if it is there.")],
    generator: Annotated[
        Path, typer.Option(help="Weights of a Graves-style generator: safetensors, or npz with the same tensors.")
    ],
    rows: Annotated[int, typer.Option(help="Number of lines.", min=1)] = 1000,
    corrupted: Annotated[bool, typer.Option("--corrupted", help="Disturb the sampling, more or less.")] = False,
    bias: Annotated[
        tuple[float, float], typer.Option(help="Range of the bias, from 0 (wild); the higher, the tidier.")
    ] = (0.9, 0.9),
    longest: Annotated[int, typer.Option(help="Most words of a line.", min=1)] = 6,
    whole_share: Annotated[
        float, typer.Option(help="Share of the lines that are a whole text.", min=0.0, max=1.0)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same lines.", min=0)] = 0,
    processes: Annotated[int | None, typer.Option(help="Processes; by default one for each processor.", min=1)] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run was killed.")] = False,
) -> None:
    """Make handwriting, clean or corrupted: 1 to `--longest` neighbouring words of the texts on each line."""
    with readable_errors():
        from penpal_fast.synthesis import workers
        from penpal_fast.synthesis.plan import Plan
        from penpal_fast.synthesis.texts import read_texts

        plan = Plan(rows, corrupted, seed, bias, longest, whole_share)
        with progress_bar("making lines") as progress:
            workers.synthesize(
                plan, read_texts(texts), generator, output, resume=resume, processes=processes, progress=progress
            )
        say(f"wrote {rows:,} lines to {output}")
