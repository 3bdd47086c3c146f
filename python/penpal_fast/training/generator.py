"""The handwriting generator of Graves (2013, "Generating sequences with recurrent neural networks") in MLX.

Three LSTMs of 400 units, an attention window of 10 Gaussians over the characters, and a mixture of 20 bivariate normals
for the next pen offset. It is what most synthetic handwriting is made with, and what this package tells good from bad.
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
import safetensors

from penpal_fast.errors import PenpalError
from penpal_fast.network.weights import read_tensors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

HIDDEN = 400
MIXTURES = 20
WINDOWS = 10
STEPS_PER_CHARACTER = 40
"""A line is cut off after so many steps for each of its characters."""

KAPPA_DIVISOR = 25.0
BETA_FLOOR = 0.01
SIGMA_FLOOR = 1e-4
PROBABILITY_FLOOR = 0.01
"""Mixture weights and end-of-stroke probabilities below this count as 0."""


@dataclasses.dataclass(frozen=True)
class Corruption:
    """How sampling is disturbed, at every step after priming."""

    kappa_scale: float = 1.0
    """Multiplies how far the attention moves along the text."""
    beta_floor: float = BETA_FLOOR
    """Least value of beta; above the usual one it keeps the attention from blurring as it should."""
    noise: float = 0.0
    """Standard deviation of normal noise on each LSTM's hidden output."""


@dataclasses.dataclass(frozen=True)
class Request:
    """One line to be written."""

    text: str
    style: int
    bias: float = 0.9
    corruption: Corruption = Corruption()


@dataclasses.dataclass(frozen=True)
class Writing:
    """One line as it was written: pen offsets [T, 3] (dx, dy, end of stroke; y upward) and, for each, the index of the
    character that was being written."""

    offsets: NDArray[np.float32]
    characters: NDArray[np.int64]


@dataclasses.dataclass
class _State:
    """What a step leaves to the next; first axis the rows."""

    hidden: list[mx.array]
    cell: list[mx.array]
    kappa: mx.array
    window: mx.array

    @classmethod
    def blank(cls, rows: int, characters: int) -> _State:
        zeros = [mx.zeros((rows, HIDDEN)) for _ in range(3)]
        return cls(zeros, list(zeros), mx.zeros((rows, WINDOWS)), mx.zeros((rows, characters)))


