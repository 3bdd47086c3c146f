"""The optimizers of a training."""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
from numpy.typing import NDArray

MOMENTUM = 0.95

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the polynomial that takes singular values towards 1 (Jordan et al., "Muon", 2024)."""

NEWTON_SCHULZ_STEPS = 5


class Muon(optim.AdamW):
    """Muon for the weights of convolutions, AdamW for all other parameters.

    The step of a convolution is its momentum, flattened to [outputs, taps], with all singular values made about 1
    (Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024). It is scaled to the size of a step
    of AdamW, so both share a learning rate (Liu et al., "Muon is scalable for LLM training", 2025).
    """

    def init_single(self, parameter: mx.array, state: dict[str, Any]) -> None:
        """Make the state of a parameter."""
        if parameter.ndim == 4:
            state["momentum"] = mx.zeros_like(parameter)
        else:
            super().init_single(parameter, state)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: dict[str, Any]) -> mx.array:
        """Return a parameter after a step."""
        if parameter.ndim != 4:
            return super().apply_single(gradient, parameter, state)
        state["momentum"] = MOMENTUM * state["momentum"] + gradient
        matrix = np.array(MOMENTUM * state["momentum"] + gradient).reshape(len(gradient), -1)
        step = 0.2 * max(matrix.shape) ** 0.5 * orthogonalized(matrix)
        rate = self.learning_rate.astype(gradient.dtype)
        return parameter * (1 - rate * self.weight_decay) - rate * mx.array(step.reshape(parameter.shape))


def orthogonalized(matrix: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a matrix with the same singular vectors and singular values between 0.7 and 1.2, if they were not tiny.

    On a processor NumPy takes a tenth of MLX's time for matrices this small.
    """
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonalized(matrix.T).T
    matrix = matrix / (np.linalg.norm(matrix) + np.float32(1e-12))
    first, third, fifth = NEWTON_SCHULZ
    for _ in range(NEWTON_SCHULZ_STEPS):
        square = matrix @ matrix.T
        matrix = first * matrix + (third * square + fifth * square @ square) @ matrix
    return matrix
