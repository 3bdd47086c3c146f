"""Rows as words of strokes: one classifier for Arrow and nested Python, and one Arrow array of all rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penpal_fast
from helpers import arrow
from helpers.forms import BAD, FORMS, STROKES
from penpal_fast import PenpalError
from penpal_fast._core import Rows
from penpal_fast.schema import strokes_type
from penpal_fast.strokes import words_of

PENPAL = strokes_type(pa.float64())

points = st.tuples(st.integers(-99, 99), st.floats(-1e6, 1e6))
strokes = st.lists(points, max_size=3)
words = st.lists(strokes, max_size=3)


def lists(words):
    return [[[tuple(point) for point in stroke.tolist()] for stroke in word] for word in words]


def with_points(words):
    drawn = ([stroke for stroke in word if stroke] for word in words)
    return [word for word in drawn if word]


def nested(words):
    return list(map(arrow.strokes, words))


@given(st.lists(st.one_of(st.none(), st.lists(words, max_size=3)), max_size=4))
def test_words_of_python_and_arrow_and_the_penpal_array(rows):
    """A row has the same words as Python and as Arrow, and in the penpal array of all rows."""
    python = Rows([None if row is None else nested(row) for row in rows])
    column = Rows(pa.array([None if row is None else nested(row) for row in rows], PENPAL))
    array = pa.array(python.to_penpal())
    array.validate(full=True)
    assert array.type == PENPAL
    assert pa.array(column.to_penpal()).equals(array)
    for index, row in enumerate(rows):
        drawn = with_points(row or [])
        assert array[index].as_py() == (nested(drawn) or None)
        if drawn:
            assert lists(python.words(index)) == lists(column.words(index)) == drawn
            assert lists(Rows(array).words(index)) == drawn


@given(st.lists(st.one_of(st.tuples(st.just(True), words), st.tuples(st.just(False), strokes)), max_size=5))
def test_loose_strokes_form_a_word_where_they_stand(items):
    """Stroke arrays tell their level even where they are empty."""
    row = [[np.reshape(s, (-1, 2)) for s in item] if is_word else np.reshape(item, (-1, 2)) for is_word, item in items]
    expected, loose = [], None
    for is_word, item in items:
        if is_word:
            # A word without points looks like a stroke without points, which does not end a word.
            expected.append(item)
            loose = None if any(item) else loose
        elif loose is None:
            loose = [item]
            expected.append(loose)
        else:
            loose.append(item)
    expected = with_points([[list(map(tuple, stroke)) for stroke in word] for word in expected])
    if expected:
        assert lists(Rows([row]).words(0)) == expected


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_becomes_the_same_strokes(form):
    words = words_of(form)
    assert [stroke for word in lists(words) for stroke in word] == STROKES
    assert all(stroke.dtype == np.float64 for word in words for stroke in word)
    (row,) = pa.array(Rows([form]).to_penpal()).to_pylist()
    assert row == nested(lists(words))


def test_words_of_slices_and_chunks():
    rows = [[STROKES[:2], STROKES[2:]], [STROKES], [[], STROKES[:1], [[]], STROKES[1:]]]
    array = pa.array([nested(row) for row in rows], PENPAL)
    chunked = Rows(pa.chunked_array([array.slice(1), array.slice(0, 0), array]))
    for index, row in enumerate([*rows[1:], *rows]):
        assert lists(chunked.words(index)) == with_points(row)


def test_arrow_strokes_without_words_are_one_word():
    assert lists(Rows(pa.array([nested([STROKES])[0]])).words(0)) == [STROKES]
    assert lists(Rows(pa.array([[[list(point) for point in stroke] for stroke in STROKES]])).words(0)) == [STROKES]


@pytest.mark.parametrize("row", [row for row, _ in BAD.values()], ids=BAD)
def test_bad_rows_have_no_words(row):
    with pytest.raises(PenpalError) as drawn:
        penpal_fast.render_strokes(row)
    rows = Rows([row, STROKES])
    with pytest.raises(PenpalError) as caught:
        rows.words(0)
    errors = [(str(error), error.row, error.stroke, error.reason) for error in (drawn.value, caught.value)]
    assert errors[0] == errors[1]
    assert pa.array(rows.to_penpal()).is_null().to_pylist() == [True, False]
    assert lists(rows.words(1)) == [STROKES]


def test_an_index_without_a_row():
    with pytest.raises(PenpalError, match="rows 1 to 2 are out of range; there are 1"):
        Rows([STROKES]).words(1)


CURVE = [{"x": point % 7, "y": point * point % 11} for point in range(20)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([[{"points": CURVE, "x": 1, "y": 2}]], [[CURVE]]),
        ([{"points": CURVE, "x": 1, "y": 2}], [[CURVE]]),
        ([[{"points": [{"points": [], **point} for point in CURVE]}]], [[CURVE]]),
        ([[{"points": CURVE[:2], **point} for point in CURVE[:3]]], [[CURVE[:2]] * 3]),
    ],
    ids=["stroke in a word", "stroke", "points", "strokes"],
)
def test_points_come_before_x_and_y(row, words):
    """An Arrow row and its nested Python are read alike, whatever fields they have besides."""
    column = pa.array([row])
    expected = [[[(point["x"], point["y"]) for point in stroke] for stroke in word] for word in words]
    for rows in (column, [column[0].as_py()], [row]):
        assert lists(Rows(rows).words(0)) == expected
