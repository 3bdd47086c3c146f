"""Rows that no layout can make small enough: they are left out before they are unpacked."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from penpal_fast._core import MAX_POINTS
from penpal_fast.errors import PenpalError
from penpal_fast.layouts.nested import is_list
from penpal_fast.layouts.sharing import may_share
from penpal_fast.layouts.weights import NUMBERS

MAX_NUMBERS = 8 * MAX_POINTS
"""Numbers of a row, or points that are structs: eight for each of the points that a row may have."""


def without_huge(rows: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """Return sound rows without those of too many numbers, which are null, and what is wrong with these, by index.

    Raises:
        PenpalError: There are such rows, and the type is one of which rows cannot be left out.
    """
    if not may_share(rows.type) and _longest(rows) <= MAX_NUMBERS:
        return rows, {}
    numbers = NUMBERS.of(rows)
    huge = numbers > MAX_NUMBERS
    if not huge.any():
        return rows, {}
    problems = {
        row: f"too many points: the row has {numbers[row]:,.0f} numbers; at most {MAX_NUMBERS:,} are looked at"
        for row in np.flatnonzero(huge).tolist()
    }
    try:
        return rows.take(pa.array(np.arange(len(rows)), mask=huge)), problems
    except pa.ArrowNotImplementedError as error:  # Such as run ends within lists.
        raise PenpalError(f"row {next(iter(problems))}: {next(iter(problems.values()))}") from error


def _longest(array: pa.Array) -> int:
    """Return the most items of an array and of what is nested in it."""
    if is_list(array.type):
        return max(len(array), _longest(_items(array)))
    if pa.types.is_struct(array.type):
        return max(map(_longest, array.flatten()), default=len(array))
    return len(array)


def _items(array: pa.Array) -> pa.Array:
    """Return the values of lists that do not share; of a slice, not those of the whole array."""
    if not len(array):
        return array.values[:0]
    if pa.types.is_fixed_size_list(array.type):
        size = array.type.list_size
        return array.values[array.offset * size : (array.offset + len(array)) * size]
    offsets = array.offsets
    return array.values[offsets[0].as_py() : offsets[-1].as_py()]