class Generator:
    """A trained generator."""

    def __init__(self, path: Path) -> None:
        """Load a safetensors file whose metadata has the alphabet and the texts of the style primers.

        Raises:
            PenpalError: The file cannot be read or lacks the metadata.
        """
        tensors = read_tensors(path)
        with safetensors.safe_open(path, framework="np") as file:
            metadata = file.metadata() or {}
        if not {"alphabet", "primers"} <= metadata.keys():
            raise PenpalError(f"{path}: expected the metadata 'alphabet' and 'primers'; found {sorted(metadata)}")
        self.alphabet: list[str] = list(json.loads(metadata["alphabet"]))
        self.primers: list[str] = json.loads(metadata["primers"])
        self.styles = [tensors.pop(f"style{style}_strokes") for style in range(len(self.primers))]
        self._weights = {name: mx.array(values) for name, values in tensors.items()}
        self._code = {character: code for code, character in enumerate(self.alphabet)}

    def encode(self, text: str) -> list[int]:
        """Return a text's character codes with the closing 0.

        Raises:
            PenpalError: The text has a character that the generator never learned.
        """
        unknown = sorted({character for character in text if character not in self._code})
        if unknown:
            raise PenpalError(f"the generator cannot write {unknown}; it knows {''.join(self.alphabet[1:])!r}")
        return [self._code[character] for character in text] + [0]

    def write(self, requests: Sequence[Request], *, seed: int) -> list[Writing]:
        """Write lines together, as one batch. The same requests and seed give the same lines."""
        rows = len(requests)
        codes = [self.encode(f"{self.primers[request.style]} {request.text}") for request in requests]
        primers = [self.styles[request.style] for request in requests]
        first_character = np.array([len(self.primers[request.style]) + 1 for request in requests])
        closing = np.array([len(code) - 1 for code in codes])
        primed = np.array([len(primer) for primer in primers])
        cap = primed + STEPS_PER_CHARACTER * (closing - first_character)

        onehot = np.zeros((rows, max(map(len, codes)), len(self.alphabet)), dtype=np.float32)
        for row, code in enumerate(codes):
            onehot[row, np.arange(len(code)), code] = 1.0
        # The line starts from a lifted pen: a primer need not end with the end of a stroke.
        primer = np.zeros((rows, primed.max() + 1, 3), dtype=np.float32)
        for row, strokes in enumerate(primers):
            primer[row, : len(strokes)] = strokes
            primer[row, len(strokes)] = (0.0, 0.0, 1.0)

        text, bias = mx.array(onehot), mx.array([[request.bias] for request in requests])
        state = _State.blank(rows, len(self.alphabet))
        key = mx.random.key(seed)
        x = primer[:, 0]
        running = np.ones(rows, dtype=bool)
        points: list[list[NDArray[np.float32]]] = [[] for _ in requests]
        characters: list[list[int]] = [[] for _ in requests]
        for step in range(int(cap.max())):
            key, noise_key, sample_key = mx.random.split(key, 3)
            free = step >= primed
            phi, state = self._step(mx.array(x), text, state, _disturbance(requests, free), noise_key)
            sampled_array = self._sample(state.hidden[2], bias, sample_key)
            mx.eval(sampled_array, phi, state.hidden, state.cell, state.kappa, state.window)
            sampled = np.array(sampled_array)
            character = np.array(phi).argmax(axis=1)
            for row in np.flatnonzero(free & running).tolist():
                points[row].append(sampled[row])
                characters[row].append(
                    int(np.clip(character[row] - first_character[row], 0, len(requests[row].text) - 1))
                )
            ended = (character >= closing) & (sampled[:, 2] > 0.5)
            running &= ~(free & (ended | (step + 1 >= cap)))
            if not running.any():
                break
            following = primer[:, min(step + 1, primer.shape[1] - 1)]
            x = np.where(free[:, None], sampled, following)
        return [
            Writing(np.array(row_points, dtype=np.float32), np.array(row_characters))
            for row_points, row_characters in zip(points, characters, strict=True)
        ]

    def _step(
        self, x: mx.array, text: mx.array, state: _State, disturbance: _Disturbance, key: mx.array
    ) -> tuple[mx.array, _State]:
        """One step: attention [rows, characters of the text] and the new state."""
        weights = self._weights
        noise = disturbance.noise * mx.random.normal((3, *state.hidden[0].shape), key=key)
        hidden, cell = list(state.hidden), list(state.cell)

        def lstm(layer: int, inputs: list[mx.array]) -> None:
            stacked = mx.concatenate([*inputs, hidden[layer]], axis=1)
            gates = stacked @ weights[f"lstm{layer + 1}_kernel"] + weights[f"lstm{layer + 1}_bias"]
            entry, candidate, forget, output = mx.split(gates, 4, axis=1)
            cell[layer] = mx.sigmoid(forget) * cell[layer] + mx.sigmoid(entry) * mx.tanh(candidate)
            hidden[layer] = mx.sigmoid(output) * mx.tanh(cell[layer]) + noise[layer]

        lstm(0, [state.window, x])
        attended = mx.concatenate([state.window, x, hidden[0]], axis=1)
        parameters = mx.logaddexp(attended @ weights["attention_weights"] + weights["attention_biases"], mx.array(0.0))
        alpha, beta, movement = mx.split(parameters, 3, axis=1)
        kappa = state.kappa + movement * disturbance.kappa_scale / KAPPA_DIVISOR
        beta = mx.maximum(beta, disturbance.beta_floor)
        position = mx.arange(text.shape[1])
        gaussians = mx.exp(-((kappa[:, :, None] - position).square()) / beta[:, :, None])
        phi = (alpha[:, :, None] * gaussians).sum(axis=1) * text.sum(axis=2)
        window = (phi[:, None, :] @ text).squeeze(1)
        lstm(1, [x, hidden[0], window])
        lstm(2, [x, hidden[1], window])
        return phi, _State(hidden, cell, kappa, window)

    def _sample(self, hidden: mx.array, bias: mx.array, key: mx.array) -> mx.array:
        """Draw the next offsets [rows, 3]."""
        component_key, normal_key, end_key = mx.random.split(key, 3)
        output = hidden @ self._weights["gmm_weights"] + self._weights["gmm_biases"]
        pi, sigma, rho, mu, end = mx.split(output, [MIXTURES, 3 * MIXTURES, 4 * MIXTURES, 6 * MIXTURES], axis=1)
        pi = mx.softmax(pi * (1 + bias), axis=1)
        component = mx.random.categorical(
            mx.where(pi < PROBABILITY_FLOOR, -mx.inf, mx.log(pi)), axis=1, key=component_key
        )[:, None]

        def chosen(values: mx.array) -> mx.array:
            return mx.take_along_axis(values, component, axis=1)

        sigma = mx.maximum(mx.exp(sigma - bias), SIGMA_FLOOR)
        correlation = chosen(mx.tanh(rho))
        normal = mx.random.normal((len(hidden), 2), key=normal_key)
        one, other = normal[:, :1], normal[:, 1:]
        other = correlation * one + mx.sqrt(1 - correlation.square()) * other
        dx = chosen(mu[:, :MIXTURES]) + chosen(sigma[:, :MIXTURES]) * one
        dy = chosen(mu[:, MIXTURES:]) + chosen(sigma[:, MIXTURES:]) * other
        probability = mx.sigmoid(end)
        probability = mx.where(probability < PROBABILITY_FLOOR, 0.0, probability)
        ends = mx.random.uniform(shape=end.shape, key=end_key) < probability
        return mx.concatenate([dx, dy, ends.astype(mx.float32)], axis=1)


