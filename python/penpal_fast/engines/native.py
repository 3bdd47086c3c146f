"""The engine in Rust, which computes only what a row's ink changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from penpal_fast import _core
from penpal_fast._core import Rows
from penpal_fast.canvas import SIDE
from penpal_fast.engines.engine import Problem
from penpal_fast.engines.folding import folded
from penpal_fast.engines.pieces import pieces
from penpal_fast.network.config import ModelConfig, Tensors


class NativeEngine:
    """Renders and scores one row at a time on each thread; no picture leaves its thread."""

    def __init__(self, config: ModelConfig, tensors: Tensors, *, threads: int) -> None:
        """Take tensors named as in `QualityClassifier`, and the number of threads (0 for one for each processor)."""
        network = folded(config, tensors)
        self._line_width = config.line_width
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

    def part_logits(self, rows: Rows, row: int, parts: list[int]) -> NDArray[np.float32]:
        """Return the logits of a row without each of its parts, float32 [P]; what is left stays in place.

        Args:
            rows: The rows.
            row: Index of a good row.
            parts: The part of each stroke of the row, from 0 to P - 1.
        """
        count = max(parts) + 1
        logits = np.empty(count, dtype=np.float32)
        pictures = np.empty((count, SIDE, SIDE, 1), dtype=np.float32)
        rows.render_parts_into(pictures, row, parts, self._line_width, self._threads)
        self._engine.picture_logits_into(pictures, logits, self._threads)
        return logits

    def logits(self, rows: Rows) -> tuple[NDArray[np.float32], list[Problem]]:
        """Return raw logits, float32 [N] with NaN for bad rows, and the problems of the bad rows in order."""
        logits = np.empty(len(rows), dtype=np.float32)
        problems: list[Problem] = []
        for start, count in pieces(len(rows)):
            problems += self._engine.logits_into(rows, logits[start : start + count], start, self._threads)
        return logits, problems
