"""Networks for the tests."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
import safetensors.numpy
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


def save_tensors(
    folder: Path, tensors: dict[str, np.ndarray], config: ModelConfig | None = None, name: str = "weights.safetensors"
) -> Path:
    """Write tensors of any names and types as a model's folder, and return it."""
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text((config or ModelConfig()).to_json())
    (folder / name).write_bytes(safetensors.numpy.save(tensors))
    return folder
