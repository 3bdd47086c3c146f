"""Arrow lists taken apart into lengths and values without gaps, and words of strokes put together."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast import kernels as pc

Lengths = NDArray[np.int64]

WORDS = pa.large_list(pa.large_list(pa.large_list(pa.struct([("x", pa.float64()), ("y", pa.float64())]))))
"""Type of rows that were converted: words of strokes of points."""


@dataclasses.dataclass(frozen=True)
class Level:
    """One level of lists.

    Attributes:
        lengths: Number of items of each list [N]; 0 for null.
        valid: Which lists are not null [N].
    """

    lengths: Lengths
    valid: NDArray[np.bool_]

    @property
    def starts(self) -> Lengths:
        """Where each list begins in the values, and where the last ends [N + 1]."""
        return np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)

    def owners(self) -> Lengths:
        """The list that each value is in."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)


def is_list(kind: pa.DataType) -> bool:
    """Whether a type is a list of any kind."""
    types = pa.types
    checks = ("is_list", "is_large_list", "is_fixed_size_list", "is_list_view", "is_large_list_view")
    return any(getattr(types, name)(kind) for name in checks if hasattr(types, name))


def is_number(kind: pa.DataType) -> bool:
    """Whether a type holds numbers, or what becomes numbers: booleans, decimals and nulls."""
    types = pa.types
    return bool(
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_null(kind)
    )


def plain(array: pa.Array) -> pa.Array:
    """Return the values of an array whose type only says how they are stored: extensions, dictionaries, run ends."""
    while True:
        if isinstance(array, pa.ExtensionArray):
            array = array.storage
        elif pa.types.is_dictionary(array.type):
            array = array.dictionary.take(array.indices)
        elif pa.types.is_run_end_encoded(array.type):
            array = array.values.take(pa.array(indices_of_runs(array)))  # PyArrow 21 decodes no lists.
        else:
            return array


def indices_of_runs(array: pa.Array) -> NDArray[np.int64]:
    """Return for each item [N] of a run-end encoded array where its value is among the values."""
    items = np.arange(array.offset, array.offset + len(array))
    return np.searchsorted(array.run_ends.to_numpy(), items, side="right")


def whole(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    if not isinstance(column, pa.ChunkedArray):
        return column
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [empty_array(column.type)])


def empty_array(kind: pa.DataType) -> pa.Array:
    """Return an empty array of any type."""
    return pa.nulls(0, kind)  # An array of a list would import pandas, where it is installed: a quarter of a second.


def mapped_type(kind: pa.DataType, leaf: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Return a type with `leaf` of each type in it that holds no others."""

    def mapped(field: pa.Field) -> pa.Field:
        return field.with_type(mapped_type(field.type, leaf))

    if pa.types.is_struct(kind):
        return pa.struct([mapped(field) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(mapped(kind.key_field), mapped(kind.item_field), kind.keys_sorted)
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(mapped(kind.value_field), kind.list_size)
    if pa.types.is_large_list(kind):
        return pa.large_list(mapped(kind.value_field))
    return pa.list_(mapped(kind.value_field)) if pa.types.is_list(kind) else leaf(kind)


def depth_of(kind: pa.DataType) -> int | None:
    """Return how many levels of lists a column has above its numbers; None if it has something else in them."""
    depth = 0
    while is_list(kind):
        kind, depth = kind.value_type, depth + 1
    return depth if not pa.types.is_nested(kind) and not pa.types.is_string(kind) else None


def peel(array: pa.Array) -> tuple[Level, pa.Array]:
    """Take the outermost lists off an array."""
    if not len(array):  # To tell a type from an empty array must not import pandas; see `empty_array`.
        return Level(np.zeros(0, np.int64), np.zeros(0, np.bool_)), array.values[:0]
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    return Level(lengths, np.asarray(array.is_valid())), pc.list_flatten(array)


def numbers(array: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return numbers as float64, and which of them are null."""
    nulls = np.asarray(array.is_null())
    return pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False), nulls


def words_of_strokes(
    levels: Sequence[Level], x: NDArray[np.float64], y: NDArray[np.float64], nulls: NDArray[np.bool_]
) -> pa.Array:
    """Put words of strokes together.

    Args:
        levels: Rows, words if there are any, and strokes, the last of which holds the points.
        x: Of all points.
        y: Of all points.
        nulls: Points that are null.
    """
    mask = nulls if nulls.any() else None
    made = pa.StructArray.from_arrays([pa.array(x, mask=mask), pa.array(y, mask=mask)], names=["x", "y"])
    for level in reversed(_with_words(levels)):
        mask = None if level.valid.all() else pa.array(~level.valid)
        made = pa.LargeListArray.from_arrays(pa.array(level.starts), made, mask=mask)
    return made.cast(WORDS)


def _with_words(levels: Sequence[Level]) -> list[Level]:
    """Put the strokes of each row into one word, if there are no words."""
    if len(levels) > 2:
        return list(levels)
    rows, strokes = levels
    words = Level(rows.lengths[rows.valid], np.ones(int(rows.valid.sum()), np.bool_))
    return [Level(rows.valid.astype(np.int64), rows.valid), words, strokes]


def row_numbers(levels: Sequence[Level]) -> Lengths:
    """The row that each value of the innermost lists is in."""
    rows = np.arange(len(levels[0].lengths))
    for level in levels:
        rows = np.repeat(rows, level.lengths)
    return rows


def without_rows(array: pa.Array, rows: Sequence[int]) -> pa.Array:
    """Make some rows of an array null."""
    if not rows:
        return array
    kept = np.ones(len(array), np.bool_)
    kept[list(rows)] = False
    return pc.if_else(pa.array(kept), array, pa.scalar(None, array.type))
