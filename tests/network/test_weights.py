"""Checkpoints from other libraries, and files that are not checkpoints."""

from __future__ import annotations

import json
import os
import struct

import mlx.core as mx
import numpy as np
import pytest
import safetensors.numpy
from mlx.utils import tree_flatten

import penpal_fast
from helpers.made_lines import scrawl
from helpers.models import random_model
from penpal_fast import ModelConfig, PenpalError, QualityClassifier
from penpal_fast.network.bounds import check_bounds
from penpal_fast.network.checkpoint import sanitize
from penpal_fast.network.layers import tensor_shapes
from penpal_fast.network.weights import (
    MAX_HEADER_BYTES,
    MAX_WEIGHTS_BYTES,
    parse_tensors,
    read_tensors,
)


def tensors_of(model: QualityClassifier) -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in tree_flatten(model.parameters())}


def save(folder, tensors, config=None, name="weights.safetensors"):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text((config or ModelConfig()).to_json())
    (folder / name).write_bytes(safetensors.numpy.save(tensors))
    return folder


def renamed(tensors, *replacements):
    result = {}
    for name, value in tensors.items():
        for old, new in replacements:
            name = name.replace(old, new)
        result[name] = value
    return result


def torch_layout(tensors):
    return {
        name: np.ascontiguousarray(value.transpose(0, 3, 1, 2)) if value.ndim == 4 else value
        for name, value in tensors.items()
    }


def torchvision(tensors):
    """Names of torchvision's ResNet: conv1, bn1, layer1.0.conv1, layer1.0.downsample.0, fc."""
    tensors = renamed(tensors, ("stem.conv", "conv1"), ("stem.norm", "bn1"), ("head", "fc"))
    for index in reversed(range(4)):
        tensors = renamed(tensors, (f"blocks.{index}.", f"layer{index + 1}.0."))
    return renamed(
        tensors,
        (".norm1", ".bn1"),
        (".norm2", ".bn2"),
        ("shortcut.conv", "downsample.0"),
        ("shortcut.norm", "downsample.1"),
    )


