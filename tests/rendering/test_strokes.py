"""Rows in any form as words of strokes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from helpers.arrow import column
from helpers.forms import FORMS, STROKES
from penpal_fast import PenpalError
from penpal_fast.strokes import words_of


def lists(words):
    return [[stroke.tolist() for stroke in word] for word in words]


def as_lists(strokes):
    return [[list(point) for point in stroke] for stroke in strokes]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_has_the_same_strokes(form):
    words = words_of(form)
    assert [stroke for word in lists(words) for stroke in word] == as_lists(STROKES)
    assert all(stroke.dtype == np.float64 for word in words for stroke in word)


def test_words_are_kept():
    assert lists(words_of(FORMS["words of pairs"])) == [as_lists(STROKES[:2]), as_lists(STROKES[2:])]


def test_strokes_without_words_are_one_word():
    assert lists(words_of(STROKES)) == [as_lists(STROKES)]


def test_words_and_strokes_mixed():
    row = [STROKES[0], [STROKES[1]], {"points": STROKES[2]}]
    assert lists(words_of(row)) == [as_lists([stroke]) for stroke in STROKES]


def test_arrow_scalars():
    assert lists(words_of(column([STROKES])[0])) == [as_lists(STROKES)]
    assert lists(words_of(pa.array([as_lists(STROKES)])[0])) == [as_lists(STROKES)]


def test_a_row_that_cannot_be_drawn():
    with pytest.raises(PenpalError, match=r"row 0: .*NaN") as caught:
        words_of([[(0.0, 1.0)], [(0.0, float("nan"))]])
    assert caught.value.stroke == 1
