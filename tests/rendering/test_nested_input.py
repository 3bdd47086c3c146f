"""Strokes from nested Python: every accepted form gives the same picture, everything else names its row."""

from __future__ import annotations

import signal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import penpal_fast
from helpers.forms import BAD, FORMS, STROKES, Broken
from penpal_fast import PenpalError, strokes_from_offsets


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_picture(form):
    assert np.array_equal(penpal_fast.render_strokes(form), penpal_fast.render_strokes(STROKES))


def test_a_stroke_with_x_and_y_is_drawn_by_its_points():
    """As an Arrow row and as its nested Python; a field called points comes before x and y."""
    curve = [{"x": point % 7, "y": point * point % 11} for point in range(20)]
    rows = pa.array([[[{"points": curve, "x": 1, "y": 2}]]])
    out = np.empty((1, 256, 256, 1), np.float32)
    penpal_fast.render_into(rows, out)
    assert np.array_equal(out[0], penpal_fast.render_strokes(rows[0].as_py()))
    assert np.array_equal(out[0], penpal_fast.render_strokes([curve]))


class Labelled:
    """Read by label with brackets and by position when iterated, as a pandas Series is."""

    def __init__(self, items):
        self._items = dict(zip(reversed(range(len(items))), items, strict=True))

    def __len__(self):
        return len(self._items)

    def __iter__(self):
        return iter(self._items.values())

    def __getitem__(self, label):
        return self._items[label]


def test_what_is_iterated_by_position_is_not_read_by_label():
    rows = Labelled([STROKES, [[(0, 0), (1, 1)]], Labelled(STROKES)])
    out = np.empty((3, 256, 256, 1), dtype=np.float32)
    penpal_fast.render_into(rows, out)
    assert np.array_equal(out[0], penpal_fast.render_strokes(STROKES))
    assert np.array_equal(out[1], penpal_fast.render_strokes([[(0, 0), (1, 1)]]))
    assert np.array_equal(out[2], out[0])


def test_shared_references_do_not_exhaust_memory():
    stroke = [(0, 0)] * 1000
    word = [stroke] * 1000
    with pytest.raises(PenpalError, match="too many points: the row has at least 1049000; the limit is 1048576"):
        penpal_fast.render_strokes([word] * 400)


@pytest.mark.parametrize(("row", "message"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_and_costs_only_itself(row, message):
    out = np.full((3, 256, 256, 1), 7, dtype=np.float32)
    with pytest.raises(PenpalError, match=f"^row 1: .*{message}") as caught:
        penpal_fast.render_into([STROKES, row, STROKES], out)
    assert caught.value.row == 1
    assert caught.value.problem.startswith(f"{caught.value.reason}: ")
    assert str(caught.value) == f"row 1: {caught.value.problem}"
    assert np.array_equal(out[0], penpal_fast.render_strokes(STROKES))
    assert np.array_equal(out[2], out[0])
    assert not out[1].any()


def test_a_keyboard_interrupt_is_not_a_bad_row():
    class Interrupted(Broken):
        def __getitem__(self, index):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        penpal_fast.render_strokes([Interrupted()])


class InterruptedInClass:
    """`isinstance` with an abstract class asks for `__class__`, in Python."""

    @property
    def __class__(self):
        raise KeyboardInterrupt


@pytest.mark.parametrize("depth", range(4))
def test_an_interrupt_within_isinstance_is_not_lost(depth, capfd):
    row = InterruptedInClass()
    for _ in range(depth):
        row = [row]
    with pytest.raises(KeyboardInterrupt):
        penpal_fast.render_strokes(row)
    assert not capfd.readouterr().err


def test_the_exception_of_a_signal_handler_is_not_the_rows():
    def handler(_number, _frame):
        raise TimeoutError("time is up")

    rows = [[[(0.0, 1.0), (1.0, 0.0)] * 200_000]] * 50
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError, match="time is up"):
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            penpal_fast.score(rows, errors="null")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(
    "rows", [None, 5, "text", {"a": 1}, {1}, iter([STROKES])], ids=lambda rows: type(rows).__name__
)
def test_rows_must_be_a_sequence(rows):
    with pytest.raises(PenpalError, match="rows must be a sequence of rows or an Arrow array"):
        penpal_fast.render_batch(rows)


nested = st.recursive(
    st.none() | st.floats() | st.integers() | st.text(max_size=3) | st.booleans() | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["points", "x", "y", "z"]), inner, max_size=3)
        | st.tuples(inner, inner)
    ),
    max_leaves=25,
)


@given(rows=st.lists(nested, max_size=4))
def test_arbitrary_python_is_drawn_or_refused(rows):
    out = np.empty((len(rows), 256, 256, 1), dtype=np.float32)
    try:
        penpal_fast.render_into(rows, out)
    except PenpalError as error:
        assert error.row is not None
    assert not np.isnan(out).any()


def test_offsets_become_strokes():
    offsets = [(1, 0, 0), (2, 3, 1), (0, -1, 0), (1, 1, 1), (5, 5, 0)]
    strokes = strokes_from_offsets(offsets)
    assert [stroke.tolist() for stroke in strokes] == [[[1, 0], [3, -3]], [[3, -2], [4, -3]], [[9, -8]]]


def test_masked_offsets_are_refused():
    offsets = np.ma.masked_array(np.ones((3, 3)), mask=[[0] * 3, [1] * 3, [0] * 3])
    with pytest.raises(PenpalError, match="some offsets are masked; leave them out"):
        strokes_from_offsets(offsets)
    assert len(strokes_from_offsets(np.ma.masked_array(np.ones((3, 3))))) == 3


@pytest.mark.parametrize(
    "offsets", [[], [[1, 2]], np.zeros((2, 3, 1)), "ink", None, [["a", "b", "c"]], [[1], [1, 2]], [[10**400, 0, 0]]]
)
def test_other_offsets_are_refused(offsets):
    with pytest.raises(PenpalError, match=r"offsets must be a \[T, 3\] array"):
        strokes_from_offsets(offsets)
