"""The engine in MLX, which renders and evaluates at the same time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.engines.engine import Problem
from penpal_fast.engines.mlx_memory import writable_canvases
from penpal_fast.errors import PenpalError
from penpal_fast.network.model import QualityClassifier

Result = TypeVar("Result")

CPU_BATCH_SIZE = 16
"""MLX convolves a batch as one matrix product. More rows than this do not fit the caches of a processor."""

GPU_BATCH_SIZE = 256


class MlxEngine:
    """Renders into one of two buffers while MLX evaluates the other. Calls from several threads wait for each other."""

    def __init__(self, model: QualityClassifier, *, threads: int, batch_size: int | None) -> None:
        """Take a model, the number of rendering threads (0 for one for each processor) and the rows of a batch."""
        self._model = model
        self._threads = threads
        self._batch_size = batch_size or (GPU_BATCH_SIZE if mx.default_device() == mx.gpu else CPU_BATCH_SIZE)
        self._lock = threading.Lock()
        self._process = os.getpid()

    def score(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Score rows; see `Engine.score`."""
        if os.getpid() != self._process:
            raise PenpalError(
                "MLX does not work in a forked process: start workers with spawn, or use the native engine "
                '(backend="native")'
            )
        with self._lock:
            return _on_mlx_thread(lambda: self._pipeline(rows))

    def _pipeline(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        size = min(self._batch_size, max(len(rows), 1))
        buffers = [writable_canvases(size) for _ in range(2 if len(rows) > size else 1)]
        pending: list[mx.array] = []
        problems: list[Problem] = []
        for number, start in enumerate(range(0, len(rows), size)):
            count = min(size, len(rows) - start)
            array, view = buffers[number % len(buffers)]
            if number >= len(buffers):
                mx.eval(pending[number - len(buffers)])  # The buffer is about to be overwritten.
            problems += rows.render_into(view[:count], start, self._model.config.line_width, self._threads)
            pending.append(mx.sigmoid(self._model(array[:count])))
            mx.async_eval(pending[-1])
        quality = np.concatenate([np.array(part) for part in pending]) if pending else np.empty(0, np.float32)
        quality[[row for row, *_ in problems]] = np.nan
        return quality, problems


def _on_mlx_thread(work: Callable[[], Result]) -> Result:
    """Run MLX work directly in the main thread, and for any other thread in a short-lived thread.

    MLX gives every thread its own streams, and aborts the process if a thread ends without clearing them. A thread that
    has cleared its streams cannot use MLX again, so each call gets a thread that clears its streams and ends.
    """
    if threading.current_thread() is threading.main_thread():
        return work()
    outcome: Future[Result] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            outcome.set_exception(error)
        finally:
            mx.synchronize()
            mx.clear_streams()

    thread = threading.Thread(target=run, name="penpal-mlx")
    thread.start()
    thread.join()
    return outcome.result()
