"""Arrow arrays that are sliced, null, of other types, or that lie as far as their interfaces let them."""

from __future__ import annotations

import ctypes

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import penpal_fast
from helpers.arrow import STROKES
from penpal_fast import ArrowScorer, PenpalError

GOOD = [{"points": [{"x": 0, "y": 0}, {"x": 10, "y": 4}]}, {"points": [{"x": 3, "y": 7}]}]


def scored(scorer, rows):
    """Score rows, or return None where the array is refused as a whole."""
    try:
        quality = scorer.score(rows, errors="null")
    except PenpalError:
        return None
    assert len(quality) == len(rows)
    assert all(np.isnan(value) or 0 <= value <= 1 for value in quality)
    return quality


numbers = st.sampled_from(
    [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.string(), pa.bool_(), pa.decimal128(5)]
)
kinds = st.recursive(
    numbers | st.sampled_from([pa.null(), pa.binary(), pa.timestamp("s"), pa.dictionary(pa.int8(), pa.string())]),
    lambda inner: (
        inner.map(pa.list_)
        | inner.map(pa.large_list)
        | inner.map(pa.list_view)
        | inner.map(lambda kind: pa.list_(kind, 2))
        | inner.map(lambda kind: pa.struct([("points", kind)]))
        | st.tuples(inner, inner).map(lambda pair: pa.struct([("x", pair[0]), ("y", pair[1])]))
        | inner.map(lambda kind: pa.map_(pa.int8(), kind))
    ),
    max_leaves=6,
)


@settings(max_examples=100)
@given(kind=kinds, rows=st.integers(0, 5), start=st.integers(0, 5), chunked=st.booleans())
def test_arrays_of_any_type_are_read_or_refused(scorer, kind, rows, start, chunked):
    array = pa.nulls(rows, kind).slice(min(start, rows))
    column = pa.chunked_array([array, array.slice(0, 0)], kind) if chunked else array
    quality = scored(scorer, column)
    assert quality is None or np.isnan(quality).all()


middle = st.lists(st.integers(-3, 12) | st.sampled_from([2**31 - 1, -(2**31)]), max_size=7)


@settings(max_examples=150)
@given(rows=middle, strokes=middle, end=st.integers(0, 8), start=st.integers(0, 3), nulls=st.binary(min_size=2))
def test_lying_offsets_cost_their_rows(scorer, rows, strokes, end, start, nulls):
    """PyArrow looks at the first and last offset only when an array is made of buffers."""
    x = pa.array(np.arange(8, dtype=np.float32))
    points = pa.StructArray.from_arrays([x, x], ["x", "y"])

    def lists(offsets, values, nulls=None):
        buffers = [nulls and pa.py_buffer(nulls), pa.py_buffer(np.array(offsets, np.int32))]
        kind = pa.list_(values.type)
        return pa.Array.from_buffers(kind, len(offsets) - 1, buffers, children=[values])

    strokes = [0, *strokes, end]
    rows = [0, *rows, len(strokes) - 1]
    column = lists(rows, lists(strokes, points), nulls).slice(start)
    quality = scored(scorer, column)
    assert quality is not None
    for row, score in zip(range(start, len(rows) - 1), quality, strict=True):
        first, last = rows[row], rows[row + 1]
        inside = 0 <= first < last < len(strokes) and all(0 <= strokes[i] <= 8 for i in range(first, last + 1))
        assert inside or np.isnan(score)


class RawArray(ctypes.Structure):
    """An array of Arrow's C data interface."""