FORMS = {
    "as saved": lambda tensors: tensors,
    "torch layout": torch_layout,
    "torchvision": lambda tensors: torch_layout(torchvision(tensors)),
    "with counters": lambda tensors: {**tensors, "stem.norm.num_batches_tracked": np.array(7)},
    "nested in a model": lambda tensors: {f"model.{name}": value for name, value in tensors.items()},
    "sequential": lambda tensors: renamed(
        tensors, ("stem.conv", "stem.layers.0"), ("stem.norm", "stem.layers.1"), ("blocks.", "blocks.layers.")
    ),
    "flat stem": lambda tensors: renamed(tensors, ("stem.conv", "stem"), ("stem.norm", "bn"), ("head", "classifier")),
    "layers with bn": lambda tensors: renamed(tensors, ("blocks", "layers"), (".norm", ".bn"), ("head", "linear")),
    "projection names": lambda tensors: renamed(tensors, ("shortcut.conv", "proj"), ("shortcut.norm", "proj_bn")),
    "gamma and beta": lambda tensors: {
        (name.replace(".weight", ".gamma").replace(".bias", ".beta") if "norm" in name else name): value
        for name, value in tensors.items()
    },
    "half precision": lambda tensors: {
        name: value.astype(np.float16).astype(np.float64) for name, value in tensors.items()
    },
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("shortcut", ["identity", "projection"])
def test_other_names_and_layouts_give_the_same_logits(tmp_path, form, shortcut):
    model = random_model(ModelConfig(shortcut=shortcut))
    folder = save(tmp_path / "model", form(tensors_of(model)))
    loaded = QualityClassifier.from_pretrained(folder)
    assert loaded.config == model.config
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    tolerance = 0.05 if form is FORMS["half precision"] else 0
    assert mx.allclose(loaded(picture), model(picture), rtol=tolerance, atol=tolerance)


def folded(model: QualityClassifier) -> dict[str, np.ndarray]:
    """The same network with batch norm folded into biased convolutions."""
    tensors = tensors_of(model)
    result = {name: value for name, value in tensors.items() if "norm" not in name}
    for name in [name for name in result if "conv" in name]:
        norm = name.removesuffix(".weight").replace("conv", "norm")
        scale = tensors[f"{norm}.weight"] / np.sqrt(tensors[f"{norm}.running_var"] + 1e-5)
        result[name] = tensors[name] * scale[:, None, None, None]
        bias = name.replace("weight", "bias")
        result[bias] = tensors[f"{norm}.bias"] - tensors[f"{norm}.running_mean"] * scale
    return result


@pytest.mark.parametrize("shortcut", ["identity", "projection"])
def test_folded_batch_norm(tmp_path, shortcut):
    model = random_model(ModelConfig(shortcut=shortcut))
    loaded = QualityClassifier.from_pretrained(save(tmp_path / "model", folded(model)))
    assert not loaded.config.batch_norm
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    assert mx.allclose(loaded(picture), model(picture), rtol=1e-3, atol=1e-3)


def test_biases_before_batch_norm(tmp_path):
    model = random_model(ModelConfig())
    tensors = tensors_of(model)
    bias = np.linspace(-1, 1, 8, dtype=np.float32)
    shifted = {
        **tensors,
        "blocks.0.conv1.bias": bias,
        "blocks.0.norm1.running_mean": tensors["blocks.0.norm1.running_mean"] + bias,
    }
    loaded = QualityClassifier.from_pretrained(save(tmp_path / "model", shifted))
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    assert mx.allclose(loaded(picture), model(picture), rtol=1e-4, atol=1e-4)


def test_channels_are_read_off_the_tensors(tmp_path):
    config = ModelConfig(channels=(2, 6, 6, 10), shortcut="projection")
    folder = save(tmp_path / "model", tensors_of(QualityClassifier(config)), ModelConfig())
    assert QualityClassifier.from_pretrained(folder).config == config


def test_bfloat16(tmp_path):
    model = random_model(ModelConfig())
    (tmp_path / "config.json").write_text(ModelConfig().to_json())
    values = {name: value.astype(mx.bfloat16) for name, value in tree_flatten(model.parameters())}
    mx.save_safetensors(str(tmp_path / "weights.safetensors"), values)
    loaded = tensors_of(QualityClassifier.from_pretrained(tmp_path))
    for name, value in tensors_of(model).items():
        assert np.allclose(loaded[name], value, rtol=2**-8), name


def test_the_usual_hub_name_of_weights(tmp_path):
    save(tmp_path, tensors_of(random_model(ModelConfig())), name="model.safetensors")
    assert QualityClassifier.from_pretrained(tmp_path).config == ModelConfig()


def without(name):
    return lambda tensors: {other: value for other, value in tensors.items() if other != name}


STRANGE = {
    "missing tensor": without("blocks.2.conv2.weight"),
    "missing stem": without("stem.conv.weight"),
    "missing statistics": without("blocks.0.norm1.running_var"),
    "unknown tensor": lambda tensors: {**tensors, "attention.weight": np.zeros(3, np.float32)},
    "other shape": lambda tensors: {**tensors, "head.weight": np.zeros((2, 32), np.float32)},
    "two of a name": lambda tensors: {**tensors, "fc.weight": tensors["head.weight"]},
    "nothing": lambda _tensors: {},
    "scalar": lambda tensors: {**tensors, "stem.conv.weight": np.array(1, np.float32)},
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
def test_other_tensors_are_refused_with_the_expected_and_the_found_ones(tmp_path, change):
    folder = save(tmp_path / "model", change(tensors_of(random_model(ModelConfig()))))
    with pytest.raises(PenpalError, match=r"(?s)Expected:.*blocks.0.conv1.weight \[8, 3, 3, 4\].*Found:"):
        QualityClassifier.from_pretrained(folder)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(tmp_path, value):
    tensors = tensors_of(random_model(ModelConfig()))
    tensors["head.bias"] = np.array([value], dtype=np.float64)
    with pytest.raises(PenpalError, match=r"'head.bias' has values that are NaN or infinite"):
        QualityClassifier.from_pretrained(save(tmp_path / "model", tensors))


def test_integers_are_refused(tmp_path):
    tensors = {**tensors_of(random_model(ModelConfig())), "head.bias": np.array([1])}
    with pytest.raises(PenpalError, match=r"'head.bias' is of type I64; expected one of"):
        QualityClassifier.from_pretrained(save(tmp_path / "model", tensors))


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "weights.safetensors"
    whole = safetensors.numpy.save(tensors_of(random_model(ModelConfig())))
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


@pytest.mark.parametrize("number", ["9" * 5000, "٣" * 5000, "99999"])
def test_block_numbers_that_no_network_has(tmp_path, number):
    tensors = {**tensors_of(random_model(ModelConfig())), f"blocks.{number}.conv1.weight": np.zeros(3, np.float32)}
    with pytest.raises(PenpalError, match="the tensors do not fit") as caught:
        QualityClassifier.from_pretrained(save(tmp_path / "model", tensors))
    assert len(str(caught.value)) < 20_000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stem.conv.weight", 3e38),
        ("blocks.1.norm1.weight", 1e37),
        ("blocks.1.norm1.bias", 3e38),
        ("blocks.2.norm2.running_mean", -3e38),
        ("head.weight", 3e38),
    ],
)
def test_weights_with_which_scores_may_overflow_are_refused(tmp_path, name, value):
    tensors = tensors_of(random_model(ModelConfig()))
    tensors[name] = np.full_like(tensors[name], value)
    with pytest.raises(PenpalError, match="weights are so large that scores could leave the range of float32"):
        QualityClassifier.from_pretrained(save(tmp_path / "model", tensors))


