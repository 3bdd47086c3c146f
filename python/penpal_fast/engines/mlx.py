"""The engine in MLX, which renders and evaluates at the same time."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.engines.engine import Problem
from penpal_fast.engines.mlx_memory import writable_canvases
from penpal_fast.engines.mlx_thread import go_on, run_on_mlx_thread
from penpal_fast.network.model import QualityClassifier

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

    def score(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Score rows; see `Engine.score`."""
        return run_on_mlx_thread(lambda: self._pipeline(rows))

    def _pipeline(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        size = min(self._batch_size, max(len(rows), 1))
        buffers = [writable_canvases(size) for _ in range(2 if len(rows) > size else 1)]
        pending: list[mx.array] = []
        problems: list[Problem] = []
        for number, start in enumerate(range(0, len(rows), size)):
            go_on()
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
