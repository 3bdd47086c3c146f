"""A generator with random weights, which scribbles, but by the same arithmetic as a trained one."""

from __future__ import annotations

import json

import numpy as np
import safetensors.numpy

ALPHABET = ["\0", *"abcdefgh "]
PRIMERS = ["ab", "h"]


def made_tensors() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    window = len(ALPHABET)

    def weights(*shape):
        return random.normal(0, 0.1, shape).astype(np.float32)

    return {
        "lstm1_kernel": weights(window + 3 + 400, 1600),
        "lstm1_bias": weights(1600),
        "lstm2_kernel": weights(3 + 400 + window + 400, 1600),
        "lstm2_bias": weights(1600),
        "lstm3_kernel": weights(3 + 400 + window + 400, 1600),
        "lstm3_bias": weights(1600),
        "attention_weights": weights(window + 3 + 400, 30),
        "attention_biases": weights(30),
        "gmm_weights": weights(400, 121),
        "gmm_biases": weights(121),
        "style0_strokes": np.array([[1, 0, 0], [0, 1, 1]], dtype=np.float32),
        "style1_strokes": np.array([[1, 0, 0], [0, 1, 0], [2, 1, 1]], dtype=np.float32),
    }


def save(tensors, path, **metadata):
    said = {"alphabet": json.dumps(ALPHABET), "primers": json.dumps(PRIMERS), **metadata}
    path.write_bytes(safetensors.numpy.save(tensors, metadata=said))
    return path