def test_a_variance_of_zero_is_no_overflow(tmp_path):
    tensors = tensors_of(random_model(ModelConfig()))
    tensors["blocks.0.norm1.running_var"] = np.zeros(8, np.float32)
    folder = save(tmp_path / "model", tensors)
    assert 0 <= penpal_fast.Scorer(folder, backend="native").score([scrawl(6, 6, 30)])[0] <= 1


def test_networks_that_take_too_long_are_refused():
    config = ModelConfig(channels=(1024, 1024, 1024))
    with pytest.raises(PenpalError, match=r"takes 9.7e\+10 multiplications for a picture; at most 1.6e\+10"):
        check_bounds(config, {}, source="model")


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(PenpalError, match="cannot read the model configuration: it is not a regular file"):
        ModelConfig.from_file(tmp_path / "config.json")
    with pytest.raises(PenpalError, match="cannot read the weights: it is not a regular file"):
        read_tensors(tmp_path)


def test_tensor_shapes_are_those_of_the_model():
    for config in (ModelConfig(), ModelConfig(shortcut="projection"), ModelConfig(batch_norm=False)):
        shapes = {name: value.shape for name, value in tensors_of(QualityClassifier(config)).items()}
        assert shapes == tensor_shapes(config)
        assert sanitize(tensors_of(QualityClassifier(config)), ModelConfig(), source="test")[0] == config


@pytest.mark.parametrize("epsilon", [1e-300, 1e-13, 2.0, 0.0])
def test_epsilons_out_of_range_are_refused(epsilon):
    with pytest.raises(PenpalError, match="batch_norm_epsilon must be from 1e-12 to 1"):
        ModelConfig(batch_norm_epsilon=epsilon)


def test_engines_agree_on_a_layer_without_variance_or_weight(tmp_path):
    """Each step of batch norm must stay finite too, not only the folded weights."""
    tensors = tensors_of(random_model(ModelConfig(batch_norm_epsilon=1e-12)))
    for name, value in (("running_var", 0), ("weight", 0)):
        tensors[f"stem.norm.{name}"] = np.full_like(tensors[f"stem.norm.{name}"], value)
    folder = save(tmp_path / "model", tensors)
    (folder / "config.json").write_text(ModelConfig(batch_norm_epsilon=1e-12).to_json())
    scores = [penpal_fast.Scorer(folder, backend=backend).score([scrawl(6, 6, 30)])[0] for backend in ("native", "mlx")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_a_step_of_batch_norm_that_overflows_is_refused(tmp_path):
    tensors = tensors_of(random_model(ModelConfig()))
    tensors["stem.norm.running_mean"] = np.full_like(tensors["stem.norm.running_mean"], 1e35)
    tensors["stem.norm.running_var"] = np.zeros_like(tensors["stem.norm.running_var"])
    tensors["stem.norm.weight"] = np.full_like(tensors["stem.norm.weight"], 1e-30)
    with pytest.raises(PenpalError, match="scores could leave the range of float32"):
        QualityClassifier.from_pretrained(save(tmp_path / "model", tensors))


@pytest.mark.parametrize("depth", [990, 100_000])
def test_a_configuration_nested_hundreds_of_times_is_refused(depth):
    text = b'{"canvas": ' + b"[" * depth + b"]" * depth + b"}"
    with pytest.raises(PenpalError, match=r"canvas must be like 256|cannot read the model configuration"):
        ModelConfig.from_json(text, source="config.json")


def test_a_configuration_of_many_layers_is_refused_at_once():
    with pytest.raises(PenpalError, match="channels must be 2 to 64 numbers") as caught:
        ModelConfig(channels=(1,) * 500_000)
    assert len(str(caught.value)) < 500
