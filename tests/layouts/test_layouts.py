"""Each layout of strokes comes out as the strokes that it stands for, in Arrow and in JSON, and in every command."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.layout_forms import FORMS, NAMED, TABLES
from penpal_fast import (
    ArrowScorer,
    PenpalError,
    QualityCheck,
    Scorer,
    filter_dataset,
    read_rows,
    score_dataset,
    strokes_from_offsets,
)
from penpal_fast._core import Rows
from penpal_fast.jobs.convert import convert_dataset
from penpal_fast.layouts.choice import NoLayoutError, chosen_layout
from penpal_fast.layouts.columns import Columns
from penpal_fast.layouts.known import LAYOUTS as LAYOUT_NAMES
from penpal_fast.layouts.nested import empty_array
from penpal_fast.layouts.shape import Shape
from penpal_fast.layouts.strokes_column import StrokesColumn
from penpal_fast.schema import nulls_as_strokes
from penpal_fast.sources.one_row import one_row
from penpal_fast.strokes import words_of

STROKES = [[(0, 9), (4, 0), (8, 9)], [(2, 5), (6, 5)]]
"""The letter A."""

OFFSETS = [[0, -9, 0], [4, 9, 0], [4, -9, 1], [-6, 4, 0], [4, 0, 1]]
"""The same in Graves' offsets, y upward."""

OFFSETS_X, OFFSETS_Y, ENDS = map(list, zip(*OFFSETS, strict=True))

DOWN = [[dx, -dy, end] for dx, dy, end in OFFSETS]

STROKE_5 = [[dx, -dy, 1 - end, end, 0] for dx, dy, end in OFFSETS] + [[0, 0, 0, 0, 1]] * 3

LAYOUTS = {
    "pressure": ("strokes", [[[x, y, 0.5] for x, y in stroke] for stroke in STROKES]),
    "words with pressure": ("strokes", [[[[x, y, 0.5] for x, y in stroke] for stroke in STROKES]]),
    "capitals": ("strokes", [[{"t": 1, "Y": y, "X": x} for x, y in stroke] for stroke in STROKES]),
    "signature_pad": (None, [{"color": "b", "points": [{"time": 1, "y": y, "x": x} for x, y in s]} for s in STROKES]),
    "sketch canvas": ("strokes", [{"size": 4, "paths": [{"x": x, "y": y} for x, y in stroke]} for stroke in STROKES]),
    "a wrapper": ("strokes", {"width": 9, "paths": [[{"x": x, "y": y} for x, y in stroke] for stroke in STROKES]}),
    "columns": ("columns", [[list(axis) for axis in zip(*stroke, strict=True)] for stroke in STROKES]),
    "timed columns": ("columns", [[*map(list, zip(*s, strict=True)), list(range(len(s)))] for s in STROKES]),
    "columns by name": ("columns", [{"y": [p[1] for p in s], "x": [p[0] for p in s]} for s in STROKES]),
    "a sequence": ("columns", {"x": [[x for x, _ in s] for s in STROKES], "y": [[y for _, y in s] for s in STROKES]}),
    "words as columns": ("columns", [[dict(zip("xy", map(list, zip(*s, strict=True)), strict=True)) for s in STROKES]]),
    "Excalidraw": (
        "relative",
        [
            {"type": "freedraw", "x": s[0][0], "y": s[0][1], "points": [[x - s[0][0], y - s[0][1]] for x, y in s]}
            for s in STROKES
        ],
    ),
    "offsets": ("offsets-flag-last", OFFSETS),
    "offsets, flag first": ("offsets-flag-first", [[end, dx, dy] for dx, dy, end in OFFSETS]),
    "offsets by name": ("offsets-flag-last", [{"eos": end, "dy": dy, "dx": dx} for dx, dy, end in OFFSETS]),
    "offsets as columns": ("offsets-flag-last", {"dx": OFFSETS_X, "dy": OFFSETS_Y, "eos": ENDS}),
    "padded offsets": ("offsets-flag-last", OFFSETS + [[0, 0, 0]] * 9),
    "stroke-5": ("stroke-5", STROKE_5),
    "lifts": ("lifts", [{"x": x, "y": y, "pen_up": int(p == s[-1])} for s in STROKES for p in s for x, y in [p]]),
}


def strokes_of(rows):
    """The strokes of each row, or None where it cannot be drawn."""
    read = Rows(rows)
    bad = {row for row, *_ in read.problems()}
    return [
        None if row in bad else [[tuple(point) for point in stroke] for word in read.words(row) for stroke in word]
        for row in range(len(read))
    ]


def converted(rows, layout=None):
    """The name of the layout of an array, its strokes and its problems."""
    found = chosen_layout(empty_array(rows.type), [rows], layout).layout
    if found is None:
        return None, strokes_of(rows), {}
    result = found.convert(Shape.of(rows))
    return found.name, strokes_of(result.rows), result.problems


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("layouts")


@pytest.mark.parametrize("name", LAYOUTS)
def test_arrow(name):
    layout, row = LAYOUTS[name]
    assert converted(pa.array([row, None, row])) == (layout, [STROKES, None, STROKES], {})


