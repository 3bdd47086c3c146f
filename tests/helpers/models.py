"""Networks for the tests."""

from __future__ import annotations

import mlx.core as mx
from mlx.utils import tree_flatten

from penpal_fast import ModelConfig, QualityClassifier


def random_model(config: ModelConfig) -> QualityClassifier:
    """A model whose every tensor is random, running statistics included."""
    mx.random.seed(5)
    model = QualityClassifier(config).eval()
    values = [
        (name, mx.random.uniform(0.5, 1.5, value.shape) if "norm" in name else value)
        for name, value in tree_flatten(model.parameters())
    ]
    model.load_weights(values)
    return model
