"""The examples of a training step: lines chosen and changed at random, with their targets."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.engines.mlx_memory import writable_canvases
from penpal_fast.errors import row_error
from penpal_fast.handwriting.augmentation import cut, follow, link, resample, resize_dots, smooth, thin
from penpal_fast.handwriting.geometry import drawn_geometry, levelled
from penpal_fast.handwriting.junk import DRAWN, SPOILT, Material
from penpal_fast.handwriting.lines import Line, Split, garbled_lines, read_split
from penpal_fast.handwriting.outliers import OUTLIERS
from penpal_fast.strokes import Strokes
from penpal_fast.training.recipe import Stage

TARGETS = {"real": 1.0, "clean": 0.5, "corrupted": 0.0, "junk": 0.0, "outlier": 0.0}
"""The target of the score for each kind of line."""

SHORT = 20
"""Lines of fewer characters are short."""


@dataclasses.dataclass(frozen=True)
class Sources:
    """Lines of three kinds."""

    real: Split
    clean: Split
    corrupted: Split

    @classmethod
    def read(cls, real: Path, clean: Sequence[Path], corrupted: Sequence[Path], prefix: int | None = None) -> Sources:
        """Read the lines of each kind; see `is_held_out` for the prefix."""
        return cls(read_split(real, prefix), read_splits(clean, prefix), read_splits(corrupted, prefix))


def read_splits(paths: Sequence[Path], prefix: int | None = None) -> Split:
    """Read the lines of several files."""
    splits = [read_split(path, prefix) for path in paths]
    return Split(
        [line for split in splits for line in split.train], [line for split in splits for line in split.validation]
    )


@dataclasses.dataclass(frozen=True)
class Batch:
    """The examples of a step.

    Attributes:
        rows: Strokes.
        targets: Targets of the score, [N].
        lengths: Standardized number of characters of each whole real line; NaN for every other row, [N].
        line_width: Line width in pixels.
    """

    rows: list[Strokes]
    targets: NDArray[np.float32]
    lengths: NDArray[np.float32]
    line_width: float


class _Pool:
    """Lines sorted by elongation."""

    def __init__(self, lines: list[Line]) -> None:
        elongations = np.array([_elongation(line.strokes()) for line in lines])
        order = np.argsort(elongations, kind="stable")
        self._lines = [lines[index] for index in order]
        self._elongations = elongations[order]
        self._neighbours = max(len(lines) // 50, 1)
        self._short = [line for line in self._lines if line.text and len(line.text) < SHORT] or self._lines

    def any(self, random: np.random.Generator) -> Line:
        """Return a random line."""
        return _pick(self._lines, random)

    def short(self, random: np.random.Generator) -> Line:
        """Return a random line of few characters; any if there are none."""
        return _pick(self._short, random)

    def like(self, strokes: Strokes, random: np.random.Generator) -> Line:
        """Return a random line from the fiftieth of all lines whose elongation is closest to a row's."""
        nearest = int(np.searchsorted(self._elongations, _elongation(strokes)))
        first = min(max(nearest - self._neighbours // 2, 0), len(self._lines) - self._neighbours)
        return self._lines[first + int(random.integers(self._neighbours))]


def _elongation(strokes: Strokes) -> float:
    """Return log(width / height) of a row, which decides how small it is on the canvas."""
    points = np.concatenate(strokes)
    width, height = np.ptp(points, axis=0)
    return float(np.log((width + 1e-9) / (height + 1e-9)))


class Examples:
    """Makes the examples of each step, which do not depend on earlier steps."""

    def __init__(self, sources: Sources, stage: Stage, line_width: float) -> None:
        """Take the lines, a stage of the recipe and the network's line width in pixels."""
        self._sources = sources
        self._stage = stage
        self._line_width = line_width
        lengths = [len(line.text) for line in sources.real.train if line.text] or [0]
        self._mean_length, self._length_spread = float(np.mean(lengths)), max(float(np.std(lengths)), 1.0)
        self._garbled = garbled_lines(sources.corrupted.train)
        self._pools = {"clean": _Pool(sources.clean.train), "corrupted": _Pool(sources.corrupted.train)}

    def step(self, step: int) -> Batch:
        """Return the examples of a step."""
        optimization = self._stage.optimization
        random = np.random.default_rng([optimization.seed, step])
        kinds = list(TARGETS)
        shares = np.array([getattr(self._stage.shares, kind) for kind in kinds])
        drawn = [kinds[index] for index in random.choice(len(kinds), optimization.batch_size, p=shares / shares.sum())]
        rows, lengths = zip(*[self._row(kind, random) for kind in drawn], strict=True)
        width = self._line_width + float(np.clip(random.normal(0, self._stage.changes.line_width), -0.3, 0.3))
        width = max(width, self._line_width / 2)
        targets = np.array([TARGETS[kind] for kind in drawn], dtype=np.float32)
        return Batch(list(rows), targets, np.array(lengths, dtype=np.float32), width)

    def _row(self, kind: str, random: np.random.Generator) -> tuple[Strokes, float]:
        """Return a row, and the standardized length of its text for a whole real line, else NaN."""
        length = math.nan
        if kind == "junk":
            strokes = levelled(self._junk_row(random))
        elif kind == "outlier":
            base = ("real", "clean", "corrupted")[int(random.integers(3))]
            strokes = levelled(self._resampled(self._line(base, random)[0], random))
            strokes = list(OUTLIERS.values())[int(random.integers(len(OUTLIERS)))](random, strokes)
        else:
            strokes, text = self._line(kind, random)
            length = self._standardized(text) if text else length
            if random.random() < self._stage.changes.smooth:
                strokes = smooth(strokes, random)
            strokes = levelled(self._resampled(strokes, random))
        return self._reshaped(strokes, random), length

    def _line(self, kind: str, random: np.random.Generator) -> tuple[Strokes, str | None]:
        """Return a line of a kind, and its text if it is a whole real line."""
        strokes, text = self._real(random)
        if kind == "real":
            return strokes, text
        pool, changes, chance = self._pools[kind], self._stage.changes, random.random()
        if chance < changes.matched:
            return pool.like(strokes, random).strokes(), None
        is_short = chance < changes.matched + changes.short
        return (pool.short(random) if is_short else pool.any(random)).strokes(), None

    def _real(self, random: np.random.Generator) -> tuple[Strokes, str | None]:
        """Return a real line, and its text if the line is whole."""
        changes, lines = self._stage.changes, self._sources.real.train
        number = int(random.integers(len(lines)))
        line = lines[number]
        chance = random.random()
        if chance < changes.link:
            return link(line, random, longest=3), None
        if chance < changes.link + changes.follow:
            following = lines[(number + 1) % len(lines)]
            may_follow = line.text and _are_of_one_form(line, following)
            return (follow(line, following) if may_follow else line.strokes()), None
        if chance < changes.link + changes.follow + changes.real_cut:
            return cut(line, random, longest=changes.longest), None
        return line.strokes(), line.text

    def _resampled(self, strokes: Strokes, random: np.random.Generator) -> Strokes:
        changes, chance = self._stage.changes, random.random()
        if random.random() < changes.dots:
            strokes = resize_dots(strokes, random)
        if chance < changes.thin:
            return thin(strokes, random)
        return resample(strokes, random) if chance < changes.thin + changes.resample else strokes

    def _reshaped(self, strokes: Strokes, random: np.random.Generator) -> Strokes:
        changes = self._stage.changes
        if random.random() >= changes.reshape:
            return strokes
        return drawn_geometry(random, slope=changes.slope, slant=changes.slant, stretch=changes.stretch)(strokes)

    def _standardized(self, text: str) -> float:
        return float(np.clip((len(text) - self._mean_length) / self._length_spread, -2.5, 2.5))

    def _junk_row(self, random: np.random.Generator) -> Strokes:
        line, other = self._good_strokes(random), self._good_strokes(random)
        material = Material(line, other, _pick(self._garbled, random).strokes())
        changes = self._stage.changes
        kinds = SPOILT if random.random() < changes.spoilt else DRAWN
        weights = np.array([changes.junk_weights.get(kind, 1.0) for kind in kinds])
        return kinds[list(kinds)[random.choice(len(kinds), p=weights / weights.sum())]](random, material)

    def _good_strokes(self, random: np.random.Generator) -> Strokes:
        lines = self._sources.real.train if random.random() < 0.5 else self._sources.clean.train
        line = _pick(lines, random)
        return cut(line, random, longest=6) if random.random() < 0.5 else line.strokes()


def _are_of_one_form(line: Line, other: Line) -> bool:
    """Whether the sources of two lines are the same, perhaps but for what follows the last hyphen, such as a number."""
    return line.source == other.source or _form(line) == _form(other) != ""


def _form(line: Line) -> str:
    return str(line.source).rpartition("-")[0]


def _pick(lines: list[Line], random: np.random.Generator) -> Line:
    return lines[int(random.integers(len(lines)))]


class Canvases:
    """A batch of pictures in MLX memory, which every call to `render` overwrites."""

    def __init__(self, batch_size: int) -> None:
        """Allocate one batch of pictures."""
        self._array, self._view = writable_canvases(batch_size)

    def render(self, rows: list[Any], line_width: float) -> mx.array:
        """Render at most a batch of rows. The result is valid until the next call."""
        problems = Rows(rows).render_into(self._view[: len(rows)], 0, line_width, 0)
        if problems:
            raise row_error(*problems[0])
        return self._array[: len(rows)]
