"""One step of the generator of Graves (2013, "Generating sequences with recurrent neural networks").

Three LSTMs of 400 units with an attention window of 10 Gaussians over the characters. The same code runs on MLX and
NumPy; `arrays` is either module. MLX is for a GPU: on the processor its exponentials are scalar, and a step takes
three times as long as in NumPy.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

HIDDEN = 400
WINDOWS = 10
KAPPA_DIVISOR = 25.0


@dataclasses.dataclass
class State:
    """The state between two steps, in arrays of MLX or NumPy; the first axis is the rows."""

    hidden: list[Any]
    """Output of each LSTM, [rows, 400]."""
    cell: list[Any]
    """Cell of each LSTM, [rows, 400]."""
    kappa: Any
    """Position of each Gaussian in the text, in characters, [rows, 10]."""
    window: Any
    """Attention to each character of the alphabet, [rows, alphabet]."""

    def values(self) -> list[Any]:
        """Return all arrays."""
        return [*self.hidden, *self.cell, self.kappa, self.window]

    @classmethod
    def of(cls, arrays: Sequence[Any]) -> State:
        """Make a state of the arrays that `values` returns."""
        return cls(list(arrays[:3]), list(arrays[3:6]), arrays[6], arrays[7])


@dataclasses.dataclass
class Disturbance:
    """The corruption of each row at one step: arrays [rows, 1], and noise [3, rows, 400] or None."""

    kappa_scale: Any
    beta_floor: Any
    noise: Any | None


class Cell:
    """The recurrent part of the generator with its mixture head."""

    def __init__(self, tensors: Mapping[str, NDArray[np.float32]], arrays: Any) -> None:
        """Take the trained tensors and the module that computes: `mlx.core` or `numpy`."""
        self.arrays = arrays
        self._weights = {name: arrays.array(values) for name, values in tensors.items()}

    def blank(self, rows: int, alphabet: int) -> State:
        """Return the state before the first step."""
        widths = [HIDDEN] * 6 + [WINDOWS, alphabet]
        return State.of([self.arrays.zeros((rows, width), dtype=self.arrays.float32) for width in widths])

    def step(self, x: Any, text: Any, state: State, disturbance: Disturbance) -> tuple[Any, State]:
        """Take one step.

        Args:
            x: Last pen offsets [rows, 3]: dx, dy (upward), end of stroke.
            text: One-hot characters [rows, length, alphabet]; all zero after a row's end.
            state: State after the step before.
            disturbance: Corruption of each row.

        Returns:
            The attention to each character (phi) [rows, length], and the new state.
        """
        xp, weights = self.arrays, self._weights
        hidden, cell = list(state.hidden), list(state.cell)

        def sigmoid(values: Any) -> Any:
            return 1.0 / (1.0 + xp.exp(-values))

        def lstm(layer: int, inputs: list[Any]) -> None:
            stacked = xp.concatenate([*inputs, hidden[layer]], axis=1)
            gates = stacked @ weights[f"lstm{layer + 1}_kernel"] + weights[f"lstm{layer + 1}_bias"]
            entry, candidate, forget, output = xp.split(gates, 4, axis=1)
            cell[layer] = sigmoid(forget) * cell[layer] + sigmoid(entry) * xp.tanh(candidate)
            hidden[layer] = sigmoid(output) * xp.tanh(cell[layer])
            if disturbance.noise is not None:
                hidden[layer] = hidden[layer] + disturbance.noise[layer]

        lstm(0, [state.window, x])
        attended = xp.concatenate([state.window, x, hidden[0]], axis=1)
        opened = attended @ weights["attention_weights"] + weights["attention_biases"]
        alpha, beta, movement = xp.split(xp.logaddexp(opened, xp.zeros_like(opened)), 3, axis=1)
        kappa = state.kappa + movement * disturbance.kappa_scale / KAPPA_DIVISOR
        beta = xp.maximum(beta, disturbance.beta_floor)
        phi = self.attention(alpha, beta, kappa, text.shape[1]) * text.sum(axis=2)
        window = (phi[:, None, :] @ text).reshape(text.shape[0], text.shape[2])
        lstm(1, [x, hidden[0], window])
        lstm(2, [x, hidden[1], window])
        return phi, State(hidden, cell, kappa, window)

    def attention(self, alpha: Any, beta: Any, kappa: Any, length: int) -> Any:
        """Return the sum of the Gaussians at each of `length` characters, [rows, length]."""
        xp = self.arrays
        distance = kappa[:, :, None] - xp.arange(length, dtype=xp.float32)
        return (alpha[:, :, None] * xp.exp(-(distance * distance) / beta[:, :, None])).sum(axis=1)

    def head(self, hidden: Any) -> NDArray[np.float32]:
        """Return the mixture's parameters [rows, 121], given the last LSTM's output."""
        return np.asarray(hidden @ self._weights["gmm_weights"] + self._weights["gmm_biases"])
