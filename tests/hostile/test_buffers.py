"""Buffers for `render_into` that share memory, are let go of, or are no buffers."""

from __future__ import annotations

import mmap
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import as_strided

import penpal_fast
from penpal_fast import PenpalError

ROW = [[(0.0, 0.0), (10.0, 4.0)], [(3.0, 7.0)]]
SHAPE = (1, 256, 256, 1)
SIZE = 256 * 256 * 4


def released():
    view = memoryview(bytearray(SIZE))
    view.release()
    return view


REFUSED = {
    "released": released(),
    "dates": np.zeros(SHAPE, dtype="M8[s]"),
    "records": np.zeros(SHAPE, dtype=[("ink", "f4")]),
    "objects": np.zeros(SHAPE, dtype=object),
    "half": np.zeros(SHAPE, dtype=np.float16),
    "one element over and over": as_strided(np.zeros(1, np.float32), SHAPE, (0, 0, 0, 0)),
    "rows that overlap": as_strided(np.zeros(1024, np.float32), SHAPE, (4, 4, 4, 4)),
    "backwards": np.zeros(SHAPE, np.float32)[:, ::-1],
    "Fortran order": np.asfortranarray(np.zeros((1, 256, 256, 1), np.float32)),
    "bytes": memoryview(bytes(SIZE)).cast("f", SHAPE),
    "a read-only map": memoryview(mmap.mmap(-1, SIZE, access=mmap.ACCESS_READ)).cast("f", SHAPE),
    "not aligned": np.zeros(SIZE + 1, np.uint8)[1:].view(np.float32).reshape(SHAPE),
    "text": "canvas",
    "a type": np.ndarray,
}


@pytest.mark.parametrize("out", REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_written_is_refused(out):
    with pytest.raises(PenpalError, match="out"):
        penpal_fast.render_into([ROW], out)


@settings(max_examples=40)
@given(data=st.data())
def test_any_view_is_written_whole_or_refused(data):
    """Views of one memory by any start, shape, strides and type: what is written is inside the view."""
    memory = np.full(3 * SIZE, 0xAB, dtype=np.uint8)
    kind = data.draw(st.sampled_from(["<f4", ">f4", "<f8", "<i4", "u1"]))
    item = np.dtype(kind).itemsize
    start = data.draw(st.sampled_from([0, 1, 4, 64, SIZE]))
    strides = data.draw(
        st.sampled_from([(256 * 256, 256, 1, 1), (256 * 256, 1, 256, 1), (0, 256, 1, 1), (256 * 256, 256, 1, 0)])
    )
    count = data.draw(st.integers(0, 1 if item == 8 else 2))
    view = np.ndarray(
        (count, 256, 256, 1), kind, memory.data, offset=start, strides=[item * stride for stride in strides]
    )
    try:
        penpal_fast.render_into([ROW] * count, view)
    except PenpalError:
        assert (memory == 0xAB).all()
        return
    assert (memory[:start] == 0xAB).all()
    assert (memory[start + count * SIZE :] == 0xAB).all()
    assert np.array_equal(view, np.broadcast_to(penpal_fast.render_strokes(ROW), view.shape))


def test_memory_cannot_be_resized_while_it_is_written():
    memory = bytearray(64 * SIZE)
    view = memoryview(memory).cast("f", (64, 256, 256, 1))
    done = threading.Event()
    outcomes = []

    def resize():
        while not done.is_set():
            try:
                memory.extend(b"x")
            except BufferError:
                outcomes.append("refused")
            else:
                outcomes.append("resized")

    thread = threading.Thread(target=resize)
    thread.start()
    try:
        for _ in range(3):
            penpal_fast.render_into([ROW] * 64, view)
    finally:
        done.set()
        thread.join()
    assert set(outcomes) <= {"refused"}
    view.release()
    memory.clear()


def test_the_callers_view_may_be_let_go_of():
    memory = bytearray(SIZE)
    view = memoryview(memory).cast("f", SHAPE)
    penpal_fast.render_into([ROW], view)
    view.release()
    memory.clear()  # Nothing of this package holds on to it.


def rows_in(memory: np.ndarray, count: int) -> pa.Array:
    """Rows of a stroke of two points each, whose x lie in the memory given."""
    x = pa.Array.from_buffers(pa.float32(), 2 * count, [None, pa.py_buffer(memory)])
    y = pa.array(np.zeros(2 * count, np.float32))
    points = pa.StructArray.from_arrays([x, y], ["x", "y"])
    strokes = pa.ListArray.from_arrays(pa.array(range(0, 2 * count + 1, 2), pa.int32()), points)
    return pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), strokes)


@pytest.mark.parametrize("part", [slice(None), slice(100, 200), slice(-2, None)])
def test_rows_are_not_drawn_over_themselves(part):
    memory = np.arange(8 * 256 * 256, dtype=np.float32)
    before = memory.copy()
    out = memory.reshape(8, 256, 256, 1)
    count = len(memory[part]) // 2
    rows = rows_in(memory[part], count)
    with pytest.raises(PenpalError, match="out overlaps the memory of the rows; pass a buffer of its own"):
        penpal_fast.render_into(rows[: len(out)], out[-len(rows) :])
    assert np.array_equal(memory, before)
    apart = np.empty((1, 256, 256, 1), np.float32)
    penpal_fast.render_into(rows[:1], apart)
    assert apart.max() > 0


def test_memory_that_changes_while_it_is_read_costs_rows_and_no_more():
    """The Arrow format forbids it, and the process survives it."""
    count = 2000
    memory = np.arange(2 * count, dtype=np.float32)
    rows = rows_in(memory, count)
    done = threading.Event()

    def change():
        values = np.array([np.nan, np.inf, 3e38, -3e38, 0.0], np.float32)
        turn = 0
        while not done.is_set():
            memory[turn % 97 :: 97] = values[turn % len(values)]
            turn += 1

    thread = threading.Thread(target=change)
    thread.start()
    try:
        for _ in range(10):
            quality = penpal_fast.score(rows, errors="null")
            assert len(quality) == count
    finally:
        done.set()
        thread.join()
    memory[:] = np.arange(2 * count)
    assert np.isfinite(penpal_fast.score(rows)).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_strokes_off_their_alignment_are_read(kind, order):
    points = np.array([[0, 0], [10, 4], [3, 7]], kind, order=order)
    memory = np.zeros(points.nbytes + 1, np.uint8)
    shifted = np.ndarray((3, 2), kind, memory.data, 1, points.strides)
    shifted[:] = points
    assert not shifted.flags.aligned
    expected = penpal_fast.render_strokes([points.tolist()])
    assert np.array_equal(penpal_fast.render_strokes([shifted]), expected)
