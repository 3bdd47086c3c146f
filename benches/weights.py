"""The bundled network's layers, as other engines want them."""

from __future__ import annotations

import functools

import numpy as np

from penpal_fast.engines.folding import folded
from penpal_fast.network.pretrained import load


@functools.cache
def bundled():
    """The bundled network, batch norm folded in, with its configuration."""
    config, tensors = load()
    return config, folded(config, tensors)


def unflattened(layer, inputs: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights [O, K, K, I] and bias [O] of a flattened layer; K is 3, or 1 for a projection."""
    weights, bias = layer
    side = round((weights.size / len(bias) / inputs) ** 0.5)
    return weights.reshape(len(bias), side, side, inputs), bias