@pytest.mark.parametrize("name", LAYOUTS)
def test_json_text(name):
    layout, row = LAYOUTS[name]
    texts = pa.array([json.dumps(row), None, "{broken", json.dumps(7), json.dumps(row)])
    found, strokes, problems = converted(texts)
    assert (found, strokes) == (layout or "strokes", [STROKES, None, None, None, STROKES])
    assert [(place, problem.partition(":")[0]) for place, problem in problems.items()] == [
        (3, "wrong type"),
        (2, "not JSON"),
    ]


@pytest.mark.parametrize("name", LAYOUTS)
def test_files(folder, scorer, name):
    """JSON lines are scored as the strokes that they stand for, and the column stays as it is; Parquet likewise."""
    _, row = LAYOUTS[name]
    lines = folder / "rows.jsonl"
    lines.write_text(json.dumps({"ink": row}) + "\n" + json.dumps({"ink": None}) + "\n")
    right = scorer.score([STROKES])
    for path in (lines, folder / "rows.parquet"):
        score_dataset(path, folder / "scored.parquet", column="ink", scorer=scorer)
        table = pq.read_table(folder / "scored.parquet")
        assert table["quality"].to_pylist() == [pytest.approx(right[0], abs=1e-6), None]
        kept = table["ink"].to_pylist()[0]
        assert same(json.loads(kept) if isinstance(kept, str) else kept, row)
        pq.write_table(table.select(["ink"]), folder / "rows.parquet")
    convert_dataset(lines, folder / "converted.parquet", column="ink")
    assert strokes_of(pq.read_table(folder / "converted.parquet")["strokes"])[0] == STROKES
    assert strokes_of(read_rows(lines, column="ink")["ink"])[0] == STROKES


def same(kept, given):
    """Whether what was kept of strokes is what was given; Arrow orders fields in its own way."""
    if isinstance(given, dict):
        return kept.keys() == given.keys() and all(same(kept[name], value) for name, value in given.items())
    if isinstance(given, (list, tuple)):
        return len(kept) == len(given) and all(map(same, kept, given))
    return kept == given


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_view(pa.large_list_view(pa.struct([("x", pa.float32()), ("y", pa.float32())]))),
        pa.list_(pa.list_(pa.struct([("x", pa.decimal128(9, 2)), ("y", pa.decimal128(9, 2))]))),
        pa.list_(pa.list_(pa.struct([("y", pa.int8()), ("p", pa.string()), ("X", pa.float64())]))),
    ],
)
def test_types_that_are_cast(kind):
    if "X" in str(kind):
        rows = [[[{"X": x, "y": y} for x, y in stroke] for stroke in STROKES]]
    else:
        number = Decimal if "decimal" in str(kind) else float
        rows = [[[{"x": number(x), "y": number(y)} for x, y in stroke] for stroke in STROKES]]
    assert converted(pa.array(rows, kind)) == ("strokes", [STROKES], {})


def test_dictionaries_run_ends_and_fixed_sizes():
    row = pa.array([[[[float(x), float(y)] for x, y in stroke] for stroke in STROKES]])
    encoded = pa.DictionaryArray.from_arrays(pa.array([0, None, 0]), row)
    assert converted(encoded)[1] == [STROKES, None, STROKES]
    assert converted(pa.RunEndEncodedArray.from_arrays(pa.array([2], pa.int32()), row))[1] == [STROKES, STROKES]
    fixed = pa.list_(pa.list_(pa.list_(pa.float64(), 3)))
    assert converted(pa.array([LAYOUTS["pressure"][1]], fixed))[:2] == ("strokes", [STROKES])


def test_slices():
    for layout, row in LAYOUTS.values():
        rows = pa.array([None, row, None, row, None]).slice(1, 3)
        assert converted(rows) == (layout, [STROKES, None, STROKES], {})


def test_known_layouts_are_not_touched():
    """They need not be looked at: asking for a row would end the test."""

    def never():
        raise AssertionError
        yield

    penpal = [[{"points": [{"x": 1.0, "y": 2.0}]}]]
    for rows in (pa.array([penpal]), pa.array([penpal[0]]), pa.nulls(3)):
        assert chosen_layout(empty_array(rows.type), never()).layout is None


LINES = [[[0, 8], [0, 9]], [[8, 0], [0, 9]]]
"""An X as columns, or two other lines as points."""


def test_the_file_decides_about_strokes_of_two_points():
    columns, points = LAYOUTS["columns"][1], [[[0, 9], [4, 0], [8, 9]], [[2, 5], [6, 5]]]
    crossed = [[(0, 0), (8, 9)], [(8, 0), (0, 9)]]
    assert converted(pa.array([LINES, columns]))[:2] == ("columns", [crossed, STROKES])
    assert converted(pa.array([LINES] * 9 + [points]))[1][0] == [[tuple(point) for point in one] for one in LINES]
    with pytest.raises(PenpalError, match="--layout strokes or --layout columns"):
        converted(pa.array([LINES] * 9))
    assert converted(pa.array([LINES]), "columns")[1] == [crossed]
    assert converted(pa.array([LINES]), "strokes")[0] is None


