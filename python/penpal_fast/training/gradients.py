"""The loss of a batch and its gradient with respect to the weights: in Rust on the processor, in MLX on a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten
from numpy.typing import NDArray

from penpal_fast._core import Backpropagation
from penpal_fast.errors import PenpalError
from penpal_fast.network.layers import layers
from penpal_fast.network.model import QualityClassifier

Gradient = Callable[[mx.array, mx.array, mx.array], "Step"]
"""Takes pictures [N, 256, 256, 1], targets [N] and slopes [N]; see `loss`."""


class Step(NamedTuple):
    """The result of a batch.

    Attributes:
        loss: Loss of the batch, a scalar.
        logits: Logits of the pictures, [N].
        gradients: Gradients of the loss, nested like the network's trainable parameters.
    """

    loss: mx.array
    logits: mx.array
    gradients: Any


def loss(logits: mx.array, targets: mx.array, slopes: mx.array) -> mx.array:
    """Return the mean binary cross-entropy, plus the slopes times the squashed logits."""
    entropy = nn.losses.binary_cross_entropy(logits, targets, with_logits=True, reduction="mean")
    return entropy + (slopes * squashed(logits)).mean()


def squashed(logits: Any) -> Any:
    """Map logits to -1..1, so that lines with a very certain score do not outweigh all others."""
    return mx.tanh(logits / 4)


def gradient_of(model: QualityClassifier) -> Gradient:
    """Return the function that computes a network's gradients.

    In training mode batch norm uses the statistics of the batch, and each call updates the running ones. In evaluation
    mode it uses the running statistics, as scoring does, and they stay. Set the mode before the first call.

    Raises:
        PenpalError: The network has no batch norm or more channels than can be trained.
    """
    if not model.config.batch_norm:
        raise PenpalError("a network without batch norm cannot be trained: start from a network with batch norm")
    return _mlx_gradient(model) if mx.default_device() == mx.gpu else _cpu_gradient(model)


def _mlx_gradient(model: QualityClassifier) -> Gradient:
    def loss_of(pictures: mx.array, targets: mx.array, slopes: mx.array) -> tuple[mx.array, mx.array]:
        logits = model(pictures)
        return loss(logits, targets, slopes), logits

    compiled = mx.compile(nn.value_and_grad(model, loss_of), inputs=[model.state], outputs=[model.state])

    def gradient(pictures: mx.array, targets: mx.array, slopes: mx.array) -> Step:
        (value, logits), gradients = compiled(pictures, targets, slopes)
        return Step(value, logits, gradients)

    return gradient


def _cpu_gradient(model: QualityClassifier) -> Gradient:
    """Compute gradients in Rust: 40 times as fast as MLX on a processor, and more exact (`benches/training.py`)."""
    config = model.config
    network = Backpropagation(
        list(config.channels), config.shortcut == "projection", config.batch_norm_epsilon, threads=0
    )
    modules: dict[str, Any] = dict(model.named_modules())
    normed = [(layer, modules[layer.name], modules[layer.norm]) for layer in layers(config)]
    loss_and_gradient = mx.value_and_grad(loss)

    def gradient(pictures: mx.array, targets: mx.array, slopes: mx.array) -> Step:
        weights = [(_flat(conv.weight), _flat(norm.weight), _flat(norm.bias)) for _, conv, norm in normed]
        head_weight, head_bias = _flat(model.head.weight), float(_flat(model.head.bias)[0])
        fixed = (
            None if model.training else [(_flat(norm.running_mean), _flat(norm.running_var)) for _, _, norm in normed]
        )
        logits, statistics = network.forward(weights, head_weight, head_bias, np.array(pictures, copy=False), fixed)
        if fixed is None:
            for (_, _, norm), (mean, variance) in zip(normed, statistics, strict=True):
                _follow(norm, mean, variance)
        value, by_logits = loss_and_gradient(mx.array(logits), targets, slopes)
        by_layers, by_head, by_bias = network.backward(np.array(by_logits))
        named = {"head.weight": mx.array(by_head[None]), "head.bias": mx.array([by_bias])}
        for (layer, conv, _), (by_weight, by_scale, by_shift) in zip(normed, by_layers, strict=True):
            named[f"{layer.name}.weight"] = mx.array(by_weight.reshape(conv.weight.shape))
            named[f"{layer.norm}.weight"] = mx.array(by_scale)
            named[f"{layer.norm}.bias"] = mx.array(by_shift)
        return Step(value, mx.array(logits), tree_unflatten(list(named.items())))

    return gradient


def _follow(norm: Any, mean: NDArray[np.float32], variance: NDArray[np.float32]) -> None:
    """Update the running statistics of batch norm with the statistics of a batch."""
    share = norm.momentum
    norm.running_mean = (1 - share) * norm.running_mean + share * mx.array(mean)
    norm.running_var = (1 - share) * norm.running_var + share * mx.array(variance)


def _flat(values: mx.array) -> NDArray[np.float32]:
    return np.array(values).reshape(-1)
