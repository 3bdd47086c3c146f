"""The fast renderer against the reference, and what must not change a picture."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import penpal_fast
from helpers.comparison import assert_same_picture, reference_picture
from helpers.strategies import LINE_WIDTHS, handwriting, long_walks, many_strokes, moved, polylines, rows
from penpal_fast import reference
from penpal_fast._core import Rows


@given(row=rows, line_width=LINE_WIDTHS)
@example(row=[[(0.0, 0.0)]], line_width=1.5)
@example(row=[[(5.0, 5.0), (5.0, 5.0)], []], line_width=1.5)
@example(row=[[(0.0, 0.0), (5e-324, 0.0)]], line_width=1.0)
@example(row=[[(1e30, 1.0), (1e30, 2.0)]], line_width=1.0)
@example(row=[[(-8e307, -8e307), (8e307, 8e307)]], line_width=2.0)
def test_every_pixel_agrees_with_the_reference(row, line_width):
    fast = penpal_fast.render_strokes(row, line_width=line_width)
    assert_same_picture(fast, reference_picture(row, line_width))


@settings(max_examples=10)
@given(row=st.lists(long_walks, min_size=1, max_size=2))
def test_thousands_of_points_agree_with_the_reference(row):
    assert_same_picture(penpal_fast.render_strokes(row, line_width=1.5), reference_picture(row, 1.5))


@settings(max_examples=20)
@given(row=many_strokes)
def test_many_strokes_agree_with_the_reference(row):
    assert_same_picture(penpal_fast.render_strokes(row, line_width=1.5), reference_picture(row, 1.5))


def test_the_comparison_sees_a_pixel_off_by_twice_the_tolerance():
    row = [[(0.0, 0.0), (10.0, 4.0), (3.0, 7.0)]]
    expected = reference_picture(row, 1.5)
    fast = penpal_fast.render_strokes(row, line_width=1.5)
    assert_same_picture(fast, expected)
    for pixel in [(0, 0), tuple(np.argwhere(fast[:, :, 0] == 1.0)[0]), (255, 255)]:
        broken = fast.copy()
        broken[pixel] += 2e-4
        with pytest.raises(AssertionError, match="is off by"):
            assert_same_picture(broken, expected)


@given(row=rows)
@example(row=[[(0.0, 0.0)]])
@example(row=[[(0.0, 0.0), (5e-324, 0.0)]])
def test_the_fit_agrees_with_the_reference(row):
    expected = [point for stroke in reference.fit(row) for point in stroke]
    assert np.abs(np.array(Rows([row]).fitted(0)) - np.array(expected)).max() <= 1e-4


@given(row=rows)
def test_the_fitted_box_fills_the_padded_canvas(row):
    points = [point for stroke in reference.fit(row) for point in stroke]
    lows, highs = np.min(points, axis=0), np.max(points, axis=0)
    assert np.allclose((lows + highs) / 2, 128, atol=1e-9)
    longest = (highs - lows).max()
    assert longest == pytest.approx(232, abs=1e-9) or longest == 0


@given(row=rows, seed=st.integers(0, 2**32))
def test_order_and_direction_of_strokes_do_not_matter(row, seed):
    shuffled = [stroke[::-1] for stroke in row]
    random.Random(seed).shuffle(shuffled)
    expected = penpal_fast.render_strokes(row)
    assert np.abs(penpal_fast.render_strokes(shuffled) - expected).max() <= 1e-4


@given(row=polylines.filter(lambda row: any(row)), exponent=st.integers(-40, 40))
def test_scale_does_not_matter(row, exponent):
    scaled = [[(x * 2.0**exponent, y * 2.0**exponent) for x, y in stroke] for stroke in row]
    assert np.abs(penpal_fast.render_strokes(scaled) - penpal_fast.render_strokes(row)).max() <= 1e-4


@given(row=handwriting, x=st.integers(-1000, 1000), y=st.integers(-1000, 1000))
def test_position_does_not_matter(row, x, y):
    shifted = [[(px + x, py + y) for px, py in stroke] for stroke in row]
    assert np.abs(penpal_fast.render_strokes(shifted) - penpal_fast.render_strokes(row)).max() <= 1e-4


@settings(max_examples=30)
@given(batch=st.lists(rows, min_size=1, max_size=6))
def test_batches_and_threads_give_the_same_bytes(batch):
    single = np.stack([penpal_fast.render_strokes(row) for row in batch])
    for threads in (1, 2, 5, None):
        out = np.full((len(batch), 256, 256, 1), 7, dtype=np.float32)
        penpal_fast.render_into(batch, out, threads=threads)
        assert out.tobytes() == single.tobytes()


@given(row=moved(handwriting))
def test_coverage_lies_between_nothing_and_all(row):
    picture = penpal_fast.render_strokes(row)
    assert picture.min() == 0
    assert 0 < picture.max() <= 1
