"""Flags that say that the pen is down, and strokes that are turned or deleted."""

from __future__ import annotations

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from helpers.commands import run
from penpal_fast import ArrowScorer, PenpalError, Scorer, explain, render_strokes, score_dataset
from penpal_fast.layouts.choice import NoLayoutError, chosen_layout
from penpal_fast.layouts.nested import empty_array
from penpal_fast.layouts.shape import Shape

STROKES = [[(0.0, 9.0), (4.0, 0.0), (8.0, 9.0)], [(2.0, 5.0), (6.0, 5.0)]]
"""The letter A."""


def strokes_of(rows, layout=None):
    """The name of the layout of rows, and the strokes and problems that it gives."""
    array = rows if isinstance(rows, pa.Array) else pa.array(rows)
    found = chosen_layout(empty_array(array.type), [array], layout).layout
    converted = found.convert(Shape.of(array))
    strokes = [
        None if row is None else [[(p["x"], p["y"]) for p in stroke] for word in row for stroke in word]
        for row in converted.rows.to_pylist()
    ]
    return found.name, strokes, converted.problems


def element(stroke, angle, name, **others):
    """A stroke as an element whose points are as they were before it was turned."""
    points = np.array(stroke)
    centre = points[0] if name == "rotation" else (points.min(axis=0) + points.max(axis=0)) / 2
    cosine, sine = math.cos(-angle), math.sin(-angle)
    before = (points - centre) @ np.array([[cosine, sine], [-sine, cosine]]) + centre
    x, y = before[0]
    return {"x": x, "y": y, name: angle, "points": (before - before[0]).tolist(), **others}


@pytest.mark.parametrize("turn", [0.0, 0.5, math.pi / 2, math.pi, 5.5, -1.25])
def test_elements_turned_about_their_own_place_are_drawn_turned(turn):
    rows = [[element(stroke, turn, "rotation") for stroke in STROKES]] * 2
    name, strokes, problems = strokes_of(rows)
    assert (name, problems) == ("relative", {})
    for row in strokes:
        for found, stroke in zip(row, STROKES, strict=True):
            np.testing.assert_allclose(found, stroke, atol=1e-9)


def test_elements_turned_about_their_centre_are_drawn_turned():
    bar = {"x": 10, "y": 20, "points": [[0, 0], [8, 0]]}
    turned = [{**bar, "angle": math.pi / 2}, {**bar, "angle": 0}, {**bar, "angle": None}]
    _, strokes, _ = strokes_of([turned])
    np.testing.assert_allclose(strokes[0], [[(14, 16), (14, 24)], [(10, 20), (18, 20)], [(10, 20), (18, 20)]])
    corner = {"x": 0, "y": 0, "angle": math.pi, "points": [[0, 0], [4, 0], [4, 2]]}
    np.testing.assert_allclose(strokes_of([[corner]])[1][0][0], [(4, 2), (0, 2), (0, 0)], atol=1e-9)


def test_angles_turn_points_of_segments_and_texts_without_points_have_none():
    segments = [{"points": [{"x": 0, "y": 0}, {"x": 3, "y": 0}]}]
    shape = {"x": 1, "y": 2, "rotation": math.pi / 2, "props": {"segments": segments}}
    _, strokes, problems = strokes_of([[shape]])
    assert problems == {}
    np.testing.assert_allclose(strokes[0], [[(1, 2), (1, 5)]], atol=1e-9)
    text = {"type": "text", "x": 7, "y": 7, "angle": 1.0, "points": None}
    bar = {"type": "freedraw", "x": 1, "y": 2, "angle": math.pi, "points": [[0, 0], [3, 0]]}
    _, strokes, problems = strokes_of([[text, bar]])
    assert problems == {}
    np.testing.assert_allclose(strokes[0][1], [(4, 2), (1, 2)], atol=1e-9)


def test_angles_in_degrees_are_a_problem_of_their_row():
    bar = {"x": 10, "y": 20, "angle": 0.0, "points": [[0, 0], [8, 0]]}
    _, strokes, problems = strokes_of([[bar], [{**bar, "angle": 45.0}], [bar]])
    assert list(problems) == [1]
    assert "more than a full turn" in problems[1]
    assert strokes[0] == strokes[2] == [[(10, 20), (18, 20)]]