def dashes(as_columns):
    """Twelve short strokes of two points along a line of writing."""
    strokes = [[(40 * n, 9 - n % 3), (40 * n + 9, 4 + n % 5)] for n in range(12)]
    given = [[list(axis) for axis in zip(*stroke, strict=True)] for stroke in strokes] if as_columns else strokes
    return strokes, [[list(one) for one in stroke] for stroke in given]


def test_short_strokes_along_a_line_tell_points_from_columns():
    """Read in the wrong way, each would lead across the whole line."""
    for as_columns, layout in ((False, None), (True, "columns")):
        strokes, row = dashes(as_columns)
        assert converted(pa.array([row, row[:1]])) == (layout, [strokes, strokes[:1]], {})
        assert converted(pa.array([json.dumps(row)]))[:2] == (layout or "strokes", [strokes])
    hatching = [[[3 * n, 90 + 3 * n], [0, 90]] for n in range(12)]
    with pytest.raises(PenpalError, match="--layout strokes or --layout columns"):
        converted(pa.array([hatching]))


def test_three_numbers_that_are_never_negative_may_be_points():
    rows = pa.array([[[x, y, int(point == stroke[-1])] for stroke in STROKES for point in stroke for x, y in [point]]])
    with pytest.raises(PenpalError, match="--layout offsets-flag-last or --layout lifts"):
        converted(rows)
    assert converted(rows, "lifts")[1] == [STROKES]
    five = pa.array([[[x, y, 1 - end, end, 0] for x, y, end in rows[0].as_py()] + [[0, 0, 0, 0, 1]]])
    with pytest.raises(PenpalError, match="--layout stroke-5 or --layout lifts"):
        converted(five)
    assert converted(five, "lifts")[1] == [STROKES]


def test_a_flag_that_says_that_the_pen_is_down_is_refused():
    """As offsets, nearly every point would be a dot."""
    steps = [[3, -1, 0]] * 9 + [[-2, 1, 1]]
    for row in (
        [[dx, dy, 1 - end] for dx, dy, end in steps],
        [{"dx": dx, "dy": dy, "pen": 1 - end} for dx, dy, end in steps],
        [{"x": dx, "y": dy, "pen": 1 - end} for dx, dy, end in steps],
        [[dx, dy, 1] for dx, dy, _ in steps],
    ):
        with pytest.raises(NoLayoutError, match="its pen would lift after most points"):
            converted(pa.array([row]))
    dots = converted(pa.array([[[dx, dy, 1] for dx, dy, _ in steps]]), "offsets-flag-last")
    assert [len(stroke) for stroke in dots[1][0]] == [1] * len(steps)


def test_flat_lists_are_read_where_nothing_else_fits():
    long = [[number for x in range(9) for number in (10 * x, 50 + x % 4)] for _ in range(3)]
    strokes = [[(10 * x, 50 + x % 4) for x in range(9)]] * 3
    assert converted(pa.array([long]))[:2] == ("flat", [strokes])
    assert converted(pa.array([[[0, 9, 4, 0, 8, 9], [2, 5, 6, 5]]]))[:2] == ("flat", [STROKES])
    with pytest.raises(NoLayoutError, match="add --layout flat"):
        converted(pa.array([[[0, 9, 4, 0]] * 7]))
    assert converted(pa.array([[[0, 9, 4, 0]] * 7]), "flat")[1] == [[[(0, 9), (4, 0)]] * 7]
    with pytest.raises(NoLayoutError, match="like the columns of one stroke"):
        converted(pa.array([[list(range(10)), list(range(10))]]))
    found, strokes, problems = converted(pa.array([[[0, 9, 4, 0, 8, 9], [2, 5]], [[1, 2, 3], [4, 5]], None]))
    assert (found, strokes[1:], list(problems)) == ("flat", [None, None], [1])


def test_times_may_be_empty():
    """As Google's interface for handwriting has them."""
    row = [[*axes, []] for axes in LAYOUTS["columns"][1]]
    assert converted(pa.array([row]))[:2] == ("columns", [STROKES])


def test_what_else_is_in_a_drawing_is_left_out():
    scene = {"elements": [*LAYOUTS["Excalidraw"][1], {"type": "text", "x": 5, "y": 6}], "files": {"a": [1]}}
    assert converted(pa.array([scene]))[:2] == ("relative", [STROKES])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([[{"x": "1", "y": "2"}]], "its x and y are not numbers: 'x' string and 'y' string"),
        ([{"d": "M0 9L4 0"}], "its objects have the fields 'd'"),
        (["M0 9L4 0"], "its lists hold texts"),
        ({"x": 1, "y": 2}, "each row is a single point; gather the points"),
    ],
)
def test_what_rows_have_in_place_of_points_is_said(row, message):
    with pytest.raises(NoLayoutError, match=message):
        converted(pa.array([row]))


