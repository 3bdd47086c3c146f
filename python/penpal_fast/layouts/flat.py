"""Strokes as flat lists, `[x, y, x, y, ...]`, as Konva and other libraries for drawings keep them."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from penpal_fast.layouts.layout import Converted
from penpal_fast.layouts.nested import Level, numbers, row_numbers, without_rows, words_of_strokes
from penpal_fast.layouts.problems import first_problems
from penpal_fast.layouts.shape import Shape

MAX_POINT_NUMBERS = 8
"""Lists of equal length may be points, up to this many numbers each."""

MAX_COLUMNS = 4
"""Up to so many lists of equal length may be the columns of a stroke: x, y, time and pressure."""


MAX_SMOOTH = 1.5
"""Numbers that move on evenly are nearly twice as far from the second next as from the next: they are one column."""


@dataclasses.dataclass(frozen=True)
class Flat:
    """Strokes as flat lists.

    Attributes:
        is_named: Whether a caller says so; else only rows speak for it that can hardly be anything else.
    """

    is_named: bool = False
    name: str = "flat"
    description: str = "strokes as flat lists, [x, y, x, y, ...]"

    def takes(self, shape: Shape) -> bool:
        """Whether rows may have this layout by their type."""
        return shape.kind == "numbers" and shape.anchors is None and len(shape.levels) in (2, 3)

    def convert(self, shape: Shape) -> Converted:
        """Convert rows."""
        *above, strokes = shape.levels
        values, nulls = numbers(shape.values[0])
        odd = strokes.lengths % 2 == 1
        wrong = np.flatnonzero(odd)
        owners = row_numbers(above)
        problems = first_problems(
            owners[wrong],
            lambda index: f"wrong type: a stroke has {strokes.lengths[wrong[index]]} numbers; x and y are pairs",
        )
        lengths = np.where(odd, 0, strokes.lengths // 2)
        inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        x = np.repeat(strokes.starts[:-1], lengths) + 2 * inside
        rows = words_of_strokes(
            [*above, Level(lengths, strokes.valid)], values[x], values[x + 1], nulls[x] | nulls[x + 1]
        )
        speaking = shape.found if self.is_named else shape.found & _are_clear(shape)
        return Converted(without_rows(rows, list(problems)), problems, speaking)


def _are_clear(shape: Shape) -> NDArray[np.bool_]:
    """Which rows have lists that are neither points, nor offsets, nor the columns of a stroke."""
    *above, lists = shape.levels
    owners, rows = row_numbers(above), len(above[0].lengths)
    shortest, longest = np.full(rows, np.iinfo(np.int64).max), np.zeros(rows, np.int64)
    np.minimum.at(shortest, owners, lists.lengths)
    np.maximum.at(longest, owners, lists.lengths)
    are_points = (shortest == longest) & (longest <= MAX_POINT_NUMBERS)
    to_next, to_second = _distances(shape)
    smooth = np.bincount(owners, to_second, rows) > MAX_SMOOTH * np.bincount(owners, to_next, rows)
    mixed = np.bincount(owners[to_second * 2 >= to_next], minlength=rows) > 0
    return ~are_points & ~smooth & (~_may_be_columns(shape) | ~mixed)


def _distances(shape: Shape) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far the numbers of each list are from the next ones, and from the second next: x and y in turn are near."""
    lists = shape.levels[-1]
    values, owners = np.nan_to_num(numbers(shape.values[0])[0], posinf=0, neginf=0), lists.owners()
    found = []
    for ahead in (1, 2):
        with np.errstate(over="ignore"):
            far = np.abs(values[ahead:] - values[:-ahead]) * (owners[ahead:] == owners[:-ahead])
            found.append(np.bincount(owners[:-ahead], far, len(lists.lengths)).astype(np.float64))
    return found[0], found[1]


def _may_be_columns(shape: Shape) -> NDArray[np.bool_]:
    """Which rows have only groups of 2 to 4 lists of equal length, or none: the columns of a stroke."""
    *above, lists = shape.levels
    groups = above[-1]
    owners = groups.owners()
    first = lists.lengths[np.minimum(groups.starts[:-1], max(len(lists.lengths) - 1, 0))] if len(owners) else owners
    alike = (
        np.bincount(owners[(lists.lengths != first[owners]) & (lists.lengths > 0)], minlength=len(groups.lengths)) == 0
    )
    alike &= (groups.lengths >= 2) & (groups.lengths <= MAX_COLUMNS)
    alike |= groups.lengths == 0
    rows = row_numbers(above[:-1]) if len(above) > 1 else np.arange(len(groups.lengths))
    return np.bincount(rows[~alike], minlength=len(above[0].lengths)) == 0
