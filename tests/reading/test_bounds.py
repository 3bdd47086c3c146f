"""Readers whose numbers or work are out of bounds are refused, and scores stay in [0, 1] for all others."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from helpers.readers import SMALL
from penpal_fast import PenpalError, Reader
from penpal_fast.reading.config import ReaderConfig
from penpal_fast.reading.weights import expected_shapes, load, write_tensors

ROWS = [[[(x, (x * 7) % 5) for x in range(40)]], [[(0, 0)]], [[(x, x % 2) for x in range(300)]]]
TEXTS = ["some text", "a", "zigzag"]


def folder(path: Path, scale: dict[str, float], config: ReaderConfig = SMALL) -> Path:
    """A reader of random weights, of which some are scaled."""
    random = np.random.default_rng(4)
    tensors = {name: random.normal(0, 0.3, shape) for name, shape in expected_shapes(config).items()}
    for name, factor in scale.items():
        tensors[name] = tensors[name] * factor
    path.mkdir(exist_ok=True)
    (path / "config.json").write_text(config.to_json())
    import safetensors.numpy

    arrays = {name: np.ascontiguousarray(values, np.float32) for name, values in tensors.items()}
    (path / "weights.safetensors").write_bytes(safetensors.numpy.save(arrays))
    return path


@pytest.mark.parametrize("name", ["stem.0.weight", "blocks.1.depthwise.weight", "blocks.0.mix.weight", "head.bias"])
def test_weights_that_could_overflow_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PenpalError, match="weights are so large that scores could leave the range of float32"):
        Reader(folder(tmp_path, {name: 1e38}))


def test_a_network_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    large = ReaderConfig(stem_channels=(1024,), stem_kernels=(1,), stem_strides=(1,), dilations=(1,) * 13)
    (tmp_path / "config.json").write_text(large.to_json())
    write_tensors(
        tmp_path / "weights.safetensors", {name: np.zeros(shape) for name, shape in expected_shapes(large).items()}
    )
    with pytest.raises(PenpalError, match="multiplications for the longest row"):
        load(tmp_path)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 300.0, 1e6, 1e20])
def test_scores_stay_from_0_to_1(tmp_path: Path, scale: float) -> None:
    config = dataclasses.replace(SMALL, match_half=1e-3, readability_half=1e-3)
    reader = Reader(folder(tmp_path, {"head.weight": scale, "head.bias": scale}, config))
    outcome = reader.outcome(ROWS, TEXTS)
    readings = reader.outcome(ROWS, [reading or "a" for reading in outcome.readings])
    for scores in (outcome.match, outcome.readability, readings.match):
        assert np.isfinite(scores).all()
        assert scores.min() >= 0
        assert scores.max() <= 1