@dataclasses.dataclass(frozen=True)
class _Disturbance:
    """The corruption of each row, [rows, 1], at the step at hand."""

    kappa_scale: mx.array
    beta_floor: mx.array
    noise: mx.array


def _disturbance(requests: Sequence[Request], free: NDArray[np.bool_]) -> _Disturbance:
    """Return each row's corruption where it is past its primer, else none."""
    none = Corruption()
    applied = [request.corruption if past else none for request, past in zip(requests, free, strict=True)]
    return _Disturbance(
        mx.array([[one.kappa_scale] for one in applied]),
        mx.array([[one.beta_floor] for one in applied]),
        mx.array([[one.noise] for one in applied]),
    )


def words_of_strokes(writing: Writing, text: str) -> list[list[NDArray[np.float64]]]:
    """Turn a writing into words of strokes [N, 2], y growing downward.

    Offsets are summed, each stroke is smoothed by a Savitzky-Golay filter (7 points, cubic), the least-squares slope of
    the line is removed, y is flipped and the first point moved to the origin. A stroke belongs to the word whose
    character was being written at its middle; words only ever follow one another.
    """
    points = np.cumsum(writing.offsets[:, :2].astype(np.float64), axis=0)
    ends = np.flatnonzero(writing.offsets[:, 2] > 0.5) + 1
    strokes = [_smoothed(stroke) for stroke in np.split(points, ends) if len(stroke)]
    middles = [int(np.mean(span)) for span in np.split(np.arange(len(points)), ends) if len(span)]
    line = np.concatenate(strokes)
    centred = line[:, 0] - line[:, 0].mean()
    slope = (centred @ line[:, 1]) / max(float(centred @ centred), 1e-9)
    word_of_character = np.cumsum([character == " " for character in text])
    words: list[list[NDArray[np.float64]]] = []
    current = -1
    for stroke, middle in zip(strokes, middles, strict=True):
        word = int(word_of_character[writing.characters[middle]])
        if word > current:
            words.append([])
            current = word
        level = stroke - line[0]
        words[-1].append(np.stack([level[:, 0], slope * level[:, 0] - level[:, 1]], axis=1))
    return words


def _smoothed(stroke: NDArray[np.float64]) -> NDArray[np.float64]:
    """Savitzky and Golay, 1964: each point replaced by a cubic's least-squares fit to 7 points around it."""
    if len(stroke) < 7:
        return stroke
    powers = np.vander(np.arange(-3.0, 4.0), 4)
    fitted = powers @ np.linalg.pinv(powers)
    smooth = np.stack([np.convolve(stroke[:, axis], fitted[3][::-1], mode="same") for axis in (0, 1)], axis=1)
    smooth[:3], smooth[-3:] = (fitted @ stroke[:7])[:3], (fitted @ stroke[-7:])[-3:]
    return smooth