def test_deleted_elements_are_not_drawn():
    kept = {"x": 1, "y": 2, "isDeleted": False, "points": [[0, 0], [3, 0]]}
    deleted = {"x": 50, "y": 90, "isDeleted": True, "points": [[0, 0], [9, 9]]}
    _, strokes, problems = strokes_of([[deleted, kept, deleted], [kept]])
    assert problems == {}
    assert [[stroke for stroke in row if stroke] for row in strokes] == [[[(1, 2), (4, 2)]]] * 2


def test_turned_elements_score_as_what_they_look_like():
    turned = [[element(stroke, 0.7, "rotation") for stroke in STROKES]]
    expected = Scorer(backend="native").score([STROKES])[0]
    for table in (pa.table({"strokes": turned}), pa.table({"strokes": list(map(json.dumps, turned))})):
        assert ArrowScorer(backend="native")(table)["quality"][0].as_py() == pytest.approx(float(expected), abs=1e-4)


POINTS = [(x, y, int((x, y) != stroke[-1])) for stroke in STROKES for x, y in stroke]


def offsets(points):
    """Steps between points, y upward, with their third numbers."""
    x, y, flags = np.array(points).T
    return list(zip(np.diff(x, prepend=0), -np.diff(y, prepend=0), flags.astype(int).tolist(), strict=True))


@pytest.mark.parametrize("flag", ["pen_down", "down", "isDown", "is_pen_down", "PenDown"])
@pytest.mark.parametrize("kind", [int, float, bool])
def test_flags_named_for_a_pen_that_is_down_end_strokes_at_0(flag, kind):
    for names, values in ((("x", "y"), POINTS), (("dx", "dy"), offsets(POINTS))):
        objects = [{names[0]: a, flag: kind(down), names[1]: b} for a, b, down in values]
        columns = {names[0]: [a for a, _, _ in values], names[1]: [b for _, b, _ in values]}
        columns[flag] = [kind(down) for *_, down in values]
        for row in (objects, columns):
            name, strokes, problems = strokes_of([row, row])
            assert name == ("lifts" if names[0] == "x" else "offsets-flag-last")
            assert strokes == [STROKES] * 2
            assert problems == {}


def test_columns_of_a_table_may_say_that_the_pen_is_down():
    x, y, down = map(list, zip(*POINTS, strict=True))
    expected = Scorer(backend="native").score([STROKES])[0]
    found = ArrowScorer(backend="native")(pa.table({"x": [x], "y": [y], "pen_down": [down]}))
    assert found["quality"][0].as_py() == pytest.approx(float(expected), abs=1e-6)


def test_a_pen_that_lifts_counts_before_one_that_is_down():
    rows = [[{"x": x, "y": y, "pen_down": 1, "pen_up": 1 - down} for x, y, down in POINTS]]
    assert strokes_of(rows)[1] == [STROKES]


def test_padding_after_steps_of_a_pen_that_is_down_is_left_out():
    row = [{"dx": dx, "dy": dy, "pen_down": down} for dx, dy, down in offsets(POINTS)]
    row += [{"dx": 0.0, "dy": 0.0, "pen_down": 0}] * 5
    _, strokes, _ = strokes_of([row], "offsets")
    assert strokes == [STROKES]


@pytest.mark.parametrize("moves", [[1, 1, 0, 0, 1], [0, 1, 1, 0, 1]], ids=["through the air", "first points"])
def test_points_through_the_air_are_refused(moves):
    rows = [[{"x": x, "y": y, "pen_down": down} for (x, y, _), down in zip(POINTS, moves, strict=True)]] * 3
    with pytest.raises(NoLayoutError, match="not down at the first point of rows, or at several points in turn"):
        strokes_of(rows)
    assert strokes_of(rows, "lifts")[0] == "lifts"
    with pytest.raises(PenpalError, match="moves through the air"):
        ArrowScorer(backend="native")(pa.table({"strokes": rows}))


