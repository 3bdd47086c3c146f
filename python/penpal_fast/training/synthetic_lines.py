"""Files of synthetic lines that a training makes for itself, once."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.lines import decided_by, is_held_out
from penpal_fast.progress import Progress, no_progress
from penpal_fast.synthesis.line_file import check_made, synthesize
from penpal_fast.synthesis.plan import Plan
from penpal_fast.synthesis.texts import read_texts
from penpal_fast.training.recipe_fields import shown

NAME = re.compile("[A-Za-z0-9_-]+")


@dataclasses.dataclass(frozen=True)
class SyntheticFile:
    """A file of synthetic lines that the training makes.

    Attributes:
        name: Name of the file, without its extension.
        split: The split of the real lines whose texts are written.
        plan: How many lines of which kind.
    """

    name: str
    split: Literal["train", "validation"]
    plan: Plan

    def __post_init__(self) -> None:
        """Check the name and the split."""
        if not isinstance(self.name, str) or not NAME.fullmatch(self.name):
            raise PenpalError(f"recipe: a name must consist of letters, digits, - and _, got {shown(self.name)}")
        if self.split not in ("train", "validation"):
            raise PenpalError(f"recipe: the split of {self.name} must be train or validation, got {self.split!r}")


def check_files(files: Sequence[SyntheticFile]) -> None:
    """Make sure that a recipe's files have different names.

    Raises:
        PenpalError: Two have the same.
    """
    names = [file.name for file in files]
    if len(set(names)) < len(names):
        raise PenpalError(f"recipe: the files of synthetic lines need different names, got {names}")


def synthetic_lines(
    file: SyntheticFile,
    work: Path,
    *,
    real: Path,
    generator: Path | None,
    prefix: int | None,
    processes: int | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Make a file of synthetic lines unless an earlier run made it, or go on with what a killed one has left.

    Args:
        file: What to make.
        work: Folder of the file.
        real: Parquet file of real lines, whose texts are written.
        generator: Weights of the generator.
        prefix: How many of the first characters of a source decide its split; None for the whole source.
        processes: Number of processes; None for one for each processor.
        progress: Called with the rows made so far and the rows planned.

    Returns:
        The path of the file.

    Raises:
        PenpalError: The file is another run's, or it cannot be made.
    """
    path = work / f"{file.name}.parquet"
    held_out = file.split == "validation"
    texts = [text for text in read_texts(real) if is_held_out(text.source, prefix) == held_out]
    if path.exists():
        check_made(path, file.plan, texts, generator)
        return path
    if generator is None:
        raise PenpalError("the recipe makes synthetic lines and needs a generator: name its weights with --generator")
    if not texts:
        raise PenpalError(
            f"{real}: no text belongs to the {file.split} split; more of its sources must differ in what "
            f"decides the side, {decided_by(prefix)}"
        )
    count = processes or os.cpu_count()
    synthesize(file.plan, texts, generator, path, resume=True, processes=count, progress=progress)
    return path
