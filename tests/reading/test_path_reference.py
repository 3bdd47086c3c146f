"""What the path does not depend on, and what bounds it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from penpal_fast.path_reference import MAX_SAMPLES, REACH, STEP, TooLongError, path
from penpal_fast.training.reader.paths import path_of

Row = list[list[tuple[float, float]]]


def written(letters: int = 12, points: int = 24, *, phase: float = 0.0) -> Row:
    """Loops with a dot above each third: something like writing, 1 high, the same whatever the number of points."""
    row: Row = []
    for letter in range(letters):
        turn = [2 * math.pi * point / points for point in range(points + 1)]
        row.append([(letter + 0.3 * math.sin(angle) + 0.05 * angle, 0.5 * math.cos(angle + phase)) for angle in turn])
        if letter % 3 == 0:
            row.append([(letter + 0.1, -0.8)])
    return row


def samples(row: Row) -> np.ndarray:
    return np.array(path(row)[0])


def moved(row: Row, scale: float = 1.0, right: float = 0.0, down: float = 0.0, slope: float = 0.0) -> Row:
    return [[(scale * x + right, scale * (y + slope * x) + down) for x, y in stroke] for stroke in row]


@given(st.floats(1e-6, 1e6), st.floats(-100, 100), st.floats(-100, 100))
@settings(deadline=None, max_examples=30)
def test_place_and_scale_do_not_matter(scale: float, right: float, down: float) -> None:
    np.testing.assert_allclose(
        samples(moved(written(), scale, scale * right, scale * down)), samples(written()), atol=1e-6
    )


@pytest.mark.parametrize("points", [12, 48, 200, 2000])
def test_the_rate_of_the_pen_hardly_matters(points: int) -> None:
    few, many = samples(written(points=points)), samples(written(points=100))
    assert len(few) == pytest.approx(len(many), rel=0.06)
    assert few[:, 3].std() == pytest.approx(many[:, 3].std(), rel=0.03)


def test_points_between_two_do_not_matter() -> None:
    row = [[(0.0, 0.0), (0.5, 1.0), (1.0, 0.0)], [(1.5, 0.0), (2.0, 1.0)]]
    between = [
        [row[0][0], (0.25, 0.5), row[0][1], (0.625, 0.75), (0.875, 0.25), row[0][2]],
        [row[1][0], row[1][0], (1.6, 0.2), row[1][1]],
    ]
    np.testing.assert_allclose(samples(between), samples(row), atol=1e-9)


@pytest.mark.parametrize("slope", [-0.17, 0.05, 0.17])
def test_a_slope_is_taken_away(slope: float) -> None:
    # Ten degrees; what is left is the part that short lines are not believed.
    np.testing.assert_allclose(samples(moved(written(30), slope=slope)), samples(written(30)), atol=0.12)


@pytest.mark.parametrize("far", [(1e3, 0.0), (0.0, 1e4), (-1e6, 1e6), (1e300, -1e300), (50.0, 20.0)])
@pytest.mark.parametrize("within", [True, False])
def test_one_far_point_does_not_matter(far: tuple[float, float], within: bool) -> None:
    row = written()
    spoilt = [list(stroke) for stroke in row]
    if within:
        spoilt[5].insert(10, far)
    else:
        spoilt.insert(5, [far])
    with_far, without = samples(spoilt), samples(row)
    assert abs(len(with_far) - len(without)) < 8
    np.testing.assert_allclose(with_far[:30], without[:30], atol=0.02)
    assert np.abs(with_far).max() <= REACH
    # The front recovers once the writing is REACH farther.
    np.testing.assert_allclose(with_far[-30:], without[-30:], atol=0.02)


@pytest.mark.parametrize("far", [(20.0, 0.0), (5.0, -9.0), (-1e3, 1e3), (1e9, -1e9)])
@pytest.mark.parametrize("place", [0, 6, 16])
def test_a_dot_far_from_all_other_ink_is_left_out(far: tuple[float, float], place: int) -> None:
    row = written()
    spoilt = [*row[:place], [far, (far[0] + 0.05, far[1])], *row[place:]]
    np.testing.assert_allclose(samples(spoilt), samples(row), atol=0.02)
    assert {place for _, (place, _) in zip(*path(spoilt), strict=True)} == set(range(len(spoilt))) - {place}


def test_a_dot_near_the_ink_stays_and_so_do_dots_alone() -> None:
    row = written()
    assert len(samples([*row, [(12.5, 0.5)]])) == len(samples(row)) + 3
    dots = [[(10.0 * dot, 0.0)] for dot in range(4)]
    assert len(samples(dots)) == 4 * 2 + 3
    assert [place.stroke for place in path([*dots, [(35.0, 0.0), (35.0, 1.0)]])[1]].count(0) == 3


def test_a_step_is_a_direction_and_a_lift_a_way() -> None:
    row = [[(0.0, 0.0), (0.0, 1.0)], [(0.5, 0.0), (0.5, 1.0)]]
    found = samples(row)
    steps, lifts = found[found[:, 2] == 0], found[found[:, 2] == 1]
    np.testing.assert_allclose(steps[:, 0], 0, atol=1e-12)
    np.testing.assert_allclose(np.diff(steps[: len(steps) // 2, 1]), 0, atol=1e-9)
    assert steps[0, 1] == pytest.approx(1, abs=STEP / 2)
    assert lifts[:, 1] == pytest.approx(-2 * lifts[:, 0])
    assert len(lifts) == 1


def test_going_back_is_seen() -> None:
    found = samples([*written(6), [(2.0, -0.8)]])
    assert found[-1, 4] < -0.5
    assert found[: len(found) // 2, 4].min() > -0.2


@pytest.mark.parametrize(
    "row",
    [
        [[(3.0, 4.0)]],
        [[(0.0, 0.0)], [(0.0, 0.0)]],
        [[(0.0, 0.0), (0.0, 0.0)]],
        [[(0.0, 0.0), (5.0, 0.0)]],
        [[(0.0, 0.0), (0.0, 5.0)]],
        [[], [(1.0, 1.0)], []],
        [[(0.0, 0.0), (5e-324, 5e-324)]],
        [[(-8e307, 0.0), (8e307, 1.0)], [(0.0, -8e307)]],
    ],
)
def test_odd_rows_have_finite_paths(row: Row) -> None:
    found, places = path(row)
    assert len(found) == len(places) >= 2
    assert np.isfinite(found).all()


def test_places_lead_back_to_the_points() -> None:
    row = written()
    found, places = path(row)
    numbers = [place.stroke for place in places]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(len(row)))
    for sample, place in zip(found, places, strict=True):
        assert 0 <= place.position <= len(row[place.stroke]) - 1
        if sample.lift:
            assert place.position == len(row[place.stroke]) - 1


def test_bad_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="no points"):
        path([[]])
    with pytest.raises(ValueError, match="NaN or infinite"):
        path([[(0.0, math.nan)]])


def test_what_is_too_long_is_a_reason() -> None:
    assert len(path(written(150))[0]) < MAX_SAMPLES
    with pytest.raises(TooLongError, match="too long to read"):
        path([[(x / 2000, 0.0), (x / 2000, 1.0)] for x in range(2000)])


# Of ink that is vertical but for rounding, the slope is rounding too.
coordinates = st.integers(-40, 40).map(lambda value: value / 8) | st.floats(-1e3, 1e3).map(
    lambda value: round(64 * value) / 64
)
rows = st.lists(st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12), min_size=1, max_size=8)


@given(rows)
@example([[(0.0, 0.125), (0.0, 0.0), (0.0, 8.5e-203), (0.125, 0.0), (0.0, 0.0)]])
@settings(deadline=None, max_examples=200)
def test_the_path_in_numpy_is_the_same(row: Row) -> None:
    try:
        expected = samples(row)
    except TooLongError:
        return
    points = np.array([point for stroke in row for point in stroke], dtype=np.float64)
    stroke = np.repeat(np.arange(len(row)), [len(stroke) for stroke in row])
    found = path_of(points, stroke)
    if len(found) == len(expected):  # A length halfway between two numbers of steps may be rounded either way.
        np.testing.assert_allclose(found, expected, atol=1e-5)
    else:
        assert abs(len(found) - len(expected)) <= 1
