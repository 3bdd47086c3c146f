"""Networks for the tests."""

from __future__ import annotations

from pathlib import Path

import mlx.core as mx
import numpy as np
import safetensors.numpy
from mlx.utils import tree_flatten

from penpal_fast import ModelConfig, QualityClassifier
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.model import ReaderNetwork


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


def random_reader(folder: Path) -> Path:
    """Write a small reader with random weights, the same everywhere, and return its folder. It reads nonsense."""
    network = ReaderNetwork(
        ReaderConfig(
            letters=" abcdefghijklmnopqrstuvwxyz",
            stem_channels=(8, 16),
            dilations=(1, 2),
            match_half=20.0,  # It is never sure, and its matches should differ.
        )
    )
    random = np.random.default_rng(5)

    def drawn(values: np.ndarray) -> mx.array:
        taps = np.prod(values.shape[1:]) if values.ndim > 1 else 16
        return mx.array((random.normal(0, 2, values.shape) / np.sqrt(taps)).astype(np.float32))

    network.load_weights([(name, drawn(values)) for name, values in network.tensors().items()])
    network.save_pretrained(folder)
    return folder
