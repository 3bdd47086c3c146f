"""Strokes as SVG paths."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from penpal_fast.look.drawing import LONGER_SIDE, MARGIN, MAX_POINTS, draw

COORDINATES = st.floats(-1e300, 1e300)
STROKES = st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1), min_size=1, max_size=5)


def places(path):
    """The points of a path."""
    start, _, moves = re.fullmatch(r"M(\d+ \d+)(l([-0-9 ]+)|h0)", path).groups()
    steps = [int(number) for number in re.findall(r"-?\d+", f"{start} {moves or ''}")]
    return np.cumsum(np.array(steps).reshape(-1, 2), axis=0)


def test_a_drawing():
    drawing = draw([np.array([(0.0, 0.0), (4.0, 1.0), (2.0, 0.5)]), np.array([(4.0, 0.0)])])
    assert (drawing.width, drawing.height) == (LONGER_SIDE + 2 * MARGIN, LONGER_SIDE // 4 + 2 * MARGIN)
    assert drawing.paths == ["M12 12l800 200-400-100", "M812 12h0"]


def test_points_that_round_to_the_same_place_are_left_out():
    assert draw([np.array([(0.0, 0.0), (0.0001, 0.0), (4.0, 0.0)])]).paths == ["M12 12l800 0"]


def test_a_row_of_one_point():
    drawing = draw([np.array([(5.0, 5.0)])])
    assert (drawing.width, drawing.height, drawing.paths) == (24, 24, ["M12 12h0"])


def test_long_rows_are_thinned():
    points = np.random.default_rng(1).uniform(size=(20 * MAX_POINTS, 2))
    assert len(places(draw([points]).paths[0])) <= MAX_POINTS


@given(STROKES)
def test_every_point_is_inside(strokes):
    drawing = draw([np.array(stroke, np.float64) for stroke in strokes])
    for path in drawing.paths:
        assert np.all((places(path) >= MARGIN) & (places(path) <= (drawing.width - MARGIN, drawing.height - MARGIN)))


def test_svg_is_well_formed_with_any_label():
    drawing = draw([np.array([(0.0, 0.0), (4.0, 1.0)]), np.array([(4.0, 0.0)])])
    root = ElementTree.fromstring(drawing.svg('<"&">', ["red", '"><script>']))  # noqa: S314
    assert root.get("aria-label") == '<"&">'
    assert [path.get("stroke") for path in root] == ["red", '"><script>']
