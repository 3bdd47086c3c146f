"""The reader in MLX, for a GPU; what the log-probabilities say is found in Rust."""

from __future__ import annotations

from collections.abc import Sequence

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from penpal_fast import _core
from penpal_fast.engines.engine import Problem
from penpal_fast.engines.mlx_thread import run_on_mlx_thread
from penpal_fast.errors import PenpalError
from penpal_fast.path_reference import CHANNELS
from penpal_fast.reading.alphabet import Texts
from penpal_fast.reading.engine import Readings
from penpal_fast.reading.model import ReaderNetwork

CPU_BATCH_SIZE = 16
GPU_BATCH_SIZE = 256


class MlxReadingEngine:
    """Evaluates a batch of padded paths at a time. Calls from several threads wait for each other."""

    def __init__(self, network: ReaderNetwork, *, threads: int, batch_size: int | None) -> None:
        """Take a network, the number of threads of what is done in Rust, and the rows of a batch."""
        self._network = network
        self._threads = threads
        self._batch_size = batch_size or (GPU_BATCH_SIZE if mx.default_device() == mx.gpu else CPU_BATCH_SIZE)

    def read(self, rows: _core.Rows, texts: Texts | None) -> Readings:
        """Read rows; see `ReadingEngine.read`."""
        starts = range(0, len(rows), self._batch_size)
        return Readings.joined([self._batch(rows, start, texts) for start in starts])

    def _batch(self, rows: _core.Rows, start: int, texts: Texts | None) -> Readings:
        count = min(self._batch_size, len(rows) - start)
        paths: list[NDArray[np.float32]] = []
        problems: list[Problem] = []
        for row in range(start, start + count):
            try:
                paths.append(_core.path(rows, row)[0])
            except PenpalError as error:
                paths.append(np.zeros((0, CHANNELS), np.float32))
                problems.append((row, error.stroke, error.reason or "", error.problem))
        samples = np.array([len(path) for path in paths])
        probabilities = run_on_mlx_thread(lambda: self._log_probabilities(paths, samples))
        frames = np.array([self._network.config.frames(int(number)) for number in samples])
        part = None if texts is None else texts.part(start, count)
        text_losses, reading_losses, misfits, codes, offsets, _ = _core.read_probabilities(
            probabilities, frames, part, self._threads
        )
        bad = [row - start for row, *_ in problems]
        text_losses[bad] = reading_losses[bad] = misfits[bad] = np.nan
        return Readings(text_losses, reading_losses, misfits, codes, offsets, problems)

    def _log_probabilities(
        self, paths: Sequence[NDArray[np.float32]], samples: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        padded = np.zeros((len(paths), max(int(samples.max()), 1), CHANNELS), dtype=np.float32)
        for row, path in enumerate(paths):
            padded[row, : len(path)] = path
        return np.array(self._network(mx.array(padded), mx.array(samples)))