@pytest.mark.parametrize("flag", ["p", "pen", "pen_state"])
def test_short_rows_of_flags_that_are_1_everywhere_are_not_dots(flag):
    """Of rows that are too short to tell, all together tell."""
    rows = [[{"x": x, "y": y, flag: 1} for x, y in stroke] for stroke in STROKES * 4]
    with pytest.raises(NoLayoutError, match="its pen would lift after most points"):
        strokes_of(rows)
    assert len(strokes_of(rows[:1])[1][0]) == 3


def test_strokes_within_what_has_a_place_too_are_refused():
    bar = {"x": 1, "y": 2, "points": [[0, 0], [3, 0]]}
    with pytest.raises(NoLayoutError, match="what they are in has too"):
        strokes_of([[{"x": 9, "y": 9, "strokes": [bar, bar]}]] * 2)
    name, strokes, _ = strokes_of([{"x": 9, "y": 9, "strokes": [bar, bar]}])  # This moves the whole row.
    assert (name, strokes) == ("relative", [[[(1, 2), (4, 2)]] * 2])


def test_points_with_nulls_are_no_columns():
    rows = pa.array([[[[0.0, None], [2.0, 3.0]]]] * 3)
    assert chosen_layout(empty_array(rows.type), [rows]).layout is None


APART = [{"x": s[0][0], "y": s[0][1], "points": [(x - s[0][0], y - s[0][1]) for x, y in s]} for s in STROKES]
"""The letter A as elements of a drawing, of which the first does not say it: it begins at (0, 9)."""

WITH_PLACES = {
    "lists": APART,
    "objects": [{**one, "points": [{"x": x, "y": y} for x, y in one["points"]]} for one in APART],
    "words": [APART],
}


@pytest.mark.parametrize("kind", WITH_PLACES)
def test_functions_for_rows_refuse_points_that_count_from_their_stroke(kind):
    """They draw points as they stand."""
    rows = [[], WITH_PLACES[kind]]
    arrow = pa.array(rows)
    scorer = Scorer(backend="native")
    for given in (rows, arrow, pa.chunked_array([arrow]), pa.table({"strokes": arrow})):
        with pytest.raises(PenpalError, match="from which their points count"):
            scorer.score(given, errors="null")
    for call in (explain, render_strokes):
        with pytest.raises(PenpalError, match="from which their points count"):
            call(rows[1])
    expected = scorer.score([STROKES])[0]
    assert ArrowScorer(backend="native")(pa.table({"strokes": arrow}))["quality"][1].as_py() == expected


def test_broken_offsets_of_such_strokes_are_an_error():
    """Kernels of Arrow would end the process."""
    strokes = pa.array(APART)
    offsets = pa.py_buffer(np.array([0, 2**30, 2], np.int32))
    broken = pa.Array.from_buffers(pa.list_(strokes.type), 2, [None, offsets], children=[strokes])
    with pytest.raises(PenpalError, match="offsets"):
        Scorer(backend="native").score(broken)


def test_points_that_begin_at_their_stroke_are_scored():
    rows = [[{"x": stroke[0][0], "y": stroke[0][1], "points": stroke} for stroke in STROKES]]
    scorer = Scorer(backend="native")
    for given in (rows, pa.array(rows), [[{"points": stroke} for stroke in STROKES]]):
        assert scorer.score(given)[0] == scorer.score([STROKES])[0]


def test_a_named_layout_leaves_the_place_of_strokes_alone(tmp_path):
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"strokes": [APART]}), path)
    expected = Scorer(backend="native").score([[one["points"] for one in APART]])[0]
    score_dataset(path, tmp_path / "scored.parquet", layout="strokes")
    scored = pq.read_table(tmp_path / "scored.parquet")
    assert scored["quality"].to_pylist() == pytest.approx([float(expected)], abs=1e-5)
    assert scored["strokes"].to_pylist() == pq.read_table(path)["strokes"].to_pylist()
    for command, *options in (("explain", "--row", 0, "-o", "explained.html"), ("sheet", "-o", "sheet.png")):
        *options, name = options
        done = run(command, path, "--layout", "strokes", *options, tmp_path / name)
        assert done.exit_code == 0, done.output
