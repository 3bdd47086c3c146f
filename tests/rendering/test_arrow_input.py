"""Strokes from Arrow: every accepted schema, sliced and chunked, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penpal_fast
from helpers.strategies import handwriting
from penpal_fast import PenpalError

ROWS = [
    [[[(0, 0), (10, 4)], [(3, 7)]], [[(11, 2), (12, 9), (15, 3)]]],
    [[[(1, 1), (2, 5)]]],
    [[], [[(-4, 8), (9, -3), (7, 7)]], [[(1, 2)]]],
]
"""Rows of words of strokes of points, whole numbers small enough for every type."""

NUMBER_TYPES = [
    pa.int8(),
    pa.int16(),
    pa.int32(),
    pa.int64(),
    pa.float16(),
    pa.float32(),
    pa.float64(),
]


def flat(row):
    return [stroke for word in row for stroke in word]


def expected(rows=ROWS):
    return np.concatenate([penpal_fast.render_strokes(flat(row))[None] for row in rows])


def rendered(column):
    out = np.empty((len(column), 256, 256, 1), dtype=np.float32)
    penpal_fast.render_into(column, out)
    return out


def points(stroke):
    return [{"x": x, "y": y} for x, y in stroke]


def with_words(rows=ROWS):
    return [[[{"points": points(stroke)} for stroke in word] for word in row] for row in rows]


def without_words(rows=ROWS):
    return [[{"points": points(stroke)} for stroke in flat(row)] for row in rows]


def penpal_type(x=None, y=None, *, words=True, make_list=pa.list_):
    point = pa.struct([("x", x or pa.float32()), ("y", y or x or pa.float32())])
    strokes = make_list(pa.struct([("points", make_list(point))]))
    return make_list(strokes) if words else strokes


@pytest.mark.parametrize("make_list", [pa.list_, pa.large_list])
@pytest.mark.parametrize("number", NUMBER_TYPES, ids=str)
def test_number_and_list_types(number, make_list):
    column = pa.array(with_words(), penpal_type(number, make_list=make_list))
    assert np.array_equal(rendered(column), expected())
    column = pa.array(without_words(), penpal_type(number, words=False, make_list=make_list))
    assert np.array_equal(rendered(column), expected())


@pytest.mark.parametrize("number", [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()], ids=str)
def test_unsigned_types(number):
    shifted = [[[[(x + 4, y + 3) for x, y in stroke] for stroke in word] for word in row] for row in ROWS]
    assert np.array_equal(rendered(pa.array(with_words(shifted), penpal_type(number))), expected())


def test_x_and_y_of_different_types():
    column = pa.array(with_words(), penpal_type(pa.int16(), pa.float64()))
    assert np.array_equal(rendered(column), expected())


def test_other_fields_and_other_order():
    point = pa.struct([("time", pa.int64()), ("y", pa.float32()), ("x", pa.float32())])
    stroke = pa.struct([("pen", pa.string()), ("points", pa.list_(point))])
    column = pa.array(with_words(), pa.list_(pa.list_(stroke)))
    assert np.array_equal(rendered(column), expected())


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        (ROWS, pa.list_(pa.list_(pa.list_(pa.list_(pa.float64()))))),
        (ROWS, pa.list_(pa.list_(pa.list_(pa.list_(pa.int32(), 2))))),
        ([flat(row) for row in ROWS], pa.list_(pa.large_list(pa.list_(pa.float32())))),
        ([[points(stroke) for stroke in flat(row)] for row in ROWS], None),
        ([[{"points": stroke} for stroke in flat(row)] for row in ROWS], None),
    ],
    ids=["pairs in words", "fixed pairs in words", "pairs", "point structs", "pairs in stroke structs"],
)
def test_points_as_pairs_and_strokes_as_lists(rows, kind):
    rows = [[[[list(p) for p in s] for s in w] for w in row] for row in rows] if rows is ROWS else rows
    column = pa.array(rows, kind)
    assert np.array_equal(rendered(column), expected())
    assert np.array_equal(rendered(column.slice(1)), expected(ROWS[1:]))


@settings(max_examples=25)
@given(rows=st.lists(handwriting, min_size=1, max_size=5), data=st.data())
def test_slices_and_chunks(rows, data):
    column = pa.array([[{"points": points(stroke)} for stroke in row] for row in rows], penpal_type(words=False))
    whole = rendered(column)
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    assert np.array_equal(rendered(column.slice(start, stop - start)), whole[start:stop])
    chunked = pa.chunked_array([column.slice(0, start), column.slice(start, 0), column.slice(start)])
    assert np.array_equal(rendered(chunked), whole)


def test_record_batches_and_tables():
    column = pa.array(with_words(), penpal_type())
    table = pa.table({"text": ["a", "b", "c"], "strokes": column})
    assert np.array_equal(rendered(table), expected())
    assert np.array_equal(rendered(table.to_batches()[0]), expected())


def test_anything_with_the_capsule_interface():
    class Exporter:
        def __init__(self, array):
            self._array = array

        def __len__(self):
            return len(self._array)

    class ArrayExporter(Exporter):
        def __arrow_c_array__(self, requested_schema=None):
            return self._array.__arrow_c_array__(requested_schema)

    class StreamExporter(Exporter):
        def __arrow_c_stream__(self, requested_schema=None):
            return self._array.__arrow_c_stream__(requested_schema)

    column = pa.array(with_words(), penpal_type())
    assert np.array_equal(rendered(ArrayExporter(column)), expected())
    assert np.array_equal(rendered(StreamExporter(pa.chunked_array([column]))), expected())


def test_an_arrow_scalar_is_a_row():
    column = pa.array(with_words(), penpal_type())
    assert np.array_equal(penpal_fast.render_strokes(column[0]), expected()[0])


@pytest.mark.parametrize(
    ("row", "message", "stroke"),
    [
        (None, "null: the row is null", None),
        ([None], "null: word 0 is null", None),
        ([[{"points": points([(1, 1)])}, None]], "null: stroke 1 is null", 1),
        ([[{"points": None}]], "null: stroke 0 is null", 0),
        ([[{"points": [{"x": 1, "y": 1}]}], [{"points": [{"x": 1, "y": 1}, None]}]], "stroke 1, point 1 is null", 1),
        ([[{"points": [{"x": None, "y": 1}]}]], "null: stroke 0, point 0 is null", 0),
        ([[{"points": [{"x": 1, "y": None}]}]], "null: stroke 0, point 0 is null", 0),
        ([], "no points: the row has no points", None),
        ([[]], "no points: the row has no points", None),
        ([[{"points": []}]], "no points: the row has no points", None),
        ([[{"points": [{"x": 1, "y": float("nan")}]}]], "non-finite coordinate: stroke 0, point 0: y is NaN", 0),
        ([[{"points": [{"x": 1, "y": 0}, {"x": float("inf"), "y": 0}]}]], "stroke 0, point 1: x is inf", 0),
        ([[{"points": [{"x": -1e308, "y": 0}, {"x": 1e308, "y": 0}]}]], "span overflow: the x coordinates", None),
    ],
)
def test_bad_rows_are_named(row, message, stroke):
    good = with_words()[0]
    column = pa.array([good, row, good], penpal_type(pa.float64()))
    out = np.full((3, 256, 256, 1), 7, dtype=np.float32)
    with pytest.raises(PenpalError, match=f"row 1: .*{message}") as caught:
        penpal_fast.render_into(column.slice(0), out)
    assert (caught.value.row, caught.value.stroke) == (1, stroke)
    assert np.array_equal(out[[0, 2]], expected([ROWS[0], ROWS[0]]))
    assert not out[1].any()


@pytest.mark.parametrize(
    "kind",
    [pa.int32(), pa.string(), pa.list_(pa.string()), pa.list_(pa.float32()), pa.list_(pa.list_(pa.float32())),
     penpal_type(pa.string()), pa.list_(penpal_type()), pa.list_(pa.struct([("pts", pa.list_(pa.float32()))]))],
    ids=str,
)  # fmt: skip
def test_other_types_are_refused_with_what_is_accepted(kind):
    with pytest.raises(PenpalError, match=r"(?s)not a stroke column: found .*expected list<list<struct<points"):
        penpal_fast.render_batch(pa.array([], kind))


def test_a_table_without_the_column_is_refused():
    with pytest.raises(PenpalError, match='no column "strokes"; the columns are ink, text'):
        penpal_fast.render_batch(pa.table({"ink": [1], "text": ["a"]}))


def test_rows_of_null_structs_are_null():
    column = pa.array(with_words(), penpal_type())
    structs = pa.StructArray.from_arrays([column], ["strokes"], mask=pa.array([False, True, False]))
    with pytest.raises(PenpalError, match="row 1: null: the row is null"):
        penpal_fast.render_batch(structs)


def test_a_reader_that_fails_is_reported():
    def batches():
        yield pa.record_batch({"strokes": pa.array(with_words(), penpal_type())})
        raise RuntimeError("the disk is gone")

    schema = pa.schema({"strokes": penpal_type()})
    with pytest.raises(PenpalError, match=r"cannot read the Arrow data: .*the disk is gone"):
        penpal_fast.render_batch(pa.RecordBatchReader.from_batches(schema, batches()))
