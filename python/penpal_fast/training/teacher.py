"""A finished network that says what to learn of a row: its mean over changes of the row's geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from penpal_fast._core import Rows
from penpal_fast.engines.native import NativeEngine
from penpal_fast.errors import PenpalError
from penpal_fast.handwriting.geometry import Geometry
from penpal_fast.network.model import QualityClassifier
from penpal_fast.strokes import Strokes

LARGEST = Geometry(slope=3.0, slant=14.0, stretch=1.5)
"""Limits on the changes, either way: little enough that a network scores each changed row nearly as well."""

NEWTON_STEPS = 25


class Teacher:
    """A network's probability that a row is good. The mean over several views of a row is better than one of them."""

    def __init__(self, model: QualityClassifier, views: int) -> None:
        """Take a network in evaluation mode, and how often it sees each row."""
        self._engine = NativeEngine(model.config, model.tensors(), threads=0)
        self._views = views
        self._scale, self._shift = 1.0, 0.0

    def logits(self, rows: Sequence[Strokes], random: np.random.Generator) -> NDArray[np.float64]:
        """Return the mean logit of each row over the row as it is and changes of it, [N]."""
        views = [change(row) for row in rows for change in [Geometry(), *self._changes(random)]]
        logits, problems = self._engine.logits(Rows(views))
        if problems:
            raise PenpalError(f"a training row cannot be drawn: {problems[0]}")
        return logits.astype(np.float64).reshape(len(rows), self._views).mean(axis=1)

    def calibrate(self, logits: NDArray[np.float64], targets: NDArray[np.float32]) -> None:
        """Find the linear map of the logits whose cross-entropy with targets is least (Platt scaling)."""
        self._scale, self._shift = _logistic_fit(logits, targets)

    def targets(self, rows: Sequence[Strokes], random: np.random.Generator) -> NDArray[np.float64]:
        """Return the probability that each row is good, [N]."""
        return _sigmoid(self._scale * self.logits(rows, random) + self._shift)

    def _changes(self, random: np.random.Generator) -> list[Geometry]:
        return [_drawn(random) for _ in range(self._views - 1)]


def _drawn(random: np.random.Generator) -> Geometry:
    slope, slant, stretch = random.uniform(-1, 1, 3)
    return Geometry(slope * LARGEST.slope, slant * LARGEST.slant, math.exp(stretch * math.log(LARGEST.stretch)))


def _logistic_fit(logits: NDArray[np.float64], targets: NDArray[np.float32]) -> tuple[float, float]:
    """Return the scale and shift of least cross-entropy, by Newton's method."""
    inputs = np.stack([logits, np.ones_like(logits)])
    weights = np.zeros(2)
    for _ in range(NEWTON_STEPS):
        found = _sigmoid(weights @ inputs)
        curvature = (inputs * (found * (1 - found))) @ inputs.T
        weights = weights - np.linalg.solve(curvature + 1e-6 * np.eye(2), inputs @ (found - targets))
    return float(weights[0]), float(weights[1])


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    probability: NDArray[np.float64] = 1 / (1 + np.exp(-values))
    return probability
