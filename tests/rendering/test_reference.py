"""The reference against pictures that can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from penpal_fast import canvas, reference


def test_sizes_are_those_of_the_rust_core():
    assert (reference.SIDE, reference.PADDING, reference.INNER) == (canvas.SIDE, canvas.PADDING, 232)
    assert reference.LINE_WIDTH == canvas.LINE_WIDTH


def test_a_dot_is_at_the_centre():
    picture = reference.render([[(3.0, 9.0)]], 2.0)
    # The centre of the canvas is a corner of four pixels, each with its own centre half a diagonal away.
    assert [picture[row][column] for row in (127, 128) for column in (127, 128)] == [1.5 - math.sqrt(0.5)] * 4
    assert sum(map(sum, picture)) == pytest.approx(4 * (1.5 - math.sqrt(0.5)))


def test_a_horizontal_line_has_its_width():
    picture = reference.render([[(0.0, 0.0), (1.0, 0.0)]], 3.0)
    assert [picture[row][100] for row in range(125, 131)] == [0.0, 0.5, 1.0, 1.0, 0.5, 0.0]


def test_a_line_ends_round():
    picture = reference.render([[(0.0, 0.0), (1.0, 0.0)]], 4.0)
    assert picture[128][10] == pytest.approx(2.5 - math.hypot(1.5, 0.5))
    assert picture[128][9] == 0.0


def test_both_axes_share_the_scale():
    fitted = reference.fit([[(0.0, 0.0), (4.0, 1.0)]])
    assert fitted == [[(12.0, 99.0), (244.0, 157.0)]]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ([], "no points"),
        ([[], []], "no points"),
        ([[(math.nan, 0.0)]], "NaN or infinite"),
        ([[(0.0, math.inf)]], "NaN or infinite"),
        ([[(-1e308, 0.0), (1e308, 0.0)]], "span"),
    ],
)
def test_rows_that_cannot_be_drawn_are_refused(row, problem):
    with pytest.raises(ValueError, match=problem):
        reference.render(row, 1.5)
