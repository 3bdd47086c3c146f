"""Buffers that `render_into` takes, and those that it refuses."""

from __future__ import annotations

import array
import mmap
import subprocess
import sys

import mlx.core as mx
import numpy as np
import pytest

import penpal_fast
from helpers.alarm import worked
from helpers.concurrency import run_in_threads
from penpal_fast import PenpalError

ROW = [[(0.0, 0.0), (10.0, 4.0)], [(3.0, 7.0)]]
SHAPE = (1, 256, 256, 1)


def bytes_of_memory():
    return mmap.mmap(-1, 256 * 256 * 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: np.empty(SHAPE, dtype=np.float32),
        lambda: np.zeros(SHAPE, dtype="<f4"),
        lambda: memoryview(bytearray(256 * 256 * 4)).cast("f", SHAPE),
        lambda: memoryview(array.array("f", bytes(256 * 256 * 4))).cast("B").cast("f", SHAPE),
        lambda: memoryview(bytes_of_memory()).cast("f", SHAPE),
        lambda: np.zeros((4, *SHAPE[1:]), dtype=np.float32)[2:3],
        lambda: np.zeros(256 * 256 * 4 + 4, dtype=np.uint8)[4:].view(np.float32).reshape(SHAPE),
    ],
    ids=["NumPy", "little endian", "bytearray", "array", "mmap", "slice", "4-byte aligned"],
)
def test_writable_float32_buffers(make):
    out = make()
    penpal_fast.render_into([ROW], out)
    assert np.array_equal(np.asarray(out)[0], penpal_fast.render_strokes(ROW))


def test_an_mlx_array():
    out = mx.zeros(SHAPE)
    penpal_fast.render_into([ROW], out)
    assert np.array_equal(np.array(out)[0], penpal_fast.render_strokes(ROW))


def read_only():
    out = np.empty(SHAPE, dtype=np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "message"),
    [
        (None, "out must be a float32 buffer of shape .* got NoneType"),
        ([[0.0]], "got list"),
        (np.empty(SHAPE), "must hold float32, got the buffer format 'd'"),
        (np.empty(SHAPE, dtype=np.int32), "must hold float32"),
        (np.empty(SHAPE, dtype=">f4"), "must hold float32, got the buffer format '>f'"),
        (
            np.empty((2, *SHAPE[1:]), dtype=np.float32),
            r"must have the shape \(1, 256, 256, 1\).*got \(2, 256, 256, 1\)",
        ),
        (np.empty(SHAPE[:3], dtype=np.float32), r"got \(1, 256, 256\)"),
        (np.empty((1, 1, 256, 256), dtype=np.float32), r"got \(1, 1, 256, 256\)"),
        (bytearray(256 * 256 * 4), "must hold float32"),
        (read_only(), "must be writable"),
        (np.empty((1, 256, 512, 1), dtype=np.float32)[:, :, ::2], "C-contiguous"),
        (np.empty(SHAPE, dtype=np.float32).transpose(0, 2, 1, 3), "C-contiguous"),
        (np.broadcast_to(np.float32(0), SHAPE), "must be writable"),
    ],
)
def test_other_buffers_are_refused(out, message):
    with pytest.raises(PenpalError, match=message):
        penpal_fast.render_into([ROW], out)


def test_no_rows_need_no_room():
    penpal_fast.render_into([], np.empty((0, 256, 256, 1), dtype=np.float32))
    assert penpal_fast.render_batch([]).shape == (0, 256, 256, 1)


@pytest.mark.parametrize("line_width", [0, -1, 256.5, float("nan"), float("inf")])
def test_line_widths_out_of_range_are_refused(line_width):
    with pytest.raises(PenpalError, match="line_width must be above 0 and at most 256"):
        penpal_fast.render_strokes(ROW, line_width=line_width)


@pytest.mark.parametrize("threads", [0, -1, 5000, "2", 1.5])
def test_thread_counts_out_of_range_are_refused(threads):
    with pytest.raises(PenpalError, match="threads must be from 1 to 1024"):
        penpal_fast.render_batch([ROW], threads=threads)


def test_several_threads_render_at_once():
    expected = penpal_fast.render_strokes(ROW)
    same = []

    def work():
        out = np.empty((20, 256, 256, 1), dtype=np.float32)
        for _ in range(5):
            penpal_fast.render_into([ROW] * 20, out)
        same.append(np.array_equal(out, np.broadcast_to(expected, out.shape)))

    run_in_threads(work)
    assert same == [True] * 4


def test_two_threads_cannot_write_the_same_memory():
    memory = bytearray(64 * 256 * 256 * 4)
    refused = []

    def work():
        for _ in range(40):
            try:
                penpal_fast.render_into([ROW] * 64, memoryview(memory).cast("f", (64, 256, 256, 1)))
            except PenpalError as error:
                refused.append(str(error))

    run_in_threads(work)
    assert refused
    assert set(refused) == {"out is being written by another thread; give each thread a buffer of its own"}
    penpal_fast.render_into([ROW] * 64, memoryview(memory).cast("f", (64, 256, 256, 1)))


def test_refused_threads_do_not_wait_for_each_other():
    """Making the error runs Python code, in which another thread takes its turn."""
    program = """
import sys, threading, penpal_fast
sys.setswitchinterval(1e-6)
memory = bytearray(8 * 256 * 256 * 4)
def work():
    for _ in range(1000):
        try:
            penpal_fast.render_into([[[(0, 0), (5, 9)]]] * 8, memoryview(memory).cast("f", (8, 256, 256, 1)))
        except penpal_fast.PenpalError:
            pass
threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


class Claiming:
    """Rows without end, which claim to be many."""

    def __len__(self):
        return 1 << 62

    def __getitem__(self, row):
        return ROW


MANY = {"object": Claiming(), "NumPy": np.broadcast_to(np.zeros(2), (1 << 40, 1, 1, 2)), "range": range(1 << 60)}


@pytest.mark.parametrize("rows", MANY.values(), ids=MANY)
def test_more_rows_than_can_be_drawn_are_not_read(rows):
    with worked(10):
        with pytest.raises(PenpalError, match="rows are too many for one batch; render at most 65536"):
            penpal_fast.render_batch(rows)
        with pytest.raises(PenpalError, match=r"out must have the shape \(\d{13,}, 256, 256, 1\)"):
            penpal_fast.render_into(rows, np.zeros(SHAPE, np.float32))