def test_strokes_in_several_columns(folder, scorer):
    """Each command reads them, and the output keeps the columns as they are."""
    right = scorer.score([STROKES])[0]
    cells = {"delta_x": OFFSETS_X, "dy": OFFSETS_Y, "EndOfStroke": [bool(end) for end in ENDS]}
    table = pa.table({"text": ["a", "b", "c"], **{name: pa.array([some, None, some]) for name, some in cells.items()}})
    path, scored, kept = (folder / f"{name}.parquet" for name in ("parts", "parts_scored", "parts_kept"))
    pq.write_table(table, path)
    score_dataset(path, scored, scorer=scorer)
    assert pq.read_table(scored).select(table.column_names).equals(table)
    assert pq.read_table(scored)["quality"].to_pylist() == [pytest.approx(right), None, pytest.approx(right)]
    for source in (path, scored):
        assert filter_dataset(source, kept, scorer=scorer, threshold=0).kept == 2
    assert pq.read_table(kept).select(table.column_names).equals(table.take([0, 2]))
    convert_dataset(path, kept)
    assert strokes_of(pq.read_table(kept)["strokes"]) == [STROKES, None, STROKES]
    assert not set(cells) & set(pq.read_schema(kept).names)
    batch = {name: [some, some] for name, some in cells.items()}
    score = ArrowScorer(backend="native")
    found = [pa.array(score(data)["quality"])[0].as_py() for data in (table, batch, table.to_batches()[0])]
    assert found == [found[0]] * 3
    assert 0 < found[0] < 1
    with pytest.raises(PenpalError, match="no column 'ink'"):
        score_dataset(path, scored, scorer=scorer, column="ink")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"x": 1.5, "y": 2.5, "line": 3}, "'x', 'y' do not hold them either: each row is a single point"),
        ({"x": [1, 2], "y": [3, 4]}, "lists of points, without strokes"),
        ({"dx": [1, 2], "dy": [3, 4]}, "have no flag"),
        ({"x": "left", "y": "top"}, "not JSON"),
    ],
)
def test_several_columns_that_are_no_strokes(folder, scorer, cells, message):
    pq.write_table(pa.table({name: pa.array([cell]) for name, cell in cells.items()}), folder / "parts.parquet")
    (folder / "parts.jsonl").write_text(json.dumps(cells))
    for name in ("parts.parquet", "parts.jsonl"):
        with pytest.raises(PenpalError, match=rf"no column 'strokes'; name the one(.*\n)*.*{message}"):
            score_dataset(folder / name, folder / "out.parquet", scorer=scorer)


@pytest.mark.parametrize("suffix", ["parquet", "jsonl"])
def test_columns_that_look_like_strokes_are_named(folder, scorer, suffix):
    def error(*names):
        values = {"offsets": OFFSETS, "ink": STROKES, "text": "a", "vector": [1.0, 2.0], "none": None}
        row = {name: values[name] for name in names}
        path = folder / f"in.{suffix}"
        if suffix == "jsonl":
            path.write_text(json.dumps(row))
        else:
            pq.write_table(pa.Table.from_pylist([row]), path)
        with pytest.raises(PenpalError, match="no column 'strokes'") as raised:
            score_dataset(path, folder / "out.parquet", scorer=scorer)
        return str(raised.value).splitlines()

    offsets = "the column 'offsets' looks like offsets (dx, dy, pen lift), y up: name it with --column offsets"
    ink = "the column 'ink' looks like strokes"
    assert error("text", "offsets", "vector", "none")[1] == offsets
    assert [line.startswith(ink) for line in error("ink", "text", "offsets")[1:3]] == [True, False]
    assert not any("looks like" in line for line in error("text", "vector", "none"))


def test_rows_that_do_not_fit_cost_themselves():
    columns = LAYOUTS["columns"][1]
    rows = [columns, [[[1, 2, 3], [1, 2]]], [[[1, 2, 3]]], [], [None], [[[1, 2], None]], columns]
    found, strokes, problems = converted(pa.array(rows))
    assert (found, strokes) == ("columns", [STROKES, None, None, None, None, None, STROKES])
    assert sorted(problems) == [1, 2, 5]
    offsets = [OFFSETS, [[1, 2, 0.5]], [[1, 2]], [[None, 2, 1]], [], [[float("nan"), 1, 1], [1, 1, 1]], OFFSETS]
    found, strokes, problems = converted(pa.array(offsets))
    assert strokes == [STROKES, None, None, None, None, None, STROKES]
    assert problems[1] == "wrong type: the third number of an offset, the pen's flag, is 0.5; it must be 0 or 1"
    sequence = LAYOUTS["a sequence"][1]
    rows = [sequence, {"x": [[1, 2]], "y": [[1]]}, {"x": [[1, 2], [3]], "y": [[1, 2]]}, {"x": None, "y": []}, sequence]
    found, strokes, problems = converted(pa.array(rows))
    assert (strokes, sorted(problems)) == ([STROKES, None, None, None, STROKES], [1, 2])


