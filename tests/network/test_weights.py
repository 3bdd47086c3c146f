"""Files of weights: damaged, huge, lying, or of other types."""

from __future__ import annotations

import json
import os
import struct

import mlx.core as mx
import numpy as np
import pytest
import safetensors.numpy
from mlx.utils import tree_flatten

from helpers.models import random_model, save_tensors
from penpal_fast import ModelConfig, PenpalError, QualityClassifier
from penpal_fast.network.weights import (
    MAX_HEADER_BYTES,
    MAX_WEIGHTS_BYTES,
    parse_tensors,
    read_tensors,
)


def test_bfloat16(tmp_path):
    model = random_model(ModelConfig())
    (tmp_path / "config.json").write_text(ModelConfig().to_json())
    values = {name: value.astype(mx.bfloat16) for name, value in tree_flatten(model.parameters())}
    mx.save_safetensors(str(tmp_path / "weights.safetensors"), values)
    loaded = QualityClassifier.from_pretrained(tmp_path).tensors()
    for name, value in model.tensors().items():
        assert np.allclose(loaded[name], value, rtol=2**-8), name


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    tensors = random_model(ModelConfig()).tensors()
    tensors["head.bias"] = np.array([value], dtype=np.float64)
    with pytest.raises(PenpalError, match=r"'head.bias' has values that are NaN or infinite"):
        QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", tensors))


def test_integers_are_refused(tmp_path):
    tensors = {**random_model(ModelConfig()).tensors(), "head.bias": np.array([1])}
    with pytest.raises(PenpalError, match=r"'head.bias' is of type I64; expected one of"):
        QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", tensors))


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    whole = safetensors.numpy.save(random_model(ModelConfig()).tensors())
    header = struct.unpack("<Q", whole[:8])[0]
    lying = json.dumps({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 4]}}).encode()
    cut = [b"", whole[:100], whole[: 8 + header], whole[:-1]]
    lies = [struct.pack("<Q", 1 << 60) + whole[8:], struct.pack("<Q", len(lying)) + lying + bytes(4)]
    for content in [*cut, *lies, whole + b"0", b"\x80\x04pickle"]:
        path.write_bytes(content)
        with pytest.raises(PenpalError, match="cannot read the weights"):
            read_tensors(path)


def test_huge_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    with pytest.raises(PenpalError, match="cannot read the weights"):
        read_tensors(path)
    with path.open("wb") as file:
        file.truncate(MAX_WEIGHTS_BYTES + 1)
    with pytest.raises(PenpalError, match="larger than"):
        read_tensors(path)


def file_of(header: dict, data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(shape, kind="F32", end=4):
    return {"dtype": kind, "shape": shape, "data_offsets": [0, end]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack("<Q", MAX_HEADER_BYTES + 1) + b" " * (MAX_HEADER_BYTES + 1), "its header is longer than"),
        (file_of({"a": entry([1] * 70)}, bytes(4)), "has the shape .* which no layer has"),
        (file_of({"a": entry([1] * 5)}, bytes(4)), "has the shape .* which no layer has"),
        (file_of({"a": entry([0, 1 << 62], end=0)}, b""), "has the shape .* which no layer has"),
        (file_of({"a": entry([1], kind="F33")}, bytes(4)), "cannot read the weights"),
        (file_of({"a" * 900_000: entry([1], kind="I32")}, bytes(4)), "is of type I32"),
    ],
    ids=["header", "dimensions", "one too many", "empty", "type", "name"],
)
def test_tensors_that_no_network_has(content, message):
    with pytest.raises(PenpalError, match=message) as caught:
        parse_tensors(content, source="file")
    assert len(str(caught.value)) < 1000


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(PenpalError, match="cannot read the model configuration: it is not a regular file"):
        ModelConfig.from_file(tmp_path / "config.json")
    with pytest.raises(PenpalError, match="cannot read the weights: it is not a regular file"):
        read_tensors(tmp_path)
