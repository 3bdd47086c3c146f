"""Rows without a lone first point, with which paths of SVG and of some generators begin, far from the ink."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.arrow_anchors import is_number
from penpal_fast.errors import PenpalError
from penpal_fast.frames import column_of

ListArray: TypeAlias = "pa.ListArray | pa.LargeListArray"


def without_first_points(rows: Any) -> Any:
    """Leave out the first stroke of each row if it is a single point. A row of one stroke is left alone.

    Words and strokes without points do not count. Bad rows stay as they are, and so may their neighbours in an Arrow
    array with broken offsets.

    Args:
        rows: Sequence of rows, or an Arrow array or chunked array of them, in any layout that `render_strokes` takes;
            of a table the column `strokes`.

    Returns:
        The rows, as Arrow of the same type if they were Arrow; the left-out stroke is then one without points. Other
        rows that had a lone first point become words of strokes, or strokes if they had one word or no word level.

    Raises:
        PenpalError: `rows` is not a sequence of rows, or a table without a column `strokes`.
    """
    return _without(column_of(rows))


def _without(rows: Any) -> Any:
    if isinstance(rows, pa.ChunkedArray):
        return pa.chunked_array([_in_arrow(chunk) for chunk in rows.chunks], rows.type)
    if isinstance(rows, pa.Array):
        return _in_arrow(rows)
    read = Rows(rows)
    bad = {row for row, *_ in read.problems()}
    return [row if number in bad else _in_python(row, read, number) for number, row in enumerate(rows)]


def with_first_points_dropped(rows: pa.RecordBatch, column: str) -> pa.RecordBatch:
    """Return rows of a table, their strokes as `without_first_points` returns them."""
    place = rows.schema.get_field_index(column)
    if place < 0:
        return rows
    return rows.set_column(place, rows.schema.field(place), _without(rows.column(place)))


def _in_python(row: Any, read: Rows, number: int) -> Any:
    words = read.words(number)
    if sum(map(len, words)) <= 1 or len(words[0][0]) > 1:
        return row
    kept = [word for word in [words[0][1:], *words[1:]] if word]
    return kept if len(words) > 1 else kept[0]


def _in_arrow(rows: pa.Array) -> pa.Array:
    if isinstance(rows, pa.ExtensionArray):
        return pa.ExtensionArray.from_storage(rows.type, _in_arrow(rows.storage))
    levels = _Levels.of(rows)
    if levels is None:
        return rows
    lone = levels.lone_first_strokes()
    if not lone:
        return rows
    try:
        bad = {row for row, *_ in Rows(rows).problems()}
    except PenpalError:  # It is no stroke column, which whoever draws it says better.
        return rows
    strokes = np.unique([stroke for row, stroke in lone.items() if row not in bad]).astype(np.int64)
    try:
        return levels.without(strokes) if len(strokes) else rows
    except pa.ArrowInvalid:  # Offsets are broken, so it cannot be made; whoever draws it says where.
        return rows


@dataclasses.dataclass(frozen=True)
class _Levels:
    """The levels of a stroke column.

    Attributes:
        outer: The lists above the strokes: rows, and words if there are any.
        structs: The strokes, if they are structs with points.
        strokes: The list of points of each stroke.
    """

    outer: list[ListArray]
    structs: pa.StructArray | None
    strokes: ListArray

    @classmethod
    def of(cls, rows: pa.Array) -> _Levels | None:
        """Find the levels; None if it is no stroke column, which whoever draws it says better."""
        outer, values = _peeled(rows)
        structs = None
        if pa.types.is_struct(values.type) and values.type.get_field_index("points") >= 0:
            structs = values
            inner, values = _peeled(structs.field("points"))
        else:
            outer, inner = outer[:-1], outer[-1:]
        if is_number(values.type):  # A point is a list of two numbers.
            if structs is None:
                outer, inner = outer[:-1], outer[-1:]
            else:
                inner = inner[:-1]
        return cls(outer, structs, inner[0]) if len(inner) == 1 and len(outer) in (1, 2) else None

    def lone_first_strokes(self) -> dict[int, int]:
        """Return the strokes of a single point that are the first of several in their row, by the row."""
        bounds = _offsets(self.outer[0])
        for words in self.outer[1:]:
            bounds = _offsets(words)[np.clip(bounds, 0, len(words))]
        points = np.diff(_offsets(self.strokes))
        drawn = np.flatnonzero(points > 0)
        first, end = np.searchsorted(drawn, bounds[:-1]), np.searchsorted(drawn, bounds[1:])
        rows = np.flatnonzero(end - first > 1)
        found = drawn[first[rows]]
        is_lone = points[found] == 1
        return dict(zip(rows[is_lone].tolist(), found[is_lone].tolist(), strict=True))

    def without(self, strokes: NDArray[np.int64]) -> pa.Array:
        """Return the rows with these strokes, of a point each, without points."""
        offsets, values = _offsets(self.strokes), self.strokes.values
        kept = np.ones(len(values), np.bool_)
        chosen = offsets[strokes]
        kept[chosen[(chosen >= 0) & (chosen < len(values))]] = False
        before = np.concatenate([[0], np.cumsum(~kept)])
        fewer = offsets - before[np.clip(offsets, 0, len(values))]
        made = _list_of(self.strokes, fewer, values.filter(pa.array(kept)))
        if self.structs is not None:
            made = _struct_with(self.structs, made)
        for level in reversed(self.outer):
            # The lists above have as many items as before, so they keep their offsets.
            made = pa.Array.from_buffers(
                level.type, len(level), level.buffers()[:2], level.null_count, level.offset, [made]
            )
        return made


def _peeled(values: pa.Array) -> tuple[list[ListArray], pa.Array]:
    """Return the levels of lists of an array, from the outside, and the values in the innermost."""
    lists: list[ListArray] = []
    while pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
        lists.append(values)
        values = values.values
    return lists, values


def _offsets(lists: ListArray) -> NDArray[np.int64]:
    return np.asarray(lists.offsets).astype(np.int64)


def _list_of(like: ListArray, offsets: NDArray[np.int64], values: pa.Array) -> pa.Array:
    """Return lists with the type and nulls of others."""
    width = np.int64 if pa.types.is_large_list(like.type) else np.int32
    buffers = [_validity(like), pa.py_buffer(offsets.astype(width))]
    return pa.Array.from_buffers(like.type, len(like), buffers, like.null_count, 0, [values])


def _struct_with(structs: pa.StructArray, points: pa.Array) -> pa.Array:
    """Return structs with other points."""
    place = structs.type.get_field_index("points")
    fields = [points if index == place else structs.field(index) for index in range(structs.type.num_fields)]
    return pa.Array.from_buffers(structs.type, len(structs), [_validity(structs)], structs.null_count, 0, fields)


def _validity(values: pa.Array) -> pa.Buffer | None:
    """Return the bitmap of an array that starts at its first value; None without nulls."""
    return pa.array(np.asarray(values.is_valid()), pa.bool_()).buffers()[1] if values.null_count else None
