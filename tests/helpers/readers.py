"""Readers for the tests: their weights are random, so that what they read has no sense, but is always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.weights import expected_shapes, write_tensors

SMALL = ReaderConfig(stem_channels=(8, 12), dilations=(1, 2), match_half=80.0, readability_half=0.2)
"""A small network with the usual alphabet, whose scores are spread from 0 to 1."""


def write_reader(folder: Path, seed: int = 1, config: ReaderConfig = SMALL) -> Path:
    """Write a reader with random weights, and return its folder."""
    random = np.random.default_rng(seed)
    tensors = {name: random.normal(0, 0.5, shape) for name, shape in expected_shapes(config).items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(config.to_json())
    write_tensors(folder / "weights.safetensors", tensors)
    return folder
