"""Offsets in NumPy's files."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.hostile_files import damaged, read_or_refused, refused, strokes_of
from penpal_fast import (
    PenpalError,
    convert_dataset,
    filter_dataset,
    read_rows,
    score_dataset,
    strokes_from_offsets,
)

LAST = np.array([[3, 1, 0], [1, 4, 0], [1, -4, 1], [-1.5, 2, 0], [1, 0, 1]])
"""Two strokes, the end of a stroke last."""

FIRST = LAST[:, [2, 0, 1]]
STROKES = [[(3, -1), (4, -5), (5, -1)], [(3.5, -3), (4.5, -3)]]


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def npz(**arrays):
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["<f8", ">f4", "<f2"])
@pytest.mark.parametrize("offsets", [LAST, FIRST, np.asfortranarray(FIRST)], ids=["last", "first", "fortran"])
def test_a_row_of_offsets(tmp_path, offsets, kind):
    path = tmp_path / "line.npy"
    np.save(path, offsets.astype(kind))
    assert strokes_of(read_rows(path)) == [STROKES]


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]], ids=["last", "first"])
def test_a_flag_that_says_that_the_pen_is_down_is_refused(tmp_path, order):
    """As in JSON and Arrow; see `test_layouts.py`."""
    down = np.tile([[1, 1, 1], [1, -1, 1], [1, 2, 1], [2, -1, 0]], (4, 1))
    path = tmp_path / "down.npy"
    np.save(path, down[:, order])
    with pytest.raises(PenpalError, match="its pen would lift after most points"):
        read_rows(path)
    named = "offsets-flag-last" if order[2] == 2 else "offsets-flag-first"
    expected = [list(map(tuple, stroke.tolist())) for stroke in strokes_from_offsets(down)]
    assert strokes_of(read_rows(path, layout=named)) == [expected]
    np.save(path, down[:4, order])  # Too few to tell.
    assert len(strokes_of(read_rows(path))[0]) == 4


def test_rows_that_are_padded(tmp_path):
    rows = np.zeros((3, 9, 3))
    rows[0, :5], rows[2, :2] = LAST, LAST[:2]
    rows[2, 5:] = np.nan
    path = tmp_path / "lines.npy"
    np.save(path, rows)
    assert strokes_of(read_rows(path)) == [STROKES, [], [STROKES[0][:2]]]


def test_the_order_is_that_of_all_rows(tmp_path):
    rows = np.stack([FIRST, FIRST])
    rows[0, :, 2] = 0  # This row alone could be either.
    path = tmp_path / "lines.npy"
    np.save(path, rows)
    assert strokes_of(read_rows(path))[1] == STROKES


STROKE_5 = np.column_stack([LAST[:, 0], -LAST[:, 1], 1 - LAST[:, 2], LAST[:, 2], 0 * LAST[:, 2]])


@pytest.mark.parametrize("layout", [None, "stroke-5"])
def test_stroke_5_ends_where_it_says(tmp_path, layout):
    """What follows the end is padding, whatever it is; y grows downward."""
    rows = np.zeros((3, 9, 5))
    rows[:, :, 4] = 1
    rows[0, :5], rows[1, :2] = STROKE_5, STROKE_5[:2]
    rows[0, 7] = [9, 9, 1, 0, 0]
    path = tmp_path / "sketches.npy"
    np.save(path, rows)
    assert strokes_of(read_rows(path, layout=layout)) == [STROKES, [STROKES[0][:2]], []]
    np.save(path, STROKE_5)
    assert strokes_of(read_rows(path)) == [STROKES]


def test_points_with_lifts_if_they_are_said_to_be(tmp_path):
    path = tmp_path / "points.npz"
    points = [[*point, point == stroke[-1]] for stroke in STROKES for point in stroke]
    path.write_bytes(npz(a=np.array(points), b=np.array([*points, [0, 0, 0]])))
    assert strokes_of(read_rows(path, layout="lifts")) == [STROKES, STROKES]
    with pytest.raises(PenpalError, match="--layout stroke-5"):
        read_rows(path, layout="stroke-5")


def test_the_arrays_of_an_archive_have_one_order(tmp_path):
    path = tmp_path / "lines.npz"
    path.write_bytes(npz(short=AMBIGUOUS[:, [0, 1, 2]], long=FIRST))
    assert strokes_of(read_rows(path))[1] == STROKES
    path.write_bytes(npz(rows=LAST, sketches=np.stack([STROKE_5] * 2)))
    table = read_rows(path)
    assert (strokes_of(table), table["id"].to_pylist()) == ([STROKES] * 3, ["rows", "sketches", "sketches"])


def test_an_archive_with_texts_and_lengths(tmp_path):
    path = tmp_path / "lines.npz"
    path.write_bytes(npz(a=LAST, b=np.stack([LAST, LAST]), text=np.array(["x", "yes", "z"]), lengths=[5, 3, 5]))
    table = read_rows(path)
    assert strokes_of(table) == [STROKES, STROKES[:1], STROKES]
    assert table["text"].to_pylist() == ["x", "yes", "z"]
    assert table["id"].to_pylist() == ["a", "b", "b"]


AMBIGUOUS = np.array([[0, 1.5, 1], [1, 2, 0]])
REFUSED = {
    "both orders": (AMBIGUOUS, "both the first and the last"),
    "points": (LAST + 5, "neither the first nor the last"),
    "pairs": (LAST[:, :2], r"\[5, 2\], like points without a flag"),
    "points with lifts": (np.abs(LAST), "--layout offsets-flag-last or --layout lifts"),
    "no stroke-5": (np.full((4, 5), 0.5), "no stroke-5"),
    "four numbers": (np.zeros((7, 4)), r"\[7, 4\]; rows are offsets"),
    "swapped axes": (np.zeros((2, 3, 9)), r"numpy\.swapaxes\(array, 1, -1\)"),
    "a number": (np.float64(3), r"\[\]"),
    "texts": (np.array([["a", "b", "c"]]), "<U1"),
    "no row": (np.zeros((0, 3), complex), "complex"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_arrays_are_refused_by_name(tmp_path, name):
    array, message = REFUSED[name]
    path = tmp_path / "other.npy"
    np.save(path, array)
    with pytest.raises(ValueError, match=message):
        raise ValueError(refused(path))


def test_pickled_objects_are_never_loaded(tmp_path):
    class Harm:
        def __reduce__(self):
            return (tmp_path.joinpath("harm").touch, ())

    harmful = np.array([Harm(), None], dtype=object)
    (tmp_path / "a.npy").write_bytes(npy(harmful))
    (tmp_path / "b.npz").write_bytes(npz(train=harmful))
    for name in ("a.npy", "b.npz"):
        assert "pickled Python objects, which are never loaded" in refused(tmp_path / name)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("shape", ["(1000000000, 3)", "(1000000000, 1000, 3)", "(-2, -1, 3)", "(6, 3)", "(3,)"])
def test_shapes_that_lie(tmp_path, shape):
    path = tmp_path / "lies.npy"
    content = npy(LAST)
    header = content[:128].replace(b"(5, 3), }", shape.encode() + b", }")
    path.write_bytes(header[:127].rstrip() + b" " * 200)
    path.write_bytes(content[:8] + b"\x76\x00" + header[10:].rstrip()[:117].ljust(117) + b"\n" + content[128:])
    assert "shape" in refused(path)


def test_archives_that_lie(tmp_path):
    path = tmp_path / "lies.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", npy(np.zeros((1, 3)))[:128].replace(b"(1, 3)", b"(9, 3)") + b"\0" * 24)
    assert "shape" in refused(path)
    content = bytearray(npz(x=LAST))
    path.write_bytes(content[: len(content) // 2])
    refused(path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": LAST, "text": np.array(["a", "b"])}, "text: it has 2 values for 1 rows"),
        ({"x": LAST, "pressure": np.zeros((4, 7))}, "pressure: it is float64 [4, 7]"),
        ({"x": LAST, "writer": np.array([3])}, "writer: these numbers are no offsets"),
        ({"text": np.array(["a", "b"])}, "there are no offsets in it"),
    ],
)
def test_archives_with_other_arrays(tmp_path, arrays, message):
    path = tmp_path / "other.npz"
    path.write_bytes(npz(**arrays))
    assert message in refused(path)


@given(damaged(npy(np.stack([LAST, LAST]))), damaged(npz(a=LAST, text=np.array(["x"]))))
def test_damaged_files(tmp_path_factory, array, archive):
    folder = tmp_path_factory.mktemp("damaged")
    for name, content in (("a.npy", array), ("b.npz", archive)):
        (folder / name).write_bytes(content)
        read_or_refused(folder / name)


@given(st.lists(st.tuples(st.integers(-9, 9), st.floats(2, 9), st.booleans()), min_size=1, max_size=20))
def test_rows_are_those_of_strokes_from_offsets(tmp_path_factory, rows):
    offsets = np.array([*rows, (-1, -1, 1)], float)
    offsets[:, 0] += 2.5
    path = tmp_path_factory.mktemp("rows") / "line.npy"
    np.save(path, offsets)
    layout = "offsets-flag-last" if offsets[:, 2].mean() > 0.6 else None  # It would seem to say that the pen is down.
    found = strokes_of(read_rows(path, layout=layout))
    assert found == [[list(map(tuple, one)) for one in strokes_from_offsets(offsets)]]


@pytest.mark.parametrize(
    ("rows", "layout", "described"),
    [
        (LAST, None, "offsets (dx, dy, pen lift), y up"),
        (FIRST, None, "offsets (pen lift, dx, dy), y up"),
        (LAST, "stroke-3", "offsets (dx, dy, pen lift), y down"),
        (LAST, "lifts", "points (x, y, pen lift), where the pen lifts at 1"),
        (STROKE_5, None, "stroke-5 (dx, dy, pen down, pen up, end), y down (Sketch-RNN)"),
    ],
)
def test_jobs_say_what_rows_were_read_as(tmp_path, scorer, rows, layout, described):
    np.save(tmp_path / "lines.npy", rows)
    np.savez(tmp_path / "lines.npz", rows, rows)
    for name in ("lines.npy", "lines.npz"):
        out = tmp_path / "out.parquet"
        assert score_dataset(tmp_path / name, out, scorer=scorer, layout=layout).layouts == [described]
        kept = filter_dataset(tmp_path / name, out, scorer=scorer, layout=layout, threshold=0.0)
        assert kept.layouts == [described]
        assert convert_dataset(tmp_path / name, out, layout=layout).layouts == [described]