def test_numbers_that_are_not_finite_cost_their_row():
    """Also where they are not coordinates: a stroke's place, its number, a flag. Warnings are errors in these tests."""
    far, none = float("inf"), float("nan")
    places = [[{"x": x, "y": 0, "points": [(0, 0), (4, 5)]}, {"x": 3, "y": 1, "points": [(0, 0), (2, 2)]}] for x in
              (5.0, far, none, None)]  # fmt: skip
    found, strokes, problems = converted(pa.array(places), "relative")
    assert strokes[0] == [[(5, 0), (9, 5)], [(3, 1), (5, 3)]]
    scores = ArrowScorer(layout="relative")(pa.table({"strokes": pa.array(places)}))
    errors = scores["quality_error"].to_pylist()
    assert errors[0] is None
    assert [error.partition(":")[0] for error in errors[1:]] == ["non-finite coordinate"] * 3
    numbered = [{"x": [0, 4, 8], "y": [9, 0, 9], "stroke": [0.0, number, 1.0]} for number in (0.0, none)]
    found, strokes, problems = converted(pa.array(numbered), "numbered")
    assert problems == {1: "wrong type: the number of a point's stroke is not finite"}
    missing = [numbered[0], {**numbered[0], "stroke": [0.0, None, 1.0]}]
    assert converted(pa.array(missing), "numbered")[2] == {1: "null: an offset is null"}
    flags = [[[0, 9, 0], [4, 0, flag], [8, 9, 1]] for flag in (0.0, none)]
    for name in ("lifts", "offsets"):
        assert "flag, is nan; it must be 0 or 1" in converted(pa.array(flags), name)[2][1]
    huge = [[[[1e308, 2], [-1e308, 0], [1e308, 5]]], [[[1, far], [3, -far]]]]
    for name in LAYOUT_NAMES:
        rows = pa.table({"strokes": pa.array(huge)})
        try:
            found = ArrowScorer(layout=name)(rows)
        except PenpalError:
            continue
        assert found["quality"].null_count == 2 or name in ("columns", "flat"), name
    ArrowScorer(layout="offsets")(pa.table({"strokes": pa.array([[[far, 3, 0], [-far, 2, 0], [3, -1, 1]]])}))
    strokes_from_offsets([[far, 3, 0], [-far, 2, 0], [3, -1, 1]])


def test_checks_of_another_column_have_their_strokes_converted():
    """The names of the column and of its layout are the scorer's own; all else is the checks'."""
    columns = [[[0.0, 4.0, 8.0, 9.0], [9.0, 0.0, 9.0, 7.0]], [[2.0, 6.0, 6.5], [5.0, 5.0, 4.0]]]
    table = pa.table({"drawing": pa.array([columns])})
    expected = ArrowScorer(column="drawing")(table)["quality"]
    for settings in ({"column": "drawing"}, {"column": "drawing", "layout": "columns"}):
        scored = ArrowScorer(checks=[QualityCheck(column="drawing")], **settings)(table)
        assert scored["quality"].equals(expected)


def test_the_column_that_looks_like_the_flag_is_named():
    middle = [[dx + 0.5, end, dy + 0.25] for dx, dy, end in OFFSETS]
    with pytest.raises(Exception, match="the second number like the pen's flag"):
        converted(pa.array([middle]))
    with pytest.raises(PenpalError, match=r"the first looks like the end of a stroke: give offsets\[:, \[1, 2, 0\]\]"):
        strokes_from_offsets([[end, dx, dy] for dx, dy, end in OFFSETS])
    with pytest.raises(PenpalError, match="--layout offsets-flag-last or --layout offsets-flag-first"):
        converted(pa.array([[[0, 0, 1], [1, 1, 1]]]))


def test_y_may_grow_downward():
    for name in ("stroke-3", "offsets-y-down"):
        assert converted(pa.array([DOWN]), name)[1] == [STROKES]
    first = [[end, dx, dy] for dx, dy, end in DOWN]
    assert converted(pa.array([first]), "offsets-flag-first-y-down")[1] == [STROKES]


def test_an_x_and_y_beside_absolute_points():
    """Points that begin where the stroke says are not moved; if they begin elsewhere, nobody can know."""
    absolute = [{"x": s[0][0], "y": s[0][1], "points": [{"x": x, "y": y} for x, y in s]} for s in STROKES]
    assert converted(pa.array([absolute]))[:2] == (None, [STROKES])
    elsewhere = [{**stroke, "x": 100} for stroke in absolute]
    with pytest.raises(PenpalError, match="--layout relative or --layout strokes"):
        converted(pa.array([elsewhere]))
    assert converted(pa.array([elsewhere]), "strokes")[1] == [STROKES]
    moved = [[(x + 100, y + stroke["y"]) for x, y in one] for one, stroke in zip(STROKES, elsewhere, strict=True)]
    assert converted(pa.array([elsewhere]), "relative")[1] == [moved]


def test_what_is_no_layout_says_what_is_missing(folder, scorer):
    rows = {
        "without strokes": [[0, 9], [4, 0], [8, 9]],
        "have no flag": [{"dx": 1, "dy": 2}],
        "not JSON": "ink",
    }
    for reason, row in rows.items():
        pq.write_table(pa.table({"strokes": pa.array([row])}), folder / "wrong.parquet")
        with pytest.raises(PenpalError, match=f"does not hold strokes\n(.*\n)*.*{reason}"):
            score_dataset(folder / "wrong.parquet", folder / "out.parquet", scorer=scorer)
        (folder / "wrong.jsonl").write_text(json.dumps({"strokes": row}) + "\n")
        with pytest.raises(PenpalError, match=f"does not hold strokes\n(.*\n)*.*{reason}"):
            score_dataset(folder / "wrong.jsonl", folder / "out.parquet", scorer=scorer)
    with pytest.raises(PenpalError, match="there is no layout 'quick'; the layouts are strokes, columns"):
        score_dataset(folder / "wrong.parquet", folder / "out.parquet", scorer=scorer, layout="quick")


