"""The optimizers of the quality network's training."""

from __future__ import annotations

import mlx.core as mx
import mlx.optimizers as optim
import numpy as np
import pytest
from mlx.utils import tree_flatten

from penpal_fast.errors import PenpalError
from penpal_fast.network.config import ModelConfig
from penpal_fast.network.model import QualityClassifier
from penpal_fast.training.optimizer import Muon, orthogonalized
from penpal_fast.training.recipe import Optimization


@pytest.mark.parametrize("shape", [(4, 9), (32, 288), (16, 8)])
def test_singular_values_become_about_one(shape) -> None:
    matrix = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    turned = left.T @ orthogonalized(matrix) @ right.T
    assert np.abs(turned - np.diag(np.diag(turned))).max() < 1e-3
    assert (np.diag(turned) > 0.5).all()
    assert (np.diag(turned) < 1.3).all()


def test_convolutions_take_steps_of_muon_and_other_parameters_of_adamw() -> None:
    mx.random.seed(1)
    model = QualityClassifier(ModelConfig(channels=(4, 8)))
    before = {name: np.array(value) for name, value in tree_flatten(model.trainable_parameters())}
    random = np.random.default_rng(2)
    gradients = {name: random.normal(size=value.shape).astype(np.float32) for name, value in before.items()}
    after = {}
    for kind in (optim.AdamW, Muon):
        optimizer = kind(0.01, weight_decay=0.1)
        parameters = {name: mx.array(value) for name, value in before.items()}
        after[kind] = optimizer.apply_gradients({name: mx.array(one) for name, one in gradients.items()}, parameters)
    for name, value in before.items():
        adamw, muon = (np.array(after[kind][name]) for kind in (optim.AdamW, Muon))
        if value.ndim != 4:
            np.testing.assert_array_equal(muon, adamw)
            continue
        step = (value * (1 - 0.01 * 0.1) - muon).reshape(len(value), -1)
        expected = 0.01 * 0.2 * max(step.shape) ** 0.5
        assert np.linalg.svd(step, compute_uv=False) == pytest.approx([expected] * min(step.shape), rel=0.35)
        assert np.vdot(step, gradients[name]) > 0


def test_a_zero_gradient_moves_a_convolution_by_its_weight_decay_alone() -> None:
    weights = mx.array(np.random.default_rng(3).normal(size=(4, 3, 3, 2)).astype(np.float32))
    moved = Muon(0.01, weight_decay=0.1).apply_gradients({"weight": mx.zeros_like(weights)}, {"weight": weights})
    np.testing.assert_allclose(np.array(moved["weight"]), np.array(weights) * (1 - 0.001), rtol=1e-6)


def test_an_unknown_optimizer_is_refused() -> None:
    with pytest.raises(PenpalError, match="optimizer must be adamw or muon, got 'sgd'"):
        Optimization(optimizer="sgd")  # type: ignore[arg-type]
