"""Limits on a network's numbers and work."""

from __future__ import annotations

import numpy as np
import pytest

import penpal_fast
from helpers.made_lines import scrawl
from helpers.models import random_model, save_tensors
from penpal_fast import ModelConfig, PenpalError, QualityClassifier
from penpal_fast.network.bounds import check_bounds


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
    tensors = random_model(ModelConfig()).tensors()
    tensors[name] = np.full_like(tensors[name], value)
    with pytest.raises(PenpalError, match="weights are so large that scores could leave the range of float32"):
        QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", tensors))


def test_a_variance_of_zero_is_no_overflow(tmp_path):
    tensors = random_model(ModelConfig()).tensors()
    tensors["blocks.0.norm1.running_var"] = np.zeros(8, np.float32)
    folder = save_tensors(tmp_path / "model", tensors)
    assert 0 <= penpal_fast.Scorer(folder, backend="native").score([scrawl(6, 6, 30)])[0] <= 1


def test_networks_that_take_too_long_are_refused():
    config = ModelConfig(channels=(1024, 1024, 1024))
    with pytest.raises(PenpalError, match=r"takes 9.7e\+10 multiplications for a picture; at most 1.6e\+10"):
        check_bounds(config, {}, source="model")


def test_engines_agree_on_a_layer_without_variance_or_weight(tmp_path):
    """Each step of batch norm must stay finite too, not only the folded weights."""
    tensors = random_model(ModelConfig(batch_norm_epsilon=1e-12)).tensors()
    for name, value in (("running_var", 0), ("weight", 0)):
        tensors[f"stem.norm.{name}"] = np.full_like(tensors[f"stem.norm.{name}"], value)
    folder = save_tensors(tmp_path / "model", tensors)
    (folder / "config.json").write_text(ModelConfig(batch_norm_epsilon=1e-12).to_json())
    scores = [penpal_fast.Scorer(folder, backend=backend).score([scrawl(6, 6, 30)])[0] for backend in ("native", "mlx")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_a_step_of_batch_norm_that_overflows_is_refused(tmp_path):
    tensors = random_model(ModelConfig()).tensors()
    tensors["stem.norm.running_mean"] = np.full_like(tensors["stem.norm.running_mean"], 1e35)
    tensors["stem.norm.running_var"] = np.zeros_like(tensors["stem.norm.running_var"])
    tensors["stem.norm.weight"] = np.full_like(tensors["stem.norm.weight"], 1e-30)
    with pytest.raises(PenpalError, match="scores could leave the range of float32"):
        QualityClassifier.from_pretrained(save_tensors(tmp_path / "model", tensors))
