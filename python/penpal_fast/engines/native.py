"""The engine in Rust, which computes only what a row's ink changes."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from penpal_fast import _core
from penpal_fast._core import Rows
from penpal_fast.engines.engine import Problem
from penpal_fast.engines.folding import folded
from penpal_fast.network.config import ModelConfig, Tensors

FIRST_ROWS, MOST_ROWS = 4, 4096
"""Rows of one call into Rust, at first and at most. Python sees an interrupt between calls only."""

SHORT_SECONDS, LONG_SECONDS = 0.25, 1.0
"""A call that takes less time is followed by one with twice as many rows, a longer one by half as many, because a row
may have a million points."""


class NativeEngine:
    """Renders and scores one row at a time on each thread; no picture leaves its thread."""

    def __init__(self, config: ModelConfig, tensors: Tensors, *, threads: int) -> None:
        """Take tensors named as in `QualityClassifier`, and the number of threads (0 for one for each processor)."""
        network = folded(config, tensors)
        self._threads = threads
        self._engine = _core.Engine(
            network.stem, network.blocks, network.head_weight, network.head_bias, config.line_width
        )

    def score(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Score rows; see `Engine.score`."""
        logits, problems = self.logits(rows)
        with np.errstate(over="ignore"):
            quality = (1 / (1 + np.exp(-logits))).astype(np.float32, copy=False)
        return quality, problems

    def logits(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Return raw logits, float32 [N] with NaN for bad rows, and the problems of the bad rows in order."""
        logits = np.empty(len(rows), dtype=np.float32)
        problems: list[Problem] = []
        start, count = 0, FIRST_ROWS
        while start < len(rows):
            began = time.perf_counter()
            part = logits[start : start + count]
            problems += self._engine.logits_into(rows, part, start, self._threads)
            start += len(part)
            seconds = time.perf_counter() - began
            if seconds < SHORT_SECONDS:
                count = min(2 * count, MOST_ROWS)
            elif seconds > LONG_SECONDS:
                count = max(count // 2, 1)
        return logits, problems
