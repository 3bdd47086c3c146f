"""The path in Rust against its specification in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.strategies import handwriting, long_walks, many_strokes, rows
from penpal_fast._core import Rows
from penpal_fast._core import path as core_path
from penpal_fast.errors import PenpalError
from penpal_fast.path_reference import MAX_SAMPLES, TooLongError, path

TOLERANCE = 1e-6
"""Samples are float32, and at most 8 apart from 0."""


def check(row: list[list[tuple[float, float]]]) -> None:
    source = Rows([row])
    try:
        samples, places = path(row)
    except TooLongError as error:
        with pytest.raises(PenpalError, match="too long to read") as refused:
            core_path(source, 0)
        assert str(error) in str(refused.value)
        return
    found, strokes, indices = core_path(source, 0)
    np.testing.assert_allclose(found, np.array(samples), atol=TOLERANCE, rtol=0)
    assert strokes.tolist() == [place.stroke for place in places]
    np.testing.assert_allclose(indices, [place.position for place in places], atol=1e-6, rtol=1e-9)


@given(rows)
def test_any_row_has_the_same_path(row) -> None:
    check(row)


@given(handwriting | many_strokes)
def test_writing_has_the_same_path(row) -> None:
    check(row)


@given(st.lists(long_walks, min_size=1, max_size=2))
def test_long_rows_have_the_same_path_or_reason(row) -> None:
    check(row)


@pytest.mark.parametrize("largest", [1e299, 3e300, 1.2e308, 8.9e307, 5e-324, 1e-310])
def test_coordinates_at_the_ends_of_float64_have_the_same_path(largest) -> None:
    random = np.random.default_rng(1)
    for points in (1, 2, 3, 8, 40):
        for spread in (1.0, 0.5, 1e-3):
            x, y = spread * random.uniform(-0.7, 0.7, (2, 3, points))
            check([[(largest * x, largest * y) for x, y in zip(*axes, strict=True)] for axes in zip(x, y, strict=True)])


@pytest.mark.parametrize("row", [[[(-1e308, 0.0), (1e308, 0.0)]], [[(0.0, 1.7e308)], [(0.0, -1.7e308)]]])
def test_a_span_beyond_float64_is_an_error_in_both(row) -> None:
    with pytest.raises(ValueError, match="the distance of two coordinates is infinite"):
        path(row)
    with pytest.raises(PenpalError, match=r"row 0: span overflow"):
        core_path(Rows([row]), 0)


def test_real_lines_have_the_same_path(example_file) -> None:
    import pyarrow.parquet as pq

    column = pq.read_table(example_file, columns=["strokes"])["strokes"].combine_chunks()
    source = Rows(column)
    for row in range(0, len(column), max(len(column) // 20, 1)):
        strokes = [[tuple(point) for point in stroke.tolist()] for word in source.words(row) for stroke in word]
        samples, _ = path(strokes)
        found, _, _ = core_path(source, row)
        np.testing.assert_allclose(found, np.array(samples), atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("within_one_stroke", [True, False])
def test_a_million_points_are_a_reason(within_one_stroke: bool) -> None:
    points = np.random.default_rng(1).normal(0, 100, (1 << 20, 2))
    if within_one_stroke:
        source = Rows([[points]])
    else:
        import pyarrow as pa

        flat = pa.StructArray.from_arrays([pa.array(points[:, 0]), pa.array(points[:, 1])], ["x", "y"])
        strokes = pa.ListArray.from_arrays(np.arange(len(points) + 1, dtype=np.int32), flat)
        strokes = pa.StructArray.from_arrays([strokes], ["points"])
        source = Rows(pa.ListArray.from_arrays(np.array([0, len(points)], dtype=np.int32), strokes))
    with pytest.raises(PenpalError, match=f"too long to read.*at most {MAX_SAMPLES}"):
        core_path(source, 0)


def test_a_million_points_in_one_place_are_a_dot() -> None:
    samples, strokes, indices = core_path(Rows([[np.ones((1 << 20, 2))]]), 0)
    assert samples.shape == (2, 5)
    assert strokes.tolist() == [0, 0]
    assert indices.tolist() == [0, 0]


def test_bad_rows_are_refused() -> None:
    source = Rows([[[(0.0, float("nan"))]], None])
    with pytest.raises(PenpalError, match="non-finite"):
        core_path(source, 0)
    with pytest.raises(PenpalError, match="null"):
        core_path(source, 1)
    with pytest.raises(PenpalError, match="rows 2 to 3 are out of range"):
        core_path(source, 2)
