"""Strokes as columns: `[[x...], [y...], [t...]]` as Quick, Draw! has them, or `{x: [...], y: [...]}`.

The columns may hold a stroke, or all strokes of a row, as Hugging Face data sets keep a sequence of objects.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import (
    Lengths,
    Level,
    depth_of,
    is_list,
    numbers,
    peel,
    row_numbers,
    without_rows,
    words_of_strokes,
)
from penpal_fast.layouts.problems import first_problems
from penpal_fast.layouts.shape import Shape

Numbers = NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Columns:
    """Strokes as columns.

    Attributes:
        size: How many columns a stroke has, if they are lists in a list; None for structs.
    """

    size: int | None = None
    name: str = "columns"

    @property
    def description(self) -> str:
        """What its rows are."""
        return "strokes as columns, " + (
            "{x: [...], y: [...]}" if self.size is None else "[[x...], [y...]] (QuickDraw)"
        )

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return _are_lists(shape) if shape.kind == "columns" else shape.kind == "numbers" and len(shape.levels) in (3, 4)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        return _from_structs(shape) if shape.kind == "columns" else _from_lists(shape, self.size or 2)


def _from_lists(shape: Shape, size: int) -> Converted:
    *above, strokes, columns = shape.levels
    values, nulls = numbers(shape.values[0])
    owners = strokes.owners()
    first = np.minimum(strokes.starts[:-1], max(len(columns.lengths) - 1, 0))
    lengths = np.where(strokes.lengths > 0, columns.lengths[first], 0) if len(columns.lengths) else strokes.lengths
    differ = columns.lengths != lengths[owners]
    differ &= (columns.lengths > 0) | (np.arange(len(owners)) - strokes.starts[owners] < 2)  # Times may be left out.
    uneven = np.bincount(owners[differ], minlength=len(strokes.lengths)) > 0
    sized = strokes.lengths == size
    empty = strokes.lengths == 0
    wrong = np.flatnonzero((~sized & ~empty) | uneven)
    problems = first_problems(
        row_numbers(above)[wrong],
        lambda index: (
            "wrong type: the columns of a stroke differ in length"
            if sized[wrong[index]]
            else f"wrong type: a stroke has {strokes.lengths[wrong[index]]} columns; those of the file have {size}"
        ),
    )
    lengths = np.where(sized & ~uneven, lengths, 0)
    starts = columns.starts
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    x = np.repeat(starts[strokes.starts[:-1] * sized], lengths) + inside
    y = np.repeat(starts[(strokes.starts[:-1] + 1) * sized], lengths) + inside
    levels = [*above, Level(lengths, _all_valid(strokes, columns))]
    rows = words_of_strokes(levels, values[x], values[y], nulls[x] | nulls[y])
    speaking = shape.found & _timed(above, strokes, values, lengths, starts, size)
    speaking[row_numbers(levels)[nulls[x] | nulls[y]]] = False
    return Converted(without_rows(rows, list(problems)), problems, speaking)


def _timed(
    above: list[Level], strokes: Level, values: Numbers, lengths: Lengths, starts: Lengths, size: int
) -> NDArray[np.bool_]:
    """Which rows have a third column that may be times, as it never falls, or have two columns only."""
    rows = len(above[0].lengths)
    if size < 3 or len(starts) < 2:
        return np.ones(rows, np.bool_)
    third = np.minimum(strokes.starts[:-1] + 2, len(starts) - 2)
    lengths = np.minimum(lengths, np.diff(starts)[third])  # Times may be left out.
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    owners = np.repeat(np.arange(len(lengths)), lengths)
    times = values[starts[strokes.starts[:-1] + 2 * (lengths > 0)][owners] + inside]
    falls = np.flatnonzero((np.diff(times) < 0) & (np.diff(owners) == 0))
    return np.bincount(row_numbers(above)[owners[falls]], minlength=rows) == 0


def _all_valid(strokes: Level, columns: Level) -> NDArray[np.bool_]:
    """Which strokes are not null, nor their columns."""
    nulls = np.bincount(strokes.owners()[~columns.valid], minlength=len(strokes.lengths))
    return strokes.valid & (nulls == 0)


def _from_structs(shape: Shape) -> Converted:
    levels = list(shape.levels)
    problems: dict[int, str] = {}
    x, y = shape.values[:2]
    while is_list(x.type) and is_list(y.type):
        (of_x, inside_x), (of_y, inside_y) = peel(x), peel(y)
        wrong = np.flatnonzero(of_x.lengths != of_y.lengths)
        if len(wrong):
            found = row_numbers(levels)[wrong] if levels else wrong
            problems |= first_problems(
                found,
                lambda index, of_x=of_x, of_y=of_y, wrong=wrong: (  # type: ignore[misc]
                    f"wrong type: x has {of_x.lengths[wrong[index]]} items and y {of_y.lengths[wrong[index]]}"
                ),
            )
            kept = pa.array(np.arange(len(x)), mask=of_x.lengths != of_y.lengths)
            (of_x, inside_x), (of_y, inside_y) = peel(x.take(kept)), peel(y.take(kept))
        levels.append(Level(of_x.lengths, of_x.valid & of_y.valid))
        x, y = inside_x, inside_y
    (x_values, x_nulls), (y_values, y_nulls) = numbers(x), numbers(y)
    rows = words_of_strokes(levels, x_values, y_values, x_nulls | y_nulls)
    return Converted(without_rows(rows, list(problems)), problems, levels[0].lengths > 0)


def _are_lists(shape: Shape) -> bool:
    """Whether x and y are nested alike, as the points of strokes."""
    of_x, of_y = (depth_of(values.type) for values in shape.values[:2])
    return of_x is not None and of_x == of_y and len(shape.levels) + of_x in (2, 3)
