"""Checkpoints from other libraries, with their names and layouts."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from helpers.models import random_model, save_tensors
from penpal_fast import ModelConfig, PenpalError, QualityClassifier
from penpal_fast.network.checkpoint import sanitize
from penpal_fast.network.layers import tensor_shapes


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
    folder = save_tensors(tmp_path / "model", form(model.tensors()))
    loaded = QualityClassifier.from_pretrained(folder)
    assert loaded.config == model.config
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    tolerance = 0.05 if form is FORMS["half precision"] else 0
    assert mx.allclose(loaded(picture), model(picture), rtol=tolerance, atol=tolerance)


def folded(model: QualityClassifier) -> dict[str, np.ndarray]:
    """The same network with batch norm folded into biased convolutions."""
    tensors = model.tensors()
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
    loaded = QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", folded(model)))
    assert not loaded.config.batch_norm
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    assert mx.allclose(loaded(picture), model(picture), rtol=1e-3, atol=1e-3)


def test_biases_before_batch_norm(tmp_path):
    model = random_model(ModelConfig())
    tensors = model.tensors()
    bias = np.linspace(-1, 1, 8, dtype=np.float32)
    shifted = {
        **tensors,
        "blocks.0.conv1.bias": bias,
        "blocks.0.norm1.running_mean": tensors["blocks.0.norm1.running_mean"] + bias,
    }
    loaded = QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", shifted))
    picture = penpal_fast.render_batch([scrawl(6, 6, 30)])
    assert mx.allclose(loaded(picture), model(picture), rtol=1e-4, atol=1e-4)


def test_channels_are_read_off_the_tensors(tmp_path):
    config = ModelConfig(channels=(2, 6, 6, 10), shortcut="projection")
    folder = save_tensors(tmp_path / "model", QualityClassifier(config).tensors(), ModelConfig())
    assert QualityClassifier.from_pretrained(folder).config == config


def test_the_usual_hub_name_of_weights(tmp_path):
    save_tensors(tmp_path, random_model(ModelConfig()).tensors(), name="model.safetensors")
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
    folder = save_tensors(tmp_path / "model", change(random_model(ModelConfig()).tensors()))
    with pytest.raises(PenpalError, match=r"(?s)Expected:.*blocks.0.conv1.weight \[8, 3, 3, 4\].*Found:"):
        QualityClassifier.from_pretrained(folder)


@pytest.mark.parametrize("number", ["9" * 5000, "٣" * 5000, "99999"])
def test_block_numbers_that_no_network_has(tmp_path, number):
    tensors = {**random_model(ModelConfig()).tensors(), f"blocks.{number}.conv1.weight": np.zeros(3, np.float32)}
    with pytest.raises(PenpalError, match="the tensors do not fit") as caught:
        QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", tensors))
    assert len(str(caught.value)) < 20_000


def test_tensor_shapes_are_those_of_the_model():
    for config in (ModelConfig(), ModelConfig(shortcut="projection"), ModelConfig(batch_norm=False)):
        shapes = {name: value.shape for name, value in QualityClassifier(config).tensors().items()}
        assert shapes == tensor_shapes(config)
        assert sanitize(QualityClassifier(config).tensors(), ModelConfig(), source="test")[0] == config
