"""The examples of a step: lines drawn at random by the recipe's shares, changed by chance, with their targets."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from penpal_fast._core import Rows
from penpal_fast.mlx_memory import writable_canvases
from penpal_fast.training.augmentation import bend, cut, link, smooth, thin
from penpal_fast.training.junk import KINDS
from penpal_fast.training.lines import Line, Split, Strokes, read_split

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import mlx.core as mx
    from numpy.typing import NDArray

    from penpal_fast.training.recipe import Recipe

TARGETS = {"real": 1.0, "clean": 0.5, "corrupted": 0.0, "junk": 0.0}
"""What the score is to be for each kind of line."""


@dataclasses.dataclass(frozen=True)
class Sources:
    """The three kinds of lines."""

    real: Split
    clean: Split
    corrupted: Split

    @classmethod
    def read(cls, real: Path, clean: Sequence[Path], corrupted: Sequence[Path]) -> Sources:
        """Read the lines of each kind."""
        return cls(read_split(real), _joined(clean), _joined(corrupted))


def _joined(paths: Sequence[Path]) -> Split:
    splits = [read_split(path) for path in paths]
    return Split(
        [line for split in splits for line in split.train], [line for split in splits for line in split.validation]
    )


class Examples:
    """Any step's examples, whatever steps came before."""

    def __init__(self, sources: Sources, recipe: Recipe) -> None:
        """Take the lines and the recipe."""
        self._sources = sources
        self._recipe = recipe
        self._junk = list(KINDS.values())

    def step(self, step: int) -> tuple[list[Strokes], NDArray[np.float32], float]:
        """Return the rows of a step, their targets and the line width in pixels."""
        recipe = self._recipe
        random = np.random.default_rng([recipe.optimization.seed, step])
        kinds = list(TARGETS)
        shares = [getattr(recipe.shares, kind) for kind in kinds]
        drawn = [kinds[index] for index in random.choice(len(kinds), recipe.optimization.batch_size, p=shares)]
        rows = [self._row(kind, random) for kind in drawn]
        width = recipe.network.line_width + float(np.clip(random.normal(0, recipe.changes.line_width), -0.3, 0.3))
        return rows, np.array([TARGETS[kind] for kind in drawn], dtype=np.float32), width

    def _row(self, kind: str, random: np.random.Generator) -> Strokes:
        changes = self._recipe.changes
        if kind == "junk":
            return self._junk_row(random)
        line = _pick(getattr(self._sources, kind).train, random)
        chance = random.random()
        if kind == "real" and chance < changes.link:
            strokes = link(line, random, longest=3)
        elif chance < changes.link + getattr(changes, f"{kind}_cut"):
            strokes = cut(line, random, longest=changes.longest)
        else:
            strokes = line.strokes()
        if kind == "real" and random.random() < changes.smooth:
            strokes = smooth(strokes, random)
        if random.random() < changes.thin:
            strokes = thin(strokes, random)
        return bend(strokes, random) if random.random() < changes.bend else strokes

    def _junk_row(self, random: np.random.Generator) -> Strokes:
        lines = self._sources.real.train if random.random() < 0.6 else self._sources.clean.train
        line = _pick(lines, random)
        strokes = cut(line, random, longest=6) if random.random() < 0.5 else line.strokes()
        return self._junk[int(random.integers(len(self._junk)))](random, strokes)


def _pick(lines: list[Line], random: np.random.Generator) -> Line:
    return lines[int(random.integers(len(lines)))]


class Canvases:
    """A batch of pictures that are rendered again and again into the same MLX memory."""

    def __init__(self, batch_size: int) -> None:
        """Allocate the pictures of one batch."""
        self._array, self._view = writable_canvases(batch_size)

    def render(self, rows: list[Any], line_width: float) -> mx.array:
        """Render rows, at most a batch of them. The result is valid until the next call."""
        problems = Rows(rows).render_into(self._view[: len(rows)], 0, line_width, 0)
        if problems:
            raise ValueError(f"a training row cannot be rendered: {problems[0]}")
        return self._array[: len(rows)]
