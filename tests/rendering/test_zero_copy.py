"""Rust writes where MLX reads: tests that a silent copy fails."""

from __future__ import annotations

import json
import subprocess
import sys

import mlx.core as mx
import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from penpal_fast import ModelConfig, rendering
from penpal_fast._core import Rows
from penpal_fast.engines import mlx, mlx_memory
from penpal_fast.engines.mlx_memory import writable_canvases

ROWS = [scrawl(seed, 4, 30) for seed in range(3)]


def address(array: mx.array) -> int:
    """Where MLX keeps an evaluated array."""
    return np.array(array, copy=False).__array_interface__["data"][0]


def assert_rust_writes_into_mlx(array: mx.array, view: np.ndarray) -> None:
    """Let Rust write through the view, and look in MLX."""
    before = address(array)
    assert view.__array_interface__["data"][0] == before
    assert mx.abs(array).sum().item() == 0
    assert Rows(ROWS).render_into(view, 0, 1.5, 2) == []
    expected = np.stack([penpal_fast.render_strokes(row) for row in ROWS])
    assert np.array_equal(np.array(array), expected)
    assert address(array) == before


def test_what_rust_writes_mlx_reads():
    assert_rust_writes_into_mlx(*writable_canvases(len(ROWS)))


def test_a_planted_copy_fails():
    array, view = writable_canvases(len(ROWS))
    with pytest.raises(AssertionError):
        assert_rust_writes_into_mlx(array, view.copy())
    with pytest.raises(AssertionError):
        assert_rust_writes_into_mlx(array + 0, view)


def test_render_batch_returns_the_memory_that_was_written(monkeypatch):
    written = []

    def remembering(count):
        array, view = mlx_memory_writable_canvases(count)
        written.append(view.__array_interface__["data"][0])
        return array, view

    mlx_memory_writable_canvases = mlx_memory.writable_canvases
    monkeypatch.setattr(mlx_memory, "writable_canvases", remembering)
    batch = penpal_fast.render_batch(ROWS)
    assert isinstance(batch, mx.array)
    assert batch.shape == (len(ROWS), 256, 256, 1)
    assert batch.dtype == mx.float32
    assert written == [address(batch)]
    assert np.array_equal(np.array(batch), np.stack([penpal_fast.render_strokes(row) for row in ROWS]))


def test_a_sentinel_in_the_view_is_seen_by_an_operation():
    array, view = writable_canvases(1)
    view[0, 3, 5, 0] = 1234.5
    assert array[0, 3, 5, 0].item() == 1234.5
    assert (array * 2).max().item() == 2469.0


def test_slices_of_a_buffer_are_not_copies():
    array, view = writable_canvases(4)
    part = array[:2]
    mx.eval(part)
    assert address(part) == view.__array_interface__["data"][0]


def test_render_into_writes_into_the_callers_memory():
    out = np.zeros((len(ROWS), 256, 256, 1), dtype=np.float32)
    before = out.__array_interface__["data"][0]
    penpal_fast.render_into(ROWS, out)
    assert out.__array_interface__["data"][0] == before
    assert np.array_equal(out[1], penpal_fast.render_strokes(ROWS[1]))


def test_arrow_strokes_are_read_where_they_lie():
    """A change of the Arrow memory after the import shows in the next picture, so nothing was copied."""
    import pyarrow as pa

    numbers = np.array([0, 10, 10, 3], dtype=np.float64)
    point = pa.StructArray.from_arrays([pa.array(numbers), pa.array(numbers[::-1].copy())], ["x", "y"])
    strokes = pa.StructArray.from_arrays([pa.ListArray.from_arrays([0, 4], point)], ["points"])
    rows = Rows(pa.ListArray.from_arrays([0, 1], strokes))
    first, second = (np.empty((1, 256, 256, 1), dtype=np.float32) for _ in range(2))
    assert rows.render_into(first, 0, 1.5, 1) == []
    numbers[3] = 8
    assert rows.render_into(second, 0, 1.5, 1) == []
    assert not np.array_equal(first, second)


class Recording:
    """Stands for a model: notes where its pictures lie."""

    config = ModelConfig()

    def __init__(self):
        self.addresses = []

    def __call__(self, pictures):
        mx.eval(pictures)
        self.addresses.append(address(pictures))
        return pictures.sum(axis=(1, 2, 3))


def test_the_scorer_gives_mlx_the_memory_that_rust_wrote(monkeypatch):
    views, model = [], Recording()

    def remembering(count):
        array, view = writable_canvases(count)
        views.append(view.__array_interface__["data"][0])
        return array, view

    monkeypatch.setattr(mlx, "writable_canvases", remembering)
    mlx.MlxEngine(model, threads=1, batch_size=1).score(Rows(ROWS))
    assert len(views) == 2
    assert model.addresses == [views[0], views[1], views[0]]


class FiveRows:
    """Stands for rows: each picture is filled with its row's number."""

    def __init__(self, events):
        self._events = events

    def __len__(self):
        return 5

    def render_into(self, view, start, *_settings):
        self._events.append(f"render {start}")
        view[:] = start
        return []


class Mean:
    """Stands for a model, and does not evaluate its pictures."""

    config = ModelConfig()

    def __call__(self, pictures):
        return pictures.mean(axis=(1, 2, 3))


def test_the_scorer_waits_before_it_overwrites_a_buffer(monkeypatch):
    """A batch is evaluated before the one after next is rendered into the same memory."""
    events, started = [], []
    evaluate = mx.eval

    def wait(result):
        known = [number for number, other in enumerate(started) if other is result]
        events.extend(f"wait {number}" for number in known)
        evaluate(result)

    monkeypatch.setattr(mx, "async_eval", started.append)
    monkeypatch.setattr(mx, "eval", wait)
    quality, _ = mlx.MlxEngine(Mean(), threads=1, batch_size=1).score(FiveRows(events))
    assert events == ["render 0", "render 1", "wait 0", "render 2", "wait 1", "render 3", "wait 2", "render 4"]
    assert np.allclose(quality, 1 / (1 + np.exp(-np.arange(5.0))))


def test_rendering_twice_into_the_same_memory_leaves_nothing_behind():
    out = np.empty((1, 256, 256, 1), dtype=np.float32)
    for row in ROWS:
        rendering.render_into([row], out)
        assert np.array_equal(out[0], penpal_fast.render_strokes(row))


FAULTS = """
import resource, sys
import json
import subprocess
import sys

import mlx.core as mx
import penpal_fast

def faults(count):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    penpal_fast.render_batch([[[(0, 0), (3, 2)]]] * count)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print([faults(count) for count in (100, 130, 130, 200, 200, 130)], mx.set_cache_limit(0) <= 1 << 30)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the pages that Linux gives a process")
def test_batches_take_the_memory_of_those_before():
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, check=True)
    counted, _, is_bounded = done.stdout.strip().rpartition(" ")
    first, other, again, larger, larger_again, smaller = json.loads(counted)
    assert min(first, other, larger) > 1000, "they are the first of their size"
    assert max(again, larger_again, smaller) < 500, "a picture has 64 pages"
    assert is_bounded == "True"


def test_a_limit_of_the_caller_stays():
    before = mx.set_cache_limit(1 << 31)
    try:
        penpal_fast.render_batch(ROWS)
        assert mx.set_cache_limit(1 << 31) == 1 << 31
    finally:
        mx.set_cache_limit(before)
