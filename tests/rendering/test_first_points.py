"""Rows without a lone first point, in every layout."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from helpers.arrow import column, strokes
from helpers.made_lines import scrawl
from penpal_fast import PenpalError, strokes_from_offsets, without_first_points
from penpal_fast._core import Rows
from penpal_fast.schema import STROKES

DOT = [(0.0, 0.0)]
LINE, OTHER = scrawl(1, 3, 6), scrawl(2, 2, 4)

ROWS = {
    "as it is": (LINE, LINE),
    "lone point": ([DOT, *LINE], LINE),
    "two lone points": ([DOT, DOT, *LINE], [DOT, *LINE]),
    "point and dot": ([DOT, [(5.0, 5.0)]], [[(5.0, 5.0)]]),
    "one point": ([DOT], [DOT]),
    "one stroke": ([LINE[0]], [LINE[0]]),
    "a dot later": ([LINE[0], DOT], [LINE[0], DOT]),
    "empty strokes before it": ([[], DOT, [], *OTHER], OTHER),
    "a point and empty strokes": ([DOT, []], [DOT]),
    "nothing": ([], []),
    "empty stroke": ([[]], [[]]),
}
"""Rows, and what is left of them."""


def pairs(row):
    return [[list(point) for point in stroke] for stroke in row]


LIST, LARGE = pa.list_, pa.large_list
POINT = pa.struct([("x", pa.float32()), ("y", pa.float32())])
TIMED = pa.struct([("t", pa.int16()), ("x", pa.float64()), ("y", pa.float64())])


def stroke_structs(row):
    return [{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in row]


LAYOUTS = {
    "penpal": (STROKES, lambda row: [stroke_structs(row)]),
    "a word for each stroke": (STROKES, lambda row: [[stroke] for stroke in stroke_structs(row)]),
    "without words": (LIST(pa.struct([("points", LIST(POINT))])), stroke_structs),
    "large": (LARGE(LARGE(pa.struct([("points", LARGE(POINT))]))), lambda row: [[], stroke_structs(row), []]),
    "more fields": (
        LIST(pa.struct([("colour", pa.string()), ("points", LIST(TIMED)), ("pen", pa.int8())])),
        lambda row: [{"colour": "red", **stroke, "pen": 3} for stroke in stroke_structs(row)],
    ),
    "lists of points": (LIST(LIST(POINT)), lambda row: [stroke["points"] for stroke in stroke_structs(row)]),
    "words of lists of pairs": (LIST(LIST(LIST(LIST(pa.float64())))), lambda row: [pairs(row)]),
    "lists of pairs": (LIST(LARGE(LIST(pa.int32()))), pairs),
    "fixed pairs": (LIST(LIST(pa.list_(pa.float32(), 2))), pairs),
    "structs of pairs": (
        LIST(pa.struct([("points", LIST(LIST(pa.float64())))])),
        lambda row: [{"points": stroke} for stroke in pairs(row)],
    ),
}


def drawn(rows):
    """The strokes of each row as they are drawn, None for a bad row."""
    read = Rows(rows)
    bad = {row: text for row, _, _, text in read.problems()}
    return [
        bad.get(row) or [np.round(stroke, 4).tolist() for word in read.words(row) for stroke in word]
        for row in range(len(read))
    ]


def whole(row):
    return [[(int(x), int(y)) for x, y in stroke] for stroke in row]


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("sliced", [False, True])
def test_every_arrow_layout(name, sliced):
    kind, nested = LAYOUTS[name]
    before, after = ([None, *(nested(whole(row)) for row in side), None] for side in zip(*ROWS.values(), strict=True))
    array, expected = (pa.array(rows, kind) for rows in (before, after))
    if sliced:
        array, expected = array.slice(2, 9), expected.slice(2, 9)
    found = without_first_points(array)
    found.validate(full=True)
    assert found.type == array.type
    assert found.null_count == array.null_count
    assert drawn(found) == drawn(expected)
    assert drawn(array) != drawn(expected)
    chunks = without_first_points(pa.chunked_array([array, array.slice(1)]))
    assert drawn(chunks) == drawn(expected) + drawn(expected)[1:]


def test_other_fields_and_nulls_inside_stay():
    kind, nested = LAYOUTS["more fields"]
    null_stroke = [*nested(whole([DOT, *LINE])), None]
    array = pa.array([nested(whole([DOT, *LINE])), null_stroke, None, nested(whole(OTHER))], kind)
    found = without_first_points(array)
    found.validate(full=True)
    expected = array.to_pylist()
    expected[0][0]["points"] = []
    assert found.to_pylist() == expected
    assert drawn(found)[1] == drawn(array)[1]  # The problem of a bad row.


def bad_point(x, y, kind):
    """A lone point as a type of Arrow has it."""
    point = {"x": x, "y": y} if pa.types.is_struct(kind) else [x, y]
    return None if (x, y) == (None, None) else point


@pytest.mark.parametrize("point", [(math.nan, 0.0), (0.0, math.inf), (None, 0.0), (None, None)])
@pytest.mark.parametrize("kind", [POINT, LIST(pa.float64()), LIST(pa.float32(), 2)], ids=str)
def test_a_bad_row_stays_bad_if_its_lone_point_is_what_is_wrong(point, kind):
    ink = [bad_point(x, y, kind) for x, y in ((0.0, 0.0), (5.0, 9.0))]
    rows = [[[bad_point(*point, kind)], ink], [[bad_point(3.0, 3.0, kind)], ink]]
    array = pa.array(rows, LIST(LIST(kind)))
    found = drawn(without_first_points(array))
    assert found[0] == drawn(array)[0]
    assert isinstance(found[0], str)
    assert found[1] == [[[0.0, 0.0], [5.0, 9.0]]]


def test_nothing_is_copied_where_there_is_no_lone_point():
    array = column([LINE, OTHER, None])
    assert without_first_points(array) is array
    empty = array.slice(0, 0)
    assert without_first_points(empty) is empty
    texts = pa.array(["no strokes"])
    assert without_first_points(texts) is texts


@pytest.mark.parametrize("name", ["python", "words", "arrays"])
def test_every_python_layout(name):
    layouts = {
        "python": lambda row: row,
        "words": lambda row: [strokes([stroke]) for stroke in row],
        "arrays": lambda row: [np.array(stroke, float).reshape(-1, 2) for stroke in row],
    }
    before, after = ([layouts[name](row) for row in side] for side in zip(*ROWS.values(), strict=True))
    assert drawn(without_first_points(before)) == drawn(after)


def test_bad_rows_keep_their_problems():
    bad = [None, 3, [DOT, [(np.nan, 0.0)]], [DOT, *LINE]]
    found = drawn(without_first_points(bad))
    assert found[:3] == drawn(bad)[:3]
    assert found[3] == drawn([LINE])[0]
    with pytest.raises(PenpalError):
        without_first_points(3)


def test_broken_offsets_stay_broken():
    points = pa.array([{"x": float(i), "y": 0.0} for i in range(6)], POINT)
    kind = LIST(LIST(POINT))
    for offsets in ([0, 1, 9, 3], [0, 5, 1, 6], [0, 1, -7, 6]):
        inner = pa.Array.from_buffers(LIST(POINT), 3, [None, pa.py_buffer(np.array(offsets, np.int32))], 0, 0, [points])
        for rows in ([0, 3], [0, 2, 1], [0, 99, 3], [0, -5, 3]):
            buffers = [None, pa.py_buffer(np.array(rows, np.int32))]
            array = pa.Array.from_buffers(kind, len(rows) - 1, buffers, 0, 0, [inner])
            before, after = drawn(array), drawn(without_first_points(array))
            for was, now in zip(before, after, strict=True):
                assert isinstance(was, str) == isinstance(now, str)


def test_offsets_leave_out_a_lone_first_point():
    offsets = [[0, 0, 1], [30, 4, 0], [1, 1, 1], [2, 0, 0], [0, 3, 1]]
    kept, repaired = strokes_from_offsets(offsets), strokes_from_offsets(offsets, drop_first_point=True)
    assert [len(stroke) for stroke in kept] == [1, 2, 2]
    assert all(np.array_equal(one, other) for one, other in zip(kept[1:], repaired, strict=True))
    assert len(strokes_from_offsets([[1, 1, 1]], drop_first_point=True)) == 1
    assert len(strokes_from_offsets([[1, 1, 0], [1, 1, 1], [3, 3, 1]], drop_first_point=True)) == 2
