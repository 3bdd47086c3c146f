"""Making the clean lines of a reader's training with the generator, in parts, so that a killed job goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from penpal_fast.files import made_folder
from penpal_fast.progress import Progress, no_progress
from penpal_fast.synthesis.generator import Generator, Request
from penpal_fast.synthesis.parts import make_parts, open_folder, part_paths
from penpal_fast.synthesis.plan import PART_ROWS, Planned
from penpal_fast.synthesis.texts import Text
from penpal_fast.training.reader.texts import draw_text

NO_STYLE = 0.05
"""Share of the lines that are written in whatever hand comes."""

USUAL_SHARE = 0.4
USUAL_BIAS = (0.7, 1.0)
"""The bias that most data sets are made with, and the share of the lines that get it."""

BIAS = (0.2, 1.2)
"""Range of the bias of the other lines, from hasty to tidy."""


@dataclasses.dataclass(frozen=True)
class MadeLines:
    """Lines of all kinds of texts in all kinds of hands; see `Planner`.

    Attributes:
        texts: Lines of prose; the words to write come from them.
        rows: Number of lines.
        seed: Seed of texts, styles, biases and sampling.
    """

    texts: Sequence[Text]
    rows: int
    seed: int

    def lines(self, part: int, generator: Generator) -> list[Planned]:
        """Plan the lines of a part."""
        random = np.random.default_rng([self.seed, part])
        rows = min(PART_ROWS, self.rows - part * PART_ROWS)
        return [_planned(generator, self.texts, random) for _ in range(rows)]


def make_lines(
    texts: Sequence[Text],
    generator: Path,
    folder: Path,
    *,
    rows: int,
    seed: int,
    processes: int = 1,
    progress: Progress = no_progress,
) -> list[Path]:
    """Make clean lines as Parquet files in the penpal schema; existing parts stay.

    Args:
        texts: Lines of prose; the words to write come from them.
        generator: The generator's weights.
        folder: Where the parts go; created if missing.
        rows: Number of lines.
        seed: Seed of texts, styles, biases and sampling.
        processes: Number of processes.
        progress: Called with the number of finished parts and of all parts.

    Raises:
        PenpalError: The generator cannot be used, or the parts in the folder are from other arguments.
    """
    if not rows:
        return []
    Generator(generator, backend="numpy")  # What is wrong with it is said before processes start.
    made_folder(folder)
    open_folder(folder, {"rows": rows, "seed": seed}, texts, generator)
    paths = part_paths(folder, -(-rows // PART_ROWS))
    planner = MadeLines(list(texts), rows, seed)
    make_parts(planner, generator, paths, processes, lambda done: progress(done, len(paths)))
    return paths


def _planned(generator: Generator, texts: Sequence[Text], random: np.random.Generator) -> Planned:
    text = ""
    while not text:
        drawn = draw_text(texts, random)
        unknown = set(generator.unknown(drawn))
        text = "".join(letter for letter in drawn if letter not in unknown).strip()
    style = None if random.random() < NO_STYLE else int(random.integers(len(generator.styles)))
    bias = random.uniform(*(USUAL_BIAS if random.random() < USUAL_SHARE else BIAS))
    return Planned(Request(text, style, float(bias)), "made", None)
