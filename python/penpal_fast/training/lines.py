"""Lines of handwriting for training: words of strokes, cut and bent as training wants them."""

from __future__ import annotations

import dataclasses
import itertools
import math
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

VALIDATION_PERCENT = 12
"""Share of the groups that are kept for validation."""


@dataclasses.dataclass(frozen=True)
class Line:
    """One line of handwriting: words of strokes of [N, 2] points, y growing downward."""

    words: list[list[NDArray[np.float64]]]

    def strokes(self, first: int = 0, count: int | None = None) -> list[NDArray[np.float64]]:
        """Return the strokes of `count` words from word `first` on, or of all."""
        chosen = self.words[first:] if count is None else self.words[first : first + count]
        return [stroke for word in chosen for stroke in word]


@dataclasses.dataclass(frozen=True)
class Split:
    """The lines of one source, apart for training and for validation."""

    train: list[Line]
    validation: list[Line]


def read_lines(path: Path, *, group_column: str | None = None, group_length: int = 3) -> Split:
    """Read a Parquet file in the penpal schema and split it by group, never by row, where there is a group column.

    Args:
        path: The file, with the column `strokes` (words of strokes of points).
        group_column: Text column whose first characters name the group, such as the form of a scanned line; None to
            split by row.
        group_length: How many characters name the group.
    """
    table = pq.read_table(path)
    lines = [_line(row) for row in _nested_points(table["strokes"].combine_chunks())]
    if group_column is None:
        groups = [str(row) for row in range(len(lines))]
    else:
        groups = [str(name)[:group_length] for name in table[group_column].to_pylist()]
    held_out = [zlib.crc32(group.encode()) % 100 < VALIDATION_PERCENT for group in groups]
    paired = [(line, held) for line, held in zip(lines, held_out, strict=True) if line.strokes()]
    return Split([line for line, held in paired if not held], [line for line, held in paired if held])


def _nested_points(rows: pa.Array) -> list[Any]:
    """Cut the flat coordinates of a stroke column into rows of words of strokes."""
    words = rows.flatten()
    strokes = words.flatten()
    points = strokes.field("points").flatten()
    coordinates = np.stack([np.asarray(points.field(axis), dtype=np.float64) for axis in ("x", "y")], axis=1)
    values: Any = coordinates
    for lists in (strokes.field("points"), words, rows):
        offsets = np.asarray(lists.offsets) - lists.offsets[0].as_py()
        values = [values[start:end] for start, end in itertools.pairwise(offsets)]
    return list(values)


def _line(words: list[list[NDArray[np.float64]]]) -> Line:
    return Line([[stroke for stroke in word if len(stroke)] for word in words])


def cut(line: Line, random: np.random.Generator, *, longest: int = 6) -> list[NDArray[np.float64]]:
    """Return a random run of 1 to `longest` words."""
    count = int(random.integers(1, longest + 1))
    first = int(random.integers(0, max(len(line.words) - count, 0) + 1))
    return line.strokes(first, count) or line.strokes()


def bend(strokes: list[NDArray[np.float64]], random: np.random.Generator) -> list[NDArray[np.float64]]:
    """Rotate, slant and stretch a row so little that it is still the same handwriting.

    More would take away what tells real lines from synthetic ones: these are level, for one, and real ones are not.
    """
    angle = math.radians(random.normal(0.0, 0.7))
    slant = random.normal(0.0, 0.05)
    stretch = math.exp(random.normal(0.0, 0.05))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    matrix = np.array([[stretch, 0.0], [-slant * stretch, 1.0]]) @ turn
    return [stroke @ matrix for stroke in strokes]