RawArray._fields_ = [
    *[(name, ctypes.c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")],
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(RawArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]


class Lying:
    """Exports an array in which one field of one part of it, found by child indices, is another."""

    def __init__(self, array, path, **fields):
        self.array, self.path, self.fields = array, path, fields

    def __len__(self):
        return len(self.array)

    def __arrow_c_array__(self, requested_schema=None):
        schema, array = self.array.__arrow_c_array__(requested_schema)
        pointer = ctypes.pythonapi.PyCapsule_GetPointer
        pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
        part = RawArray.from_address(pointer(array, b"arrow_array"))
        for child in self.path:
            part = part.children[child].contents
        for name, value in self.fields.items():
            setattr(part, name, value)
        return schema, array


PATHS = [(), (0,), (0, 0), (0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 1)]
"""Rows, strokes, their points, points, x and y."""


@pytest.mark.parametrize("path", PATHS, ids=["rows", "strokes", "lists of points", "points", "x", "y"])
@pytest.mark.parametrize(
    "fields",
    [
        {"length": 0},
        {"length": 1},
        {"length": -1},
        {"offset": -1},
        {"null_count": 2},
        {"null_count": -7},
        {"n_buffers": 0},
        {"n_buffers": 1},
        {"n_children": 0},
        {"n_children": -1},
    ],
    ids=str,
)
def test_lying_structures_are_refused_or_cost_rows(path, fields, scorer):
    array = pa.array([GOOD, None, GOOD], STROKES)
    lying = Lying(array, path, **fields)
    try:
        quality = scorer.score(lying, errors="null")
    except PenpalError:
        return
    assert len(quality) <= len(array)
    assert all(np.isnan(value) or 0 <= value <= 1 for value in quality)


def test_a_structure_that_breaks_the_rules_is_an_error_that_can_be_caught(scorer, capfd):
    array = pa.array([GOOD], STROKES)
    with pytest.raises(
        PenpalError, match="cannot read the Arrow data: it breaks the rules of Arrow's C data interface"
    ):
        scorer.score(Lying(array, (0,), n_children=0))
    assert capfd.readouterr() == ("", "")


def test_capsules_of_other_things_are_refused(scorer):
    class Wrong:
        def __init__(self, answer):
            self.answer = answer

        def __arrow_c_array__(self, requested_schema=None):
            return self.answer

    schema, array = pa.array([GOOD], STROKES).__arrow_c_array__()
    for answer in [None, (), (schema,), (array, schema), (schema, schema), ("schema", "array")]:
        with pytest.raises(PenpalError, match="cannot read the Arrow data"):
            scorer.score(Wrong(answer))
    released = Wrong((schema, array))
    scorer.score(released)
    with pytest.raises(PenpalError):
        scorer.score(released)  # Its array was taken the first time.


def test_buffers_off_their_alignment_are_read(scorer):
    array = pa.array([GOOD], STROKES)
    x = array.values.field(0).values.field(0)
    moved = np.zeros(4 * len(x) + 1, np.uint8)
    moved[1:] = np.frombuffer(x.to_numpy().tobytes(), np.uint8)
    buffers = [None, pa.py_buffer(moved[1:])]
    points = pa.StructArray.from_arrays(
        [pa.Array.from_buffers(pa.float32(), len(x), buffers), array.values.field(0).values.field(1)], ["x", "y"]
    )
    strokes = pa.ListArray.from_arrays(array.values.field(0).offsets, points)
    rows = pa.ListArray.from_arrays(array.offsets, strokes)
    assert np.array_equal(scorer.score(rows), scorer.score(array))


@settings(max_examples=25)
@given(
    present=st.lists(st.sampled_from(["good", "null", "empty", "null stroke"]), min_size=1, max_size=8), data=st.data()
)
def test_slices_of_nulls_and_empties_keep_their_rows(present, data):
    forms = {"good": GOOD, "null": None, "empty": [], "null stroke": [None]}
    column = pa.array([forms[name] for name in present], STROKES)
    start = data.draw(st.integers(0, len(present)))
    stop = data.draw(st.integers(start, len(present)))
    table = pa.table({"strokes": column}).slice(start, stop - start)
    done = ArrowScorer(threads=1, backend="native")(table)
    assert [value is not None for value in done["quality"].to_pylist()] == [
        name == "good" for name in present[start:stop]
    ]
    assert [error is None for error in done["quality_error"].to_pylist()] == [
        name == "good" for name in present[start:stop]
    ]


def test_a_lying_array_cannot_multiply_the_work():
    """A million rows that each claim all of a million points: their points are looked at once."""
    count = 1 << 20
    x = pa.array(np.zeros(count, np.float32))
    points = pa.StructArray.from_arrays([x, x], ["x", "y"])
    forth_and_back = np.zeros(count + 1, np.int32)
    forth_and_back[1::2] = count
    buffers = [None, pa.py_buffer(forth_and_back)]
    strokes = pa.Array.from_buffers(pa.list_(points.type), count, buffers, children=[points])
    rows = pa.ListArray.from_arrays(pa.array(np.arange(count + 1, dtype=np.int32)), strokes)
    out = np.isfinite(penpal_fast.score(rows, errors="null"))
    assert out.sum() == 1
    assert out[0]


def nested_type(depth):
    kind = pa.int8()
    for _ in range(depth):
        kind = pa.list_(kind)
    return kind


@pytest.mark.parametrize("depth", [100, 8000])
def test_types_nested_too_deep_are_refused(depth, scorer):
    """Following thousands of levels overflows the stack."""
    deep = pa.nulls(1, nested_type(depth))
    columns = pa.table({"strokes": pa.array([GOOD], STROKES), "other": deep})
    for rows in (deep, pa.chunked_array([deep]), columns, columns.to_batches()[0]):
        with pytest.raises(PenpalError, match="a type has more than 64 levels"):
            scorer.score(rows)
    kinds = [pa.list_(pa.dictionary(pa.int8(), nested_type(70))), pa.struct([("a", nested_type(70))])]
    for kind in kinds:
        with pytest.raises(PenpalError, match="a type has more than 64 levels"):
            scorer.score(pa.nulls(1, kind))


def test_types_that_share_their_parts_end_soon(scorer):
    """Each level has the one below twice, so that a tree of all has a billion parts."""
    kind = pa.int8()
    for _ in range(30):
        kind = pa.struct([("a", kind), ("b", kind)])

    class Rows:
        """What is asked of PyArrow's rows before they are imported, which would take as long."""

        type = kind

        def __arrow_c_array__(self, requested_schema=None):
            raise AssertionError

    Rows.__module__ = "pyarrow.lib"
    with pytest.raises(PenpalError, match="its type has more than 100000 parts"):
        scorer.score(Rows())


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.struct([("strokes", pa.int64())])], ids=str)
def test_the_type_of_no_rows_is_checked_too(kind, scorer):
    for rows in (pa.chunked_array([], kind), pa.chunked_array([pa.array([], kind)])):
        with pytest.raises(PenpalError, match=r"a stroke column: found (Int64|Utf8)"):
            scorer.score(rows)


@pytest.mark.parametrize(
    "kind", [pa.dense_union([pa.field("a", pa.int8())]), pa.dictionary(pa.int8(), pa.list_(pa.int8()))], ids=str
)
def test_types_that_pyarrow_cannot_make_empty_arrays_of_are_refused(kind):
    with pytest.raises(PenpalError, match="does not hold strokes"):
        ArrowScorer()(pa.table([pa.nulls(0, pa.int8())], ["other"]).append_column("strokes", _empty(kind)))


def _empty(kind):
    if pa.types.is_union(kind):
        return pa.UnionArray.from_dense(pa.array([], pa.int8()), pa.array([], pa.int32()), [pa.array([], pa.int8())])
    return pa.DictionaryArray.from_arrays(pa.array([], pa.int8()), pa.array([], kind.value_type))
