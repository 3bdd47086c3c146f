"""The generator's output: a mixture of 20 bivariate normals for the next pen offset, and the end of a stroke."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIXTURES = 20
SIGMA_FLOOR = 1e-4
PROBABILITY_FLOOR = 0.01
"""Mixture weights and end-of-stroke probabilities below this are set to 0."""


def sample(
    parameters: NDArray[np.float32], bias: NDArray[np.float32], random: np.random.Generator
) -> NDArray[np.float32]:
    """Draw the next pen offsets.

    Args:
        parameters: [rows, 121]: weights 20, sigma 40 (x, then y), rho 20, mu 40 (x, then y), end of stroke 1.
        bias: [rows, 1]; higher is tidier.
        random: Source of randomness.

    Returns:
        [rows, 3]: dx, dy (upward), end of stroke (0 or 1).
    """
    rows = np.arange(len(parameters))
    pi, sigma, rho, mu, end = np.split(parameters, np.cumsum([MIXTURES, 2 * MIXTURES, MIXTURES, 2 * MIXTURES]), axis=1)
    component = _component(pi * (1 + bias), random)
    sigma = np.maximum(np.exp(np.minimum(sigma - bias, 80.0)), SIGMA_FLOOR)
    correlation = np.tanh(rho[rows, component])
    one, other = random.standard_normal((2, len(rows)), dtype=np.float32)
    other = correlation * one + np.sqrt(1 - correlation**2) * other
    dx = mu[rows, component] + sigma[rows, component] * one
    dy = mu[rows, MIXTURES + component] + sigma[rows, MIXTURES + component] * other
    probability = 1 / (1 + np.exp(-np.clip(end[:, 0], -80.0, 80.0)))
    probability = np.where(probability < PROBABILITY_FLOOR, 0.0, probability)
    ends = random.random(len(rows), dtype=np.float32) < probability
    return np.stack([dx, dy, ends], axis=1).astype(np.float32)


def _component(logits: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.int64]:
    """Choose one of the mixture's normals for each row."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    weights[weights < PROBABILITY_FLOOR] = 0.0
    climbed = weights.cumsum(axis=1)
    chance = random.random((len(logits), 1), dtype=np.float32) * climbed[:, -1:]
    return np.minimum((climbed <= chance).sum(axis=1), MIXTURES - 1)
