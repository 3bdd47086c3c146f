"""Making the clean lines of a reader's training with the generator, in parts, so that a killed job goes on."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from penpal_fast.files import made_folder, replaced_atomically
from penpal_fast.synthesis.generator import Generator, Request
from penpal_fast.synthesis.plan import PART_ROWS, Planned
from penpal_fast.synthesis.table import table_of
from penpal_fast.synthesis.texts import Text
from penpal_fast.synthesis.words import words_of_strokes
from penpal_fast.synthesis.workers import BLAS_THREADS
from penpal_fast.training.reader.texts import draw_text

NO_STYLE = 0.05
"""Share of the lines that are written in whatever hand comes."""

USUAL_SHARE = 0.4
USUAL_BIAS = (0.7, 1.0)
"""The bias that most data sets are made with, and the share of the lines that get it."""

BIAS = (0.2, 1.2)
"""Range of the bias of the other lines, from hasty to tidy."""

SAMPLING = 1
"""Sets the chances of sampling apart from those of planning, which have the same seed."""


def make_lines(
    texts: Sequence[Text],
    generator: Path,
    folder: Path,
    *,
    rows: int,
    seed: int,
    processes: int = 1,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Path]:
    """Make clean lines as Parquet files in the penpal schema; existing parts stay.

    Args:
        texts: Lines of prose; the words to write come from them.
        generator: The generator's weights.
        folder: Where the parts go; created if missing. Use one folder for one set of arguments.
        rows: Number of lines.
        seed: Seed of texts, styles, biases and sampling.
        processes: Number of processes.
        progress: Called with the number of finished parts and of all parts.

    Raises:
        PenpalError: The generator cannot be used.
    """
    made_folder(folder)
    parts = [folder / f"part-{part:05}.parquet" for part in range(-(-rows // PART_ROWS))]
    missing = [part for part, path in enumerate(parts) if not path.exists()]
    for name in BLAS_THREADS:
        os.environ.setdefault(name, "1")
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context, _start, (generator, list(texts), seed)) as pool:
        running = [
            pool.submit(_make_part, part, min(PART_ROWS, rows - part * PART_ROWS), parts[part]) for part in missing
        ]
        for done, finished in enumerate(concurrent.futures.as_completed(running), start=1):
            finished.result()
            progress(len(parts) - len(missing) + done, len(parts))
    return parts


class _Worker:
    """What a process keeps between parts."""

    generator: Generator
    texts: list[Text]
    seed: int


def _start(generator: Path, texts: list[Text], seed: int) -> None:
    _Worker.generator, _Worker.texts, _Worker.seed = Generator(generator, backend="numpy"), texts, seed


def _make_part(part: int, rows: int, path: Path) -> None:
    generator, seed = _Worker.generator, _Worker.seed
    random = np.random.default_rng([seed, part])
    lines = [_planned(generator, _Worker.texts, random) for _ in range(rows)]
    writings = generator.write([line.request for line in lines], seed=[seed, part, SAMPLING])
    words = [words_of_strokes(writing, line.request.text) for writing, line in zip(writings, lines, strict=True)]
    with replaced_atomically(path) as aside:
        pq.write_table(table_of(lines, words), aside, compression="zstd")


def _planned(generator: Generator, texts: Sequence[Text], random: np.random.Generator) -> Planned:
    text = ""
    while not text:
        drawn = draw_text(texts, random)
        unknown = set(generator.unknown(drawn))
        text = "".join(letter for letter in drawn if letter not in unknown).strip()
    style = None if random.random() < NO_STYLE else int(random.integers(len(generator.styles)))
    bias = random.uniform(*(USUAL_BIAS if random.random() < USUAL_SHARE else BIAS))
    return Planned(Request(text, style, float(bias)), "made", None)