def test_jobs_name_the_layout_and_resume_only_with_the_same(folder, scorer):
    path, output = folder / "lines.parquet", folder / "resumed.parquet"
    pq.write_table(pa.table({"strokes": pa.array([LINES] * 3)}), path)
    with pytest.raises(PenpalError, match=r"lines\.parquet: the column 'strokes': its rows may be"):
        score_dataset(path, output, scorer=scorer)
    summary = score_dataset(path, output, scorer=scorer, layout="columns")
    assert summary.as_dict()["layouts"] == ["strokes as columns, [[x...], [y...]] (QuickDraw)"]
    assert score_dataset(path, output, scorer=scorer, layout="columns", resume=True).rows == 3
    with pytest.raises(PenpalError, match="cannot resume"):
        score_dataset(path, output, scorer=scorer, layout="strokes", resume=True)
    kept = filter_dataset(path, folder / "kept.parquet", scorer=scorer, threshold=0, layout="columns")
    assert (kept.kept, kept.layouts) == (3, summary.layouts)
    assert pq.read_table(folder / "kept.parquet")["quality"].to_pylist() == pq.read_table(output)["quality"].to_pylist()


def test_arrow_scorer():
    right = ArrowScorer(backend="native")(pa.table({"strokes": pa.array([STROKES])}))["quality"].to_pylist()
    score = ArrowScorer(backend="native")
    for name in ("columns", "offsets", "Excalidraw"):
        table = pa.table({"strokes": pa.array([LAYOUTS[name][1]])})
        assert score(table)["quality"].to_pylist() == pytest.approx(right, abs=1e-6)
        assert score(table)["strokes"].equals(table["strokes"])
    lines = pa.record_batch({"strokes": pa.array([LINES])})
    with pytest.raises(PenpalError, match="--layout"):
        score(lines)
    assert ArrowScorer(backend="native", layout="columns")(lines)["quality"].null_count == 0


def layouts_of_a_table():
    """Tables of a row in each layout, with the layout's name where it must be given."""
    cells = {name: {"strokes": make(STROKES)} for name, make in FORMS.items()}
    cells |= {name: {"strokes": make(STROKES)} for name, (_, make) in NAMED.items()}
    cells |= {f"columns of {name}": make(STROKES) for name, make in TABLES.items()}
    for name, row in cells.items():
        table = pa.table({column: pa.array([cell]) for column, cell in row.items()})
        yield pytest.param(table, NAMED[name][0] if name in NAMED else None, id=name)
    penpal, text = (pa.array([FORMS[name](STROKES)]) for name in ("penpal", "JSON text"))
    once = pa.array([1], pa.int32())
    encoded = {
        "runs of penpal": pa.RunEndEncodedArray.from_arrays(once, penpal),
        "runs of pressure": pa.RunEndEncodedArray.from_arrays(once, pa.array([FORMS["pressure"](STROKES)])),
        "runs of texts": pa.RunEndEncodedArray.from_arrays(once, text),
        "dictionary of texts": text.dictionary_encode(),
        "bytes": text.cast(pa.large_binary()),
    }
    for name, array in encoded.items():
        yield pytest.param(pa.table({"strokes": array}), None, id=name)


@pytest.mark.parametrize(("table", "layout"), list(layouts_of_a_table()))
def test_a_batch_that_says_nothing_decides_nothing(table, layout):
    """Batches before the first row with strokes are empty, or their rows are null or bad."""
    right = ArrowScorer(backend="native")(pa.table({"strokes": pa.array([STROKES])}))["quality"].to_pylist()
    score = ArrowScorer(backend="native", layout=layout)
    for rows in (0, 2):
        nothing = pa.table({name: pa.nulls(rows, table.schema.field(name).type) for name in table.schema.names})
        scored = score(nothing)
        assert scored["quality_error"].to_pylist() == ["null: the row is null"] * rows
        assert scored.schema.names == [*table.schema.names, "quality", "quality_error", "quality_note"]
    assert score(table)["quality"].to_pylist() == pytest.approx(right, abs=1e-6)
    assert score(nothing)["quality"].null_count == 2


def test_a_batch_of_bad_rows_decides_nothing():
    table = pa.table({"strokes": pa.array([LAYOUTS["columns"][1]])})
    score = ArrowScorer(backend="native")
    for bad in ([], [[[1.0, 2.0, 3.0], [4.0]]]):
        scored = score(pa.table({"strokes": pa.array([bad], table["strokes"].type)}))
        assert scored["quality"].null_count == 1
    assert score(table)["quality"].null_count == 0


SILENT = {
    "empty rows": ([[], None, [[]], [[None]]], ["no points", "null", "no points", "no points"]),
    "texts that are not JSON": (
        ["", "[1, ", "[]", None, "null"],
        ["not JSON", "not JSON", "no points", "null", "null"],
    ),
    "texts without lists": (["5", '"x"', "{}", '{"error": "timeout"}'], ["wrong type"] * 4),
}


