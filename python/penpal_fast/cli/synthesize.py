"""The command `penpal-fast synthesize`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from penpal_fast.cli import options
from penpal_fast.cli.console import counted, readable_errors, say, stopped_by_sigterm
from penpal_fast.cli.progress import progress_bar
from penpal_fast.startup import ending_at_once


def synthesize(
    texts: Annotated[
        Path,
        typer.Argument(metavar="TEXTS", help="Text file, one text per line, or Parquet file with a column `text`."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Parquet file to write; an existing file is replaced.")
    ],
    generator: Annotated[
        Path, typer.Option(help="Weights of a Graves-style generator: safetensors, or npz with the same tensors.")
    ],
    rows: Annotated[int, typer.Option(help="Number of rows.", min=1)] = 1000,
    corrupted: Annotated[bool, typer.Option("--corrupted", help="Disturb the sampling by a random amount.")] = False,
    bias: Annotated[tuple[float, float], typer.Option(help="Range of the bias. 0 is wild; higher is tidier.")] = (
        0.9,
        0.9,
    ),
    longest: Annotated[int, typer.Option(help="Maximum number of words in a row.", min=1)] = 6,
    whole_share: Annotated[float, typer.Option(help="Share of rows that are a whole text.", min=0.0, max=1.0)] = 0.0,
    seed: Annotated[int, typer.Option(help="Random seed; the same seed makes the same rows.", min=0)] = 0,
    processes: Annotated[
        int | None, typer.Option(help="Number of processes; default: one per processor.", min=1)
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Resume an interrupted run.")] = False,
) -> None:
    """Run `penpal-fast synthesize`; see `COMMANDS` for the beginning of its help."""
    with readable_errors(), ending_at_once():
        from penpal_fast.files import check_is_no_input
        from penpal_fast.synthesis import line_file
        from penpal_fast.synthesis.plan import Plan
        from penpal_fast.synthesis.texts import read_texts

    with readable_errors(), stopped_by_sigterm(), options.logged(verbose=False):
        check_is_no_input(output, [texts, generator])
        plan = Plan(rows, corrupted, seed, bias, longest, whole_share)
        with progress_bar("making rows") as progress:
            line_file.synthesize(
                plan, read_texts(texts), generator, output, resume=resume, processes=processes, progress=progress
            )
        say(f"wrote {counted(rows, 'row')} to {output}")