@pytest.mark.parametrize(("rows", "reasons"), SILENT.values(), ids=SILENT)
@pytest.mark.parametrize("layout", [None, "offsets"])
def test_a_first_batch_that_holds_nothing_costs_its_rows_only(rows, reasons, layout):
    score = ArrowScorer(backend="native", layout=layout)
    told = FORMS["offsets"](STROKES)
    table = pa.table({"strokes": [json.dumps(told) if isinstance(rows[0], str) else told]})
    right = score(table)["quality"].to_pylist()
    for scorer in (ArrowScorer(backend="native", layout=layout), score):  # The other one has seen a good row.
        found = scorer(pa.table({"strokes": rows}))["quality_error"].to_pylist()
        assert [problem.split(":")[0] for problem in found] == reasons
        assert scorer(table)["quality"].to_pylist() == right


def test_columns_that_hold_nothing_cost_their_rows_only():
    score = ArrowScorer(backend="native")
    assert score({"dx": [[]], "dy": [[]], "eos": [[]]})["quality_error"] == ["no points: the row has no points"]


@pytest.mark.parametrize("rows", [[1], [[1, 2]], [["x"]], ["[1, 2]"], [{"a": 1}]])
def test_a_first_batch_of_no_strokes_is_an_error(rows):
    with pytest.raises(PenpalError, match="does not hold strokes"):
        ArrowScorer(backend="native")(pa.table({"strokes": rows}))


def test_files_that_say_nothing_are_read_as_the_others(folder, scorer):
    """Rows that may be points or columns are read as the file that says which, not as the one that says nothing."""
    said, several, nothing = (folder / f"{name}.parquet" for name in ("said", "several", "nothing"))
    kind = pa.array([LINES]).type
    for path, rows in ((said, [LAYOUTS["columns"][1]]), (several, [LINES]), (nothing, [None])):
        pq.write_table(pa.table({"strokes": pa.array(rows, kind)}), path)
    summary = score_dataset([nothing, several, said], folder / "out.parquet", scorer=scorer)
    assert (summary.rows, summary.bad, summary.layouts) == (3, 1, [Columns(2).description])
    with pytest.raises(PenpalError, match="--layout strokes or --layout columns"):
        score_dataset([nothing, several], folder / "out.parquet", scorer=scorer)


def test_broken_offsets_end_in_an_error_or_a_bad_row():
    """The lists of numbers lead far past them, and back."""
    numbers = pa.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    offsets = [pa.array(one, pa.int32()).buffers()[1] for one in ([0, 1 << 30, 6], [0, 2], [0, 1])]
    points = pa.Array.from_buffers(pa.list_(pa.float64()), 2, [None, offsets[0]], 0, 0, [numbers])
    strokes = pa.Array.from_buffers(pa.list_(points.type), 1, [None, offsets[1]], 0, 0, [points])
    rows = pa.Array.from_buffers(pa.list_(strokes.type), 1, [None, offsets[2]], 0, 0, [strokes])
    broken = pa.table({"strokes": rows})
    scored = ArrowScorer(backend="native")(broken)
    assert scored["quality"].to_pylist() == [None]
    score = ArrowScorer(backend="native", layout="columns")
    with pytest.raises(PenpalError, match="column 'strokes': it is broken"):
        score(broken)
    score(pa.table({"strokes": pa.array([LINES], rows.type)}))
    with pytest.raises(PenpalError, match="column 'strokes': it is broken"):
        score(broken)


@given(
    st.lists(
        st.none()
        | st.lists(st.lists(st.tuples(*[st.integers(-9, 9)] * 3).map(list), min_size=1, max_size=4), max_size=4),
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_points_of_three_numbers_are_those_of_two(rows, skipped):
    """Whatever the rows are, and wherever a slice begins."""
    kind = pa.list_(pa.list_(pa.list_(pa.float64())))
    anchor = [[[0, 9, 1], [4, 0, 0], [8, 9, 1]], [[2, 5, 1], [6, 5, 0]]]
    given_rows = pa.array([anchor] * 9 + rows, kind).slice(min(skipped, len(rows)))
    plain = [
        None if row is None else [[point[:2] for point in stroke] for stroke in row] for row in given_rows.to_pylist()
    ]
    assert converted(given_rows)[1] == strokes_of(pa.array(plain, kind))


@given(st.lists(st.lists(st.tuples(*[st.floats(-9, 9)] * 2, st.integers(0, 1)), min_size=1, max_size=9), max_size=5))
def test_offsets_are_those_of_strokes_from_offsets(rows):
    rows = [[*row, (1.5, 2.5, 1)] for row in rows] + [[(0.5, 1.5, 0), (2.5, 0.5, 1)]]
    # Steps of nothing but zeros, or dots, do not tell their layout.
    found = converted(pa.array([list(map(list, row)) for row in rows]), "offsets-flag-last")
    expected = [[list(map(tuple, stroke)) for stroke in strokes_from_offsets(np.array(row))] for row in rows]
    assert found == ("offsets-flag-last", expected, {})


def _nested_types():
    leaves = st.sampled_from(
        [pa.float64(), pa.int8(), pa.float16(), pa.bool_(), pa.string(), pa.binary(), pa.null(), pa.decimal128(9, 2)]
    )
    names = st.sampled_from(["x", "y", "points", "dx", "dy", "eos", "stroke", "paths", "a"])
    return st.recursive(
        leaves,
        lambda inside: (
            inside.map(pa.list_)
            | inside.map(pa.large_list)
            | inside.map(lambda kind: pa.list_(kind, 2))
            | st.dictionaries(names, inside, min_size=1, max_size=4).map(pa.struct)
        ),
        max_leaves=6,
    )


def _values(kind):
    """A strategy for what a type holds."""
    if pa.types.is_struct(kind):
        return st.none() | st.fixed_dictionaries({field.name: _values(field.type) for field in kind})
    if pa.types.is_fixed_size_list(kind):
        return st.none() | st.lists(_values(kind.value_type), min_size=2, max_size=2)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return st.none() | st.lists(_values(kind.value_type), max_size=4)
    whole = st.none() | st.integers(-9, 9)
    makes = {
        "bool": bool,
        "string": str,
        "binary": lambda one: str(one).encode(),
        "halffloat": np.float16,
        "double": float,
    }
    make = makes.get(str(kind), int)
    return st.none() if pa.types.is_null(kind) else whole.map(lambda one: None if one is None else make(one))


@given(st.data(), _nested_types(), st.sampled_from([None, *LAYOUT_NAMES]))
def test_any_type_is_converted_or_refused(data, kind, layout):
    rows = data.draw(st.lists(_values(kind), max_size=4))
    table = pa.table({"strokes": pa.array(rows, kind)})
    try:
        column = StrokesColumn.found(table.schema, "strokes", [table], layout)
        drawn, problems = column.converted(table)
        assert all(row < len(rows) for row in problems)
        Rows(nulls_as_strokes(drawn["strokes"]))
    except PenpalError as error:
        assert str(error)


@given(
    st.text(max_size=30)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda inside: (
            st.lists(inside, max_size=4)
            | st.dictionaries(
                st.sampled_from(["x", "y", "points", "dx", "dy", "eos", "paths", "a"]), inside, max_size=4
            )
        ),
        max_leaves=20,
    ).map(json.dumps)
)
def test_any_text_is_converted_or_refused(text):
    try:
        converted(pa.array([text, json.dumps(LAYOUTS["columns"][1])]))
    except PenpalError as error:
        assert "--layout" in str(error)


@pytest.mark.parametrize("beside", [{}, {"points": 3}, {"x": 1.0, "words": 2}], ids=str)
def test_records_with_strokes_under_the_name_of_the_column(folder, scorer, beside):
    """They are no table: whoever takes a row of them sees the strokes too."""
    record = {"strokes": [{"points": [{"x": x, "y": y} for x, y in stroke]} for stroke in STROKES], **beside}
    path = folder / "rows.parquet"
    pq.write_table(pa.table({"strokes": [record, None]}), path)
    assert words_of(one_row(path, 0, "strokes").column(0)[0])[0][0].tolist() == [list(point) for point in STROKES[0]]
    score_dataset(path, folder / "scored.parquet", scorer=scorer)
    scores = pq.read_table(folder / "scored.parquet")["quality"].to_pylist()
    assert scores == [pytest.approx(scorer.score([STROKES])[0], abs=1e-6), None]


@pytest.mark.parametrize("near", [0.0, 1e-9])
def test_points_near_the_origin_of_their_strokes_count_from_there(near):
    """What `Scorer` sends to `ArrowScorer` is read there."""
    rows = [[{"x": 5 * place, "y": 1, "points": [[near, 0], [3, 4], [5, 0]]} for place in range(3)]] * 2
    with pytest.raises(PenpalError, match="score them with ArrowScorer"):
        Scorer(backend="native").score(rows)
    scored = ArrowScorer(backend="native")(pa.table({"strokes": pa.array(rows)}))
    assert scored["quality"].null_count == 0


def test_text_with_a_byte_order_mark():
    text = json.dumps([[[0, 0], [3, 4], [5, 0]], [[6, 0], [7, 2]]])
    assert converted(pa.array([f"\ufeff{text}"]))[1] == converted(pa.array([text]))[1]


@pytest.mark.parametrize("suffix", [".parquet", ".jsonl", ".json", ".csv"])
def test_offsets_that_may_be_points_are_refused_in_all_formats(tmp_path, suffix):
    rows = [[[x + row, 1 + x % 3, float(x % 4 == 3)] for x in range(12)] for row in range(20)]
    path = tmp_path / f"rows{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({"strokes": rows}), path)
    elif suffix == ".csv":
        path.write_text("strokes\n" + "".join(f'"{json.dumps(row)}"\n' for row in rows))
    else:
        lines = [json.dumps({"strokes": row}) for row in rows]
        path.write_text("\n".join(lines) if suffix == ".jsonl" else f"[{','.join(lines)}]")
    with pytest.raises(PenpalError, match="--layout offsets-flag-last or --layout lifts"):
        score_dataset(path, tmp_path / "out.parquet")
    summary = score_dataset(path, tmp_path / "out.parquet", layout="lifts")
    assert summary.first_problem is None
